"""When a schedule is due: a timing in, its occurrences out. No database, no clock of its own."""

from .cron import CronError
from .occurrences import Exceptions, Occurrence, followed, next_occurrence, occurrences
from .shift import NoShiftError, shifted
from .timing import LAST_DAY, Kind, ShortMonth, Timing, TimingError
from .words import in_words

__all__ = [
    "LAST_DAY",
    "CronError",
    "Exceptions",
    "Kind",
    "NoShiftError",
    "Occurrence",
    "ShortMonth",
    "Timing",
    "TimingError",
    "followed",
    "in_words",
    "next_occurrence",
    "occurrences",
    "shifted",
]
