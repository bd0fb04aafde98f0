"""Foreseen: what the limits of rooms do to coming times, by the function that plans them.

What others will have registered by then is not known yet: a slot is promised when it is planned.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schedules import rules
from schedules.bookings.rooms import book_audience, bounds_of, taken_of, wish_of
from schedules.bookings.slots import Bounds, Limit, Taken, find_slot
from schedules.models import Schedule
from schedules.recurrence import Kind, Occurrence
from schedules.states import ScheduleState

NEAR = timedelta(days=3)  # what is planned or sent already lies within
OTHERS = 20  # schedules for the same rooms that are looked at
OF_EACH = 100  # coming times of each of these


@dataclass(frozen=True)
class Held:
    """What a limit does to one time: in so many of its rooms it leaves later, or not at all."""

    limit: Limit
    leaves_at: datetime | None  # None: it is left out
    rooms: int
    of: int  # 0: an audience


def foresee(
    schedule: Schedule, coming: Sequence[Occurrence], now: datetime
) -> Mapping[datetime, list[Held]]:
    """By appointed time, what is held back of these; nothing for times that go as they are."""
    going = [occurrence.due_at for occurrence in coming if not occurrence.skipped]
    if not going:
        return {}
    if schedule.audience:
        return _of_audience(schedule, going)
    bounds = bounds_of(schedule.rooms.all())
    taken = taken_of(bounds, min(going[0], now) - NEAR, now + NEAR)
    _add_others(schedule, bounds, taken, going[-1], now)
    return {due_at: held for due_at in going if (held := _at(schedule, due_at, bounds, taken))}


def _of_audience(schedule: Schedule, going: Sequence[datetime]) -> dict[datetime, list[Held]]:
    slots = ((due_at, book_audience(schedule, due_at, _parts(schedule))) for due_at in going)
    return {
        due_at: [Held(Limit.QUIET, None if slot.skipped else slot.at, 1, 0)]
        for due_at, slot in slots
        if slot.held or slot.skipped
    }


def _at(
    schedule: Schedule, due_at: datetime, bounds: Mapping[int, Bounds], taken: dict[int, Taken]
) -> list[Held]:
    found: Counter[tuple[Limit, datetime | None]] = Counter()
    wish = wish_of(schedule, due_at, _parts(schedule))
    for room_id, bound in bounds.items():
        slot = find_slot(wish, bound, taken[room_id]) if bound.bind else None
        if slot and slot.skipped:
            found[slot.skipped, None] += 1
            continue
        if slot and slot.held:
            found[slot.held[-1], slot.at] += 1
        taken[room_id].add(slot.at if slot else due_at, wish.length)
    return [Held(limit, at, count, len(bounds)) for (limit, at), count in found.items()]


def _add_others(
    schedule: Schedule,
    bounds: Mapping[int, Bounds],
    taken: dict[int, Taken],
    until: datetime,
    now: datetime,
) -> None:
    """What other schedules will send to the same rooms meanwhile."""
    mine = set(schedule.rooms.values_list("pk", flat=True))
    others = Schedule.objects.present().filter(state=ScheduleState.ACTIVE, rooms__in=mine)
    others = others.exclude(pk__in=[schedule.pk, schedule.edits_id or 0]).distinct()
    for other in others.order_by("id").prefetch_related("rooms")[:OTHERS]:
        after = other.next_due_at
        if after is None or other.timing_kind == Kind.NOW:
            continue
        rooms = [room.pk for room in other.rooms.all() if room.pk in mine]
        just_before = max(after - timedelta(microseconds=1), now)
        for occurrence in rules.preview(other, just_before, OF_EACH):
            if occurrence.due_at > until:
                break
            wish = wish_of(other, occurrence.due_at, _parts(other))
            for room_id in rooms if not occurrence.skipped else ():
                slot = find_slot(wish, bounds[room_id], taken[room_id])
                if not slot.skipped:
                    taken[room_id].add(slot.at, wish.length)


def _parts(schedule: Schedule) -> int:
    """At least so many: with a pause between them each message is a part of its own."""
    return len(schedule.content.sent_images) + 1 if schedule.interval_seconds else 1
