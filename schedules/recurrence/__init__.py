"""When a schedule is due: a timing in, its occurrences out. No database, no clock of its own."""

from .cron import CronError
from .occurrences import Occurrence, next_occurrence, occurrences
from .shift import NoShiftError, shifted
from .timing import LAST_DAY, Kind, ShortMonth, Timing, TimingError
from .words import in_words

__all__ = [
    "LAST_DAY",
    "CronError",
    "Kind",
    "NoShiftError",
    "Occurrence",
    "ShortMonth",
    "Timing",
    "TimingError",
    "in_words",
    "next_occurrence",
    "occurrences",
    "shifted",
]
