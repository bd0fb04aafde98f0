"""Slots: from when a room is wanted to when it may be written to. Pure: no table is touched."""

from bisect import insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from schedules.recurrence.quiet import Quiet

TURNS = 20  # quiet hours that a wait leads into, one after the other


class Limit(StrEnum):
    """What holds a message back."""

    QUIET = "quiet"
    INTERVAL = "interval"
    CAP = "cap"
    FOLLOWED = "followed"  # a later time of its schedule waits for the same end of quiet hours


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
    followed_at: datetime | None = None  # the next time of its schedule


@dataclass(frozen=True)
class Slot:
    """When its limits let it leave, with what had held it back; or what keeps it from leaving at
    all. `tried_at`: later than `at` where it was planned late."""

    at: datetime
    held: tuple[Limit, ...] = ()
    skipped: Limit | None = None
    tried_at: datetime | None = None


@dataclass
class Taken:
    """What a room has already: the first and the last moment of each message, in order, and how
    many leave on each day of its zone."""

    zone: ZoneInfo
    spans: list[tuple[datetime, datetime]] = field(default_factory=list)
    days: Counter[date] = field(default_factory=Counter)

    def take(self, slot: Slot, length: timedelta) -> None:
        """One more leaves then."""
        self.days[slot.at.astimezone(self.zone).date()] += 1
        for at in {slot.at, slot.tried_at or slot.at}:
            self.stand_at(at, length)

    def stand_at(self, at: datetime, length: timedelta) -> None:
        """A message goes from then on; its day was counted elsewhere."""
        insort(self.spans, (at, at + length))

    def forget_until(self, moment: datetime) -> None:
        """What has ended by then holds back nothing that comes later. Its days stay counted."""
        self.spans = [span for span in self.spans if span[1] > moment]

    def count_on(self, moment: datetime) -> int:
        """How many leave on the day on which the moment lies."""
        return self.days[moment.astimezone(self.zone).date()]


def find_slot(wish: Wish, bounds: Bounds, taken: Taken, now: datetime | None = None) -> Slot:
    """The first moment from `wish.at` on at which all limits let it go. What is planned late, as
    after an outage, gets the slot that it would have had, and is tried at one after `now`."""
    slot = _find(wish, bounds, taken)
    if now is None or slot.at >= now or slot.skipped:
        return slot
    grace = max(slot.at + wish.grace - now, timedelta(0))
    # Its day is that of its slot.
    late = _find(replace(wish, at=now, grace=grace), replace(bounds, cap=0), taken)
    if late.skipped or Limit.QUIET in late.held:
        return late
    return Slot(slot.at, slot.held or late.held, tried_at=late.at)


def _find(wish: Wish, bounds: Bounds, taken: Taken) -> Slot:
    at = wish.at
    held: dict[Limit, None] = {}  # in order, each once
    for _turn in range(TURNS):
        end = bounds.quiet.end_around(at) if bounds.quiet else None
        if end is not None:
            if skipped := _skipped_by_quiet(wish, end):
                return Slot(at, tuple(held), skipped)
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
    if bounds.cap and taken.count_on(at) >= bounds.cap:
        return Slot(at, tuple(held), Limit.CAP)
    return Slot(at, tuple(held))


def _skipped_by_quiet(wish: Wish, end: datetime) -> Limit | None:
    """Of all times of a schedule that would wait for one end, only the last one goes."""
    if not wish.moves:
        return Limit.QUIET
    return Limit.FOLLOWED if wish.followed_at and wish.followed_at < end else None


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
