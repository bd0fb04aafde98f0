"""Rooms: each message gets its slot when it is planned, so that no two plans fill a room twice.

What a room has already is asked from its deliveries while the rooms are held. What is retried
keeps its slot's place in the count, and may leave later than the slot.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Q

from channels.models import Room
from channels.models.room import USUAL_DAILY_CAP, interval_in_force
from orgs.models import Unit
from orgs.reach import lineage
from schedules.bookings.slots import Bounds, Limit, Slot, Taken, Wish, find_slot
from schedules.models import Delivery, Schedule
from schedules.recurrence.quiet import Quiet
from schedules.states import DeliveryState

DAY = timedelta(days=1)
FAR = 2 * DAY  # from an appointed time to its slot: a night, and the wait after it
NOT_SENT = ("skipped", "cancelled")  # as the index of a room's messages leaves them out
REASONS = {
    Limit.QUIET: Delivery.Reason.QUIET,
    Limit.INTERVAL: Delivery.Reason.BUSY,
    Limit.CAP: Delivery.Reason.CAP,
}


class RoomRow(NamedTuple):
    """What is read of a room."""

    id: int
    unit_id: int
    min_interval_seconds: int | None
    daily_cap: int | None
    quiet_from: time | None
    quiet_until: time | None


def book_rooms(deliveries: Sequence[Delivery]) -> None:
    """Give each planned delivery to a room its slot, or the reason why it has none. Holds the
    rooms until the transaction ends."""
    wanting = [
        (delivery.room_id, delivery)
        for delivery in deliveries
        if delivery.room_id and delivery.state == DeliveryState.PLANNED
    ]
    bounds = _bounds_held({room_id for room_id, _delivery in wanting})
    bound = [(room_id, delivery) for room_id, delivery in wanting if bounds[room_id].bind]
    if not bound:
        return
    days = _days_around(delivery.due_at for _room_id, delivery in bound)
    taken = taken_of({room_id for room_id, _delivery in bound}, *days)
    for room_id, delivery in sorted(bound, key=lambda one: _order(one[1])):
        wish = wish_of(delivery.run.schedule, delivery.next_try_at, delivery.parts)
        slot = find_slot(wish, bounds[room_id], taken[room_id])
        settle_slot(delivery, slot)
        if not slot.skipped:
            taken[room_id].add(slot.at, wish.length)


def _order(delivery: Delivery) -> tuple[datetime, int]:
    """Of what is due at once, the more important goes first."""
    return delivery.next_try_at, -delivery.priority


def book_audience(schedule: Schedule, wanted: datetime, parts: int) -> Slot:
    """When a message to an audience may leave: only the quiet hours of its unit hold it."""
    bounds = Bounds(
        schedule.unit.zone, quiet=_quiet_of(schedule.unit, _units_above([schedule.unit]))
    )
    return find_slot(wish_of(schedule, wanted, parts), bounds, Taken())


def wish_of(schedule: Schedule, at: datetime, parts: int) -> Wish:
    """A message of this schedule that wants to leave at this time."""
    return Wish(
        at,
        length=timedelta(seconds=schedule.interval_seconds * max(parts - 1, 0)),
        moves=schedule.on_quiet == Schedule.OnQuiet.MOVE,
        until=schedule.valid_until,
        grace=timedelta(seconds=settings.TEIJI_GRACE_SECONDS),
    )


def settle_slot(delivery: Delivery, slot: Slot) -> None:
    """Write the slot into a delivery that is not stored yet."""
    if slot.skipped:
        delivery.state, delivery.reason = DeliveryState.SKIPPED, REASONS[slot.skipped]
        delivery.completed_at = delivery.run.planned_at
    elif slot.at != delivery.next_try_at:
        delivery.slot_at = delivery.next_try_at = slot.at
        delivery.reason = REASONS[slot.held[-1]]


def bounds_of(rooms: Iterable[Room]) -> dict[int, Bounds]:
    """What each of these rooms bears."""
    return _bounds([_row(room) for room in rooms])


def taken_of(room_ids: Collection[int], since: datetime, until: datetime) -> dict[int, Taken]:
    """What these rooms have between two appointed times: what is to go, under way, or sent."""
    # The condition is that of the index one_message_per_room_and_time, which serves this.
    rows = Delivery.objects.filter(
        ~Q(state__in=NOT_SENT), room_id__in=room_ids, due_at__gte=since, due_at__lte=until
    ).order_by()
    facts = rows.exclude(state=DeliveryState.FAILED).values_list(
        "room_id", "due_at", "slot_at", "parts", "run__interval_seconds"
    )
    found: dict[int, Taken] = defaultdict(Taken)
    for room_id, due_at, slot_at, parts, seconds in sorted(facts, key=lambda row: row[2] or row[1]):
        at = slot_at or due_at
        found[room_id].spans.append((at, at + timedelta(seconds=seconds * max(parts - 1, 0))))
    return found


def _days_around(moments: Iterable[datetime]) -> tuple[datetime, datetime]:
    """The appointed times of all that may leave on the days of these."""
    ordered = sorted(moments)
    return ordered[0] - DAY - FAR, ordered[-1] + DAY + FAR


def _bounds_held(room_ids: Collection[int]) -> dict[int, Bounds]:
    held = Room.objects.filter(id__among=sorted(room_ids)).order_by("id")
    locked = held.select_for_update(no_key=True).values_list(*RoomRow._fields)
    return _bounds([RoomRow(*row) for row in locked])


def _bounds(rooms: Sequence[RoomRow]) -> dict[int, Bounds]:
    units = {unit.pk: unit for unit in Unit.objects.filter(pk__in={room.unit_id for room in rooms})}
    above = _units_above(units.values())
    quiet = {pk: _quiet_of(unit, above) for pk, unit in units.items()}
    return {room.id: _bounds_of_one(room, units[room.unit_id], quiet) for room in rooms}


def _bounds_of_one(room: RoomRow, unit: Unit, quiet: Mapping[int, Quiet | None]) -> Bounds:
    interval, cap = room.min_interval_seconds, room.daily_cap
    own = _quiet(room, unit.zone)
    return Bounds(
        unit.zone,
        interval=interval_in_force(interval),
        cap=USUAL_DAILY_CAP if cap is None else cap,
        quiet=own or quiet[unit.pk],
    )


def _units_above(units: Iterable[Unit]) -> dict[str, Unit]:
    """Those with quiet hours of their own among these and all above, by path."""
    paths = {path for unit in units for path in lineage(unit.path)}
    return {
        unit.path: unit for unit in Unit.objects.filter(path__in=paths, quiet_from__isnull=False)
    }


def _quiet_of(unit: Unit, above: Mapping[str, Unit]) -> Quiet | None:
    """Those of the nearest unit that has some, on the clocks of this one."""
    nearest = max((path for path in lineage(unit.path) if path in above), key=len, default=None)
    return _quiet(above[nearest], unit.zone) if nearest else None


def _quiet(owner: Any, zone: str) -> Quiet | None:
    if owner.quiet_from is None or owner.quiet_until is None:
        return None
    return Quiet(owner.quiet_from, owner.quiet_until, zone)


def _row(room: Room) -> RoomRow:
    return RoomRow(*(getattr(room, name) for name in RoomRow._fields))
