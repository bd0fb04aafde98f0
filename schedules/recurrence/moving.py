"""A series whose times move on its wall clock, from one of them on. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from .changes import Changes, appointed
from .moments import first_moment
from .occurrences import Exceptions
from .shift import NoShiftError, shifted
from .timing import Timing


@dataclass(frozen=True)
class Move:
    """The times of `timing` from `since` on go so much later or earlier; those before stay."""

    timing: Timing
    since: datetime
    span: timedelta

    @property
    def first_due_at(self) -> datetime:
        """When that of `since` goes then."""
        return self.goes_at(self.since)

    def goes_at(self, appointed_at: datetime) -> datetime:
        """When that of `appointed_at` goes then."""
        wall = _wall(self.timing, appointed_at) + self.span
        return first_moment(wall, ZoneInfo(self.timing.zone)).due_at.astimezone(UTC)

    def carried(self, changes: Changes, exceptions: Exceptions) -> dict[datetime, datetime]:
        """Of these, those that go along: from the time by the old rule to that by the new."""
        return {
            at: self.goes_at(at)
            for at in changes
            if at >= self.since and appointed(self.timing, at, exceptions)
        }


def move_to(timing: Timing, at: datetime, wall: datetime, since: datetime) -> tuple[Move, Timing]:
    """The move that brings what the rule appoints to `at` to this time of the wall clock, and what
    the timing is then. Raises NoShiftError."""
    if timing.time is None:
        raise NoShiftError(_("What repeats by minutes or by an expression has no time to shift."))
    try:
        move = Move(timing, since, wall - _wall(timing, at))
        move.goes_at(since)
    except OverflowError as error:
        raise NoShiftError(_("There is no such day.")) from error
    return move, shifted(timing, move.span)


def _wall(timing: Timing, at: datetime) -> datetime:
    """As its rule has it, also where daylight saving has moved it."""
    assert timing.time is not None
    return datetime.combine(at.astimezone(ZoneInfo(timing.zone)).date(), timing.time)
