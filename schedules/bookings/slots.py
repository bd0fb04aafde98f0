"""Slots: from when a room is wanted to when it may be written to. Pure: no table is touched."""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from schedules.recurrence.quiet import Quiet

TURNS = 20  # quiet hours that a wait leads into, one after the other


class Limit(StrEnum):
    """What holds a message back."""

    QUIET = "quiet"
    INTERVAL = "interval"
    CAP = "cap"


@dataclass(frozen=True)
class Bounds:
    """What a room, or an audience, bears."""

    zone: str
    interval: timedelta = timedelta(0)  # between the end of one message and the next
    cap: int = 0  # messages a day of its zone; 0: as many as one likes
    quiet: Quiet | None = None

    @property
    def bind(self) -> bool:
        """Whether any of it can hold anything back."""
        return bool(self.interval or self.cap or self.quiet)


@dataclass(frozen=True)
class Wish:
    """A message that wants to leave at a time."""

    at: datetime
    length: timedelta = timedelta(0)  # from its first part to its last
    moves: bool = True  # past quiet hours; else it is left out
    until: datetime | None = None  # nothing of it is sent after this
    grace: timedelta = timedelta(minutes=10)  # how long it waits for its turn


@dataclass(frozen=True)
class Slot:
    """When it leaves, with what had held it back; or what keeps it from leaving at all."""

    at: datetime
    held: tuple[Limit, ...] = ()
    skipped: Limit | None = None


@dataclass
class Taken:
    """What a room has already: the first and the last moment of each message, in order."""

    spans: list[tuple[datetime, datetime]] = field(default_factory=list)

    def add(self, at: datetime, length: timedelta) -> None:
        insort(self.spans, (at, at + length))

    def count_on(self, moment: datetime, zone: ZoneInfo) -> int:
        """How many leave on the day, in this zone, on which the moment lies."""
        day = moment.astimezone(zone).date()
        return sum(begin.astimezone(zone).date() == day for begin, _end in self.spans)


def find_slot(wish: Wish, bounds: Bounds, taken: Taken) -> Slot:
    """The first moment from `wish.at` on at which all limits let it go."""
    at = wish.at
    held: dict[Limit, None] = {}  # in order, each once
    for _turn in range(TURNS):
        end = bounds.quiet.end_around(at) if bounds.quiet else None
        if end is not None:
            if not wish.moves:
                return Slot(at, tuple(held), Limit.QUIET)
            at = end
            held[Limit.QUIET] = None
        free = _free_from(at, wish.length, bounds.interval, taken.spans)
        if free > at + wish.grace:
            return Slot(free, tuple(held), Limit.INTERVAL)
        if free == at:
            break
        at = free
        held[Limit.INTERVAL] = None
    if wish.until and at > wish.until:
        return Slot(at, tuple(held), next(reversed(held), None))
    if bounds.cap and taken.count_on(at, ZoneInfo(bounds.zone)) >= bounds.cap:
        return Slot(at, tuple(held), Limit.CAP)
    return Slot(at, tuple(held))


def _free_from(
    at: datetime,
    length: timedelta,
    interval: timedelta,
    spans: Sequence[tuple[datetime, datetime]],
) -> datetime:
    """The first moment from `at` on that lies far enough from all of these."""
    if not interval:
        return at
    for begin, end in spans:
        if begin - interval < at + length and at < end + interval:
            at = end + interval
    return at
