"""Foreseen: what the limits of rooms do to coming times, by the functions that plan them and in the
planner's order.

What others will have registered by then is not known yet: a slot is promised when it is planned.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schedules import rules
from schedules.bookings.bounds import bounds_of
from schedules.bookings.rooms import book_audience, wish_of
from schedules.bookings.slots import Bounds, Limit, Slot, Taken, Wish, find_slot
from schedules.bookings.taken import taken_around
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.recurrence import NO_CHANGES, Changes, Exceptions, Kind, Occurrence, followed
from schedules.states import ScheduleState

NEAR = timedelta(days=3)  # what is planned already lies within
OTHERS = 20  # schedules for the same rooms that are looked at
OF_EACH = 100  # coming times of each of these
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
    after = rules.preview(schedule, coming[-1].due_at, OF_EACH, exceptions=exceptions)
    going = [(one.due_at, at) for one, at in followed(coming, after) if not one.skipped]
    if schedule.audience:
        return _of_audience(schedule, going, now)
    return _of_rooms(schedule, going, now) if going else {}


def beyond_a_day(schedule: Schedule, now: datetime) -> tuple[int, int]:
    """How many messages a day its rooms bear, and in how many of them a whole day of it brings
    more; (0, 0) where none does. It looks at the first of its days that has only begun to come."""
    caps = Counter(bound.cap for bound in bounds_of(schedule.rooms.all()).values() if bound.cap)
    if not caps or schedule.timing.problems():
        return 0, 0
    most = min(caps)
    tomorrow = (now.astimezone(ZoneInfo(schedule.zone)) + timedelta(days=1)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    coming = [one for one in rules.preview(schedule, tomorrow, max(caps) + 1) if not one.skipped]
    zone = ZoneInfo(schedule.zone)
    days = Counter(one.due_at.astimezone(zone).date() for one in coming)
    brought = max(days.values(), default=0)
    rooms = sum(count for cap, count in caps.items() if brought > cap)
    return (most, rooms) if rooms else (0, 0)


def times_to_come(schedule: Schedule, now: datetime, count: int) -> list[Occurrence]:
    """The next times, from the function that the planner uses; of a draft that is to go at once,
    this moment."""
    is_open = schedule.state in (ScheduleState.DRAFT, ScheduleState.WAITING)
    if schedule.timing_kind == Kind.NOW and is_open:
        timing = replace(schedule.timing, registered_at=now)
        return [] if timing.problems() else [Occurrence(now, now.astimezone(ZoneInfo(timing.zone)))]
    return rules.preview(schedule, now, count)


Going = Sequence[tuple[datetime, datetime | None]]  # each with the next that goes


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
    others = _others(schedule, bounds, going[-1][0], now)
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


def _others(
    schedule: Schedule, bounds: Mapping[int, Bounds], until: datetime, now: datetime
) -> list[Coming]:
    """What other schedules will send to these rooms meanwhile."""
    others = Schedule.objects.present().filter(
        state=ScheduleState.ACTIVE, next_due_at__lte=until, rooms__in=bounds
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
        going = _going(other, now, until, exceptions, changes.get(other.pk, NO_CHANGES))
        found += _all_coming(other, going, rooms[other.pk], is_mine=False)
    return found


def _going(
    schedule: Schedule, now: datetime, until: datetime, exceptions: Exceptions, changes: Changes
) -> Going:
    assert schedule.next_due_at is not None, "only those with a next time are asked"
    just_before = max(schedule.next_due_at - timedelta(microseconds=1), now)
    coming = rules.preview(schedule, just_before, OF_EACH, exceptions=exceptions, changes=changes)
    return [
        (one.due_at, at)
        for one, at in followed(coming, ())
        if not one.skipped and one.due_at <= until
    ]


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
