"""Says what is wrong with an installation, and what to do about it.

finding.py has the registry; each other module registers its examinations.
"""

from config.doctor import accounts, configuration, machine, running
from config.doctor.finding import EXAMINATIONS, Finding, Level, examine

__all__ = [
    "EXAMINATIONS",
    "Finding",
    "Level",
    "accounts",
    "configuration",
    "examine",
    "machine",
    "running",
]
