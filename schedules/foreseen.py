"""Foreseen: what the limits of rooms do to coming times, by the functions that plan them and in the
planner's order.

What others will have registered by then is not known yet: a slot is promised when it is planned.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schedules import rules
from schedules.bookings.bounds import bounds_of
from schedules.bookings.rooms import book_audience, wish_of
from schedules.bookings.slots import Bounds, Limit, Slot, Taken, Wish, find_slot
from schedules.bookings.taken import taken_around
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.recurrence import (
    NO_CHANGES,
    Changes,
    Exceptions,
    Kind,
    Occurrence,
    changed_occurrences,
    followed,
)
from schedules.states import ScheduleState

NEAR = timedelta(days=3)  # what is planned already lies within
OTHERS = 20  # schedules for the same rooms that are looked at
OF_EACH = (100, 2_000)  # coming times of each of these: at least, at most
STEPS = 60_000  # their times in all rooms, beyond that least
DAY = timedelta(days=1)
SPANS = 64  # that a room keeps in mind before it forgets those that are over
MANY = 10_000  # messages to one room that all these times could bring


@dataclass(frozen=True)
class Held:
    """What a limit does to one time: in so many of its rooms it leaves later, or not at all."""

    limit: Limit
    leaves_at: datetime | None  # None: it is left out
    rooms: int
    of: int  # 0: an audience


class Coming(NamedTuple):
    """A message that is going to be planned; in the order of these."""

    due_at: datetime
    rank: int
    schedule_id: int
    wish: Wish
    rooms: Collection[int]
    is_mine: bool


def foresee(
    schedule: Schedule, coming: Sequence[Occurrence], now: datetime
) -> Mapping[datetime, list[Held]]:
    """By appointed time, what is held back of these; nothing for times that go as they are."""
    if not coming:
        return {}
    exceptions = HolidayException.table(schedule.holiday_country)
    after = rules.preview(schedule, coming[-1].due_at, OF_EACH[0], exceptions=exceptions)
    going = [(one.due_at, at) for one, at in followed(coming, after) if not one.skipped]
    if schedule.audience:
        return _of_audience(schedule, going, now)
    return _of_rooms(schedule, going, now) if going else {}


def beyond_a_day(schedule: Schedule, now: datetime) -> list[int]:
    """How many messages a day those of its rooms bear to which a whole day of it brings more, the
    fewest first. It looks at the first of its days that has only begun to come."""
    caps = sorted(bound.cap for bound in bounds_of(schedule.rooms.all()).values() if bound.cap)
    if not caps or schedule.timing.problems():
        return []
    zone = ZoneInfo(schedule.zone)
    tomorrow = (now.astimezone(zone) + timedelta(days=1)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    coming = [one for one in rules.preview(schedule, tomorrow, caps[-1] + 1) if not one.skipped]
    days = Counter(one.due_at.astimezone(zone).date() for one in coming)
    brought = max(days.values(), default=0)
    return [cap for cap in caps if brought > cap]


def times_to_come(schedule: Schedule, now: datetime, count: int) -> list[Occurrence]:
    """The next times, from the function that the planner uses; of a draft that is to go at once,
    this moment."""
    is_open = schedule.state in (ScheduleState.DRAFT, ScheduleState.WAITING)
    if schedule.timing_kind == Kind.NOW and is_open:
        timing = replace(schedule.timing, registered_at=now)
        return [] if timing.problems() else [Occurrence(now, now.astimezone(ZoneInfo(timing.zone)))]
    return rules.preview(schedule, now, count)


Going = Sequence[tuple[datetime, datetime | None]]  # each with the next that goes
Window = tuple[datetime, datetime]


def _of_audience(schedule: Schedule, going: Going, now: datetime) -> dict[datetime, list[Held]]:
    parts, found = _parts(schedule), {}
    for due_at, followed_at in going:
        slot = book_audience(schedule, due_at, parts, followed_at, now)
        if effect := _effect(slot):
            found[due_at] = [Held(*effect, rooms=1, of=0)]
    return found


def _of_rooms(schedule: Schedule, going: Going, now: datetime) -> dict[datetime, list[Held]]:
    rooms = list(schedule.rooms.all())
    bounds = {pk: bound for pk, bound in bounds_of(rooms).items() if bound.bind}
    if not bounds:
        return {}
    others = _others(schedule, bounds, _windows(going, now), now)
    mine = list(_all_coming(schedule, going, bounds, is_mine=True))
    near = [one.wish for one in (*others, *mine) if one.due_at < now + NEAR]
    taken = taken_around(bounds, near, now, more=MANY) if near else {}
    apart = taken.keys() | {room_id for other in others for room_id in other.rooms}
    alike = _alike(bounds, apart)
    effects = _effects(sorted([*others, *mine], key=_order), bounds, taken, alike)
    return {
        due_at: [Held(*effect, rooms=count, of=len(rooms)) for effect, count in found.items()]
        for due_at, found in effects.items()
    }


def _order(coming: Coming) -> tuple[datetime, int, int]:
    return coming.due_at, coming.rank, coming.schedule_id


def _alike(bounds: Mapping[int, Bounds], apart: Collection[int]) -> dict[int, int]:
    """One of the rooms that fare alike, with their number: all that have nothing else and bear the
    same. Each of those `apart` is one of its kind."""
    first: dict[Bounds, int] = {}
    free = [room_id for room_id in bounds if room_id not in apart]
    alike = Counter(first.setdefault(bounds[room_id], room_id) for room_id in free)
    return {**alike, **dict.fromkeys(apart, 1)}


def _effects(
    coming: Iterable[Coming],
    bounds: Mapping[int, Bounds],
    taken: dict[int, Taken],
    alike: Mapping[int, int],
) -> dict[datetime, Counter[tuple[Limit, datetime | None]]]:
    """By appointed time of mine: what is done to it, and in how many rooms."""
    found: dict[datetime, Counter[tuple[Limit, datetime | None]]] = defaultdict(Counter)
    for one in coming:
        for room_id in alike.keys() & one.rooms:
            room = taken.setdefault(room_id, Taken(ZoneInfo(bounds[room_id].zone)))
            if len(room.spans) > SPANS:  # none that comes is near to what is over by then
                room.forget_until(one.due_at - bounds[room_id].interval)
            slot = find_slot(one.wish, bounds[room_id], room)
            if not slot.skipped:
                room.take(slot, one.wish.length)
            if one.is_mine and (effect := _effect(slot)):
                found[one.due_at][effect] += alike[room_id]
    return found


def _effect(slot: Slot) -> tuple[Limit, datetime | None] | None:
    if slot.skipped:
        return slot.skipped, None
    return (slot.held[-1], slot.tried_at or slot.at) if slot.held else None


def _windows(going: Going, now: datetime) -> list[Window]:
    """The times around these, of which the days of all zones have a part; in order, none twice."""
    found: list[Window] = []
    for at, _next in going:
        begin, end = max(at - DAY, now), at + DAY
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def _others(
    schedule: Schedule, bounds: Mapping[int, Bounds], windows: Sequence[Window], now: datetime
) -> list[Coming]:
    """What other schedules will send to these rooms meanwhile."""
    others = Schedule.objects.present().filter(
        state=ScheduleState.ACTIVE, next_due_at__lte=windows[-1][1], rooms__in=bounds
    )
    others = others.exclude(pk__in=[schedule.pk, schedule.edits_id or 0]).distinct()
    some = list(others.order_by("id").prefetch_related("schedule_images")[:OTHERS])
    rooms: dict[int, set[int]] = defaultdict(set)
    through = Schedule.rooms.through.objects.filter(schedule__in=some, room__in=bounds)
    for schedule_id, room_id in through.values_list("schedule_id", "room_id"):
        rooms[schedule_id].add(room_id)
    exceptions = HolidayException.tables({other.holiday_country for other in some})
    found: list[Coming] = []
    changes = OccurrenceChange.of_all([other.pk for other in some], now) if some else {}
    for other in some:
        least, most = OF_EACH
        times = min(max(STEPS // (len(some) * len(rooms[other.pk])), least), most)
        count = max(times // len(windows), 1)
        of_other = changes.get(other.pk, NO_CHANGES)
        for window in windows:
            going = _going(other, window, count, exceptions, of_other)
            found += _all_coming(other, going, rooms[other.pk], is_mine=False)
    return found


def _going(
    schedule: Schedule, window: Window, count: int, exceptions: Exceptions, changes: Changes
) -> Going:
    assert schedule.next_due_at is not None, "only those with a next time are asked"
    begin, end = window
    just_before = max(schedule.next_due_at - timedelta.resolution, begin)
    if schedule.timing.problems():
        return []
    coming = changed_occurrences(
        schedule.timing, just_before, exceptions=exceptions, changes=changes
    )
    near = list(takewhile(lambda one: one.due_at <= end, islice(coming, count)))
    return [(one.due_at, at) for one, at in followed(near, ()) if not one.skipped]


def _all_coming(
    schedule: Schedule, going: Going, rooms: Collection[int], *, is_mine: bool
) -> Iterable[Coming]:
    parts, id_ = _parts(schedule), schedule.edits_id or schedule.pk
    for due_at, followed_at in going:
        wish = wish_of(schedule, due_at, parts, followed_at)
        yield Coming(due_at, -schedule.priority, id_, wish, rooms, is_mine)


def _parts(schedule: Schedule) -> int:
    """At least so many: with a pause between them each message is a part of its own."""
    return schedule.content.message_count if schedule.interval_seconds else 1
