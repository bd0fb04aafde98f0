"""When a schedule is due: a timing in, its occurrences out. No database, no clock of its own."""

from .changes import LEFT_OUT, NO_CHANGES, Change, Changes, appointed, changed_occurrences
from .cron import CronError
from .moving import Move, move_to
from .occurrences import Exceptions, Occurrence, followed, next_occurrence, occurrences
from .shift import NoShiftError, shifted
from .timing import LAST_DAY, Kind, ShortMonth, Timing, TimingError
from .words import in_words

__all__ = [
    "LAST_DAY",
    "LEFT_OUT",
    "NO_CHANGES",
    "Change",
    "Changes",
    "CronError",
    "Exceptions",
    "Kind",
    "Move",
    "NoShiftError",
    "Occurrence",
    "ShortMonth",
    "Timing",
    "TimingError",
    "appointed",
    "changed_occurrences",
    "followed",
    "in_words",
    "move_to",
    "next_occurrence",
    "occurrences",
    "shifted",
]
