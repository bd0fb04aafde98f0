"""Taken: what rooms have already around the times at which they are wanted, asked by index.

Rooms that are free then and far from their number for the day, as most are, cost nothing here.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models.functions import Coalesce

from schedules.bookings.leaving import counts_leaving, ids_leaving
from schedules.bookings.slots import Bounds, Taken, Wish
from schedules.models import Delivery
from schedules.recurrence.moments import first_moment
from schedules.states import OPEN_DELIVERY

DAY = timedelta(days=1)
LATE = timedelta(hours=1)  # after its slot: what waits, and is tried again

Stretch = tuple[datetime, datetime]


COLUMNS = ("room_id", "state", "at", "next_try_at", "started_at", "part", "parts",
           "run__interval_seconds")  # fmt: skip


class _Message(NamedTuple):
    """What is read of each."""

    room_id: int
    state: str
    leaves_at: datetime
    next_try_at: datetime
    started_at: datetime | None
    part: int
    parts: int
    pause: int  # seconds between its parts

    @property
    def span(self) -> tuple[datetime, timedelta]:
        """When it goes, or went, and for how long."""
        is_open = self.state in OPEN_DELIVERY
        pauses = max(self.parts - (self.part if is_open else 0) - 1, 0)
        at = self.next_try_at if is_open else self.started_at or self.leaves_at
        return at, timedelta(seconds=self.pause * pauses)


def taken_around(
    bounds: Mapping[int, Bounds], wishes: Collection[Wish], now: datetime, *, more: int
) -> dict[int, Taken]:
    """What these rooms have at and around these times, and on their days: what is to go, under
    way, or sent. Days are counted only where with so many `more` the room could be full."""
    stretches = _stretches(bounds.values(), wishes, now)
    found: dict[int, Taken] = {}
    for message in _near(bounds, stretches):
        _of_room(found, bounds, message.room_id).stand_at(*message.span)
    capped = {room_id: bound for room_id, bound in bounds.items() if bound.cap}
    for name, rooms in _by_zone(capped).items():
        zone = ZoneInfo(name)
        least = min(capped[room_id].cap for room_id in rooms) - more
        for day in _days(stretches, zone):
            begin, end = _midnight(day, zone), _midnight(day + DAY, zone)
            for room_id, count in counts_leaving(rooms, begin, end, least=least):
                _of_room(found, bounds, room_id).days[day] = count
    return found


def _of_room(found: dict[int, Taken], bounds: Mapping[int, Bounds], room_id: int) -> Taken:
    if room_id not in found:
        found[room_id] = Taken(ZoneInfo(bounds[room_id].zone))
    return found[room_id]


def _by_zone(bounds: Mapping[int, Bounds]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for room_id, bound in bounds.items():
        found[bound.zone].append(room_id)
    return found


def _stretches(
    bounds: Collection[Bounds], wishes: Collection[Wish], now: datetime
) -> list[Stretch]:
    """In which any of these may leave, the quiet hours' ends among them."""
    grace = max(wish.grace for wish in wishes)
    starts = {max(wish.at, now) for wish in wishes} | {wish.at for wish in wishes}
    for quiet in {bound.quiet for bound in bounds if bound.quiet}:
        moments = [*starts, *(start + grace for start in starts)]
        starts |= {end for moment in moments if (end := quiet.end_around(moment))}
    joined: list[Stretch] = []
    for start in sorted(starts):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], start + grace)
        else:
            joined.append((start, start + grace))
    return joined


def _days(stretches: Iterable[Stretch], zone: ZoneInfo) -> set[date]:
    return {moment.astimezone(zone).date() for both in stretches for moment in both}


def _near(bounds: Mapping[int, Bounds], stretches: Iterable[Stretch]) -> Iterator[_Message]:
    """What stands so near to one of these stretches that the interval could reach into it."""
    spaced = [room_id for room_id, bound in bounds.items() if bound.interval]
    longest = max(bound.interval for bound in bounds.values())
    ids: set[int] = set()
    for begin, end in stretches if spaced else ():
        ids.update(ids_leaving(spaced, begin - longest - LATE, end + longest + LATE))
    if ids:
        rows = Delivery.objects.filter(id__among=list(ids)).order_by()
        facts = rows.annotate(at=Coalesce("slot_at", "due_at")).values_list(*COLUMNS)
        yield from map(_Message._make, facts)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return first_moment(datetime.combine(day, time()), zone).due_at
