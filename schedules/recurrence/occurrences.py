"""The coming occurrences of a timing, those that are skipped among them and marked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from types import MappingProxyType
from zoneinfo import ZoneInfo

from .moments import Moment, appointments, first_moment, on_the_grid
from .public_holidays import public_holidays
from .rule import rule_of
from .timing import Kind, Timing, TimingError

Exceptions = Mapping[tuple[str, date], bool]

NO_EXCEPTIONS: Exceptions = MappingProxyType({})
BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)  # no schedule is older; no clock then runs by LMT


@dataclass(frozen=True)
class Occurrence:
    """A computed time, and why it is skipped if it is."""

    due_at: datetime  # UTC
    local: datetime  # the same moment in the timing's zone
    skipped: str = ""  # "" goes; "holiday", "date", or "left_out" by a person
    detail: str = ""  # the holiday's name
    moved: bool = False  # daylight saving removed the wall-clock time: the first moment after
    first_due_at: datetime | None = None  # as its rule has it, where a person gave another time
    text: str = ""  # which a person gave it instead of the schedule's

    @property
    def appointed_at(self) -> datetime:
        """When its rule appoints it: that stays, whenever it goes."""
        return self.first_due_at or self.due_at


def occurrences(
    timing: Timing, after: datetime, *, exceptions: Exceptions = NO_EXCEPTIONS
) -> Iterator[Occurrence]:
    """The occurrences strictly after a moment, ascending, lazily and without end.

    `exceptions` overrules the calendar: (country, date) → is it a holiday. Raises TimingError.
    """
    if after.utcoffset() is None:
        raise ValueError("The moment has no time zone.")
    if problems := timing.problems():
        raise TimingError(problems)
    # In UTC first: adding to or comparing times of one zone forgets the pass of a repeated hour.
    starts = (after.astimezone(UTC), (timing.valid_from or BEGINNING).astimezone(UTC))
    since = max(starts[0] + timedelta.resolution, starts[1], BEGINNING)
    return _within_validity(timing, since, exceptions)


def next_occurrence(
    timing: Timing, after: datetime, *, exceptions: Exceptions = NO_EXCEPTIONS
) -> Occurrence | None:
    """The first occurrence strictly after a moment, whether it goes or is skipped."""
    return next(occurrences(timing, after, exceptions=exceptions), None)


def followed(
    coming: Sequence[Occurrence], after: Iterable[Occurrence]
) -> list[tuple[Occurrence, datetime | None]]:
    """Each of these with the time of the next that goes, of them or of those `after` them; None
    where none comes within a day."""
    if not coming:
        return []
    until = coming[-1].due_at + timedelta(days=1)
    near = takewhile(lambda occurrence: occurrence.due_at <= until, after)
    follower = next((occurrence.due_at for occurrence in near if not occurrence.skipped), None)
    found: list[tuple[Occurrence, datetime | None]] = []
    for occurrence in reversed(coming):
        found.append((occurrence, follower))
        follower = follower if occurrence.skipped else occurrence.due_at
    return found[::-1]


def _within_validity(
    timing: Timing, since: datetime, exceptions: Exceptions
) -> Iterator[Occurrence]:
    zone = ZoneInfo(timing.zone)
    until = timing.valid_until
    for due_at, moved in _moments(timing, zone, since):
        if until and due_at > until:
            return
        local = due_at.astimezone(zone)
        skipped, detail = _skip(timing, local.date(), exceptions)
        yield Occurrence(due_at, local, skipped, detail, moved)


def _moments(timing: Timing, zone: ZoneInfo, since: datetime) -> Iterator[Moment]:
    if timing.kind in (Kind.NOW, Kind.ONCE):
        moment = _only_moment(timing, zone)
        return iter([moment] if moment.due_at >= since else [])
    rule = rule_of(timing)
    return (on_the_grid if rule.on_grid else appointments)(rule, zone, since)


def _only_moment(timing: Timing, zone: ZoneInfo) -> Moment:
    if timing.kind == Kind.NOW:
        assert timing.registered_at is not None
        return Moment(timing.registered_at.astimezone(UTC), moved=False)
    assert timing.date is not None and timing.time is not None
    return first_moment(datetime.combine(timing.date, timing.time), zone)


def _skip(timing: Timing, day: date, exceptions: Exceptions) -> tuple[str, str]:
    if day in timing.skip_dates:
        return "date", ""
    if not timing.holiday_country:
        return "", ""
    name = public_holidays(timing.holiday_country, day.year).get(day)
    if exceptions.get((timing.holiday_country, day), name is not None):
        return "holiday", name or ""
    return "", ""
