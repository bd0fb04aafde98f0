"""Rooms: each message gets its slot when it is planned, so that no two plans fill a room twice.

What a room has already is asked from its deliveries while the rooms are held. What is retried
keeps its slot's place in the count, and may leave later than the slot.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings

from schedules.bookings.bounds import bounds_held, bounds_of_audience
from schedules.bookings.slots import Bounds, Limit, Slot, Taken, Wish, find_slot
from schedules.bookings.taken import taken_around
from schedules.models import Delivery, Schedule
from schedules.models.repetition import OnQuiet
from schedules.states import DeliveryState

REASONS = {
    Limit.QUIET: Delivery.Reason.QUIET,
    Limit.INTERVAL: Delivery.Reason.BUSY,
    Limit.CAP: Delivery.Reason.CAP,
    Limit.FOLLOWED: Delivery.Reason.FOLLOWED,
}


class Wanted(NamedTuple):
    """The deliveries of a run, and the next time of its schedule, if there is one."""

    deliveries: Sequence[Delivery]
    followed_at: datetime | None


class Booking(NamedTuple):
    """A delivery to a room, and what it wishes for."""

    room_id: int
    delivery: Delivery
    wish: Wish


def book_rooms(batch: Iterable[Wanted], now: datetime) -> None:
    """Give each planned delivery to a room its slot, or the reason why it has none. Holds the
    rooms until the transaction ends."""
    wishes: dict[Wish, Wish] = {}  # runs that wish for the same share one
    bookings = [booking for wanted in batch for booking in _bookings(wanted, wishes)]
    bounds = bounds_held({booking.room_id for booking in bookings})
    bound = {room_id: one for room_id, one in bounds.items() if one.bind}
    bookings = [booking for booking in bookings if booking.room_id in bound]
    if bookings:
        _book(bookings, bound, now)


def book_audience(
    schedule: Schedule, wanted_at: datetime, parts: int, followed_at: datetime | None, now: datetime
) -> Slot:
    """When a message to an audience may leave."""
    bounds = bounds_of_audience(schedule.unit)
    return _in_empty_room(wish_of(schedule, wanted_at, parts, followed_at), bounds, now)


def wish_of(schedule: Schedule, at: datetime, parts: int, followed_at: datetime | None) -> Wish:
    """A message of this schedule that wants to leave at this time."""
    return Wish(
        at,
        length=timedelta(seconds=schedule.interval_seconds * max(parts - 1, 0)),
        moves=schedule.on_quiet == OnQuiet.MOVE,
        until=schedule.valid_until,
        grace=timedelta(seconds=settings.TEIJI_GRACE_SECONDS),
        followed_at=followed_at,
    )


def leaves_at(
    schedule: Schedule, due_at: datetime, followed_at: datetime | None, bounds: Bounds
) -> datetime | None:
    """When a message appointed for then leaves what bears this and has nothing else; None: quiet
    hours leave it out."""
    if not bounds.quiet:
        return due_at
    slot = find_slot(wish_of(schedule, due_at, 1, followed_at), bounds, _nothing(bounds))
    return None if slot.skipped else slot.at


def _bookings(wanted: Wanted, wishes: dict[Wish, Wish]) -> Iterator[Booking]:
    """Of each planned delivery to a room; those of one run mostly wish for the same."""
    found: dict[tuple[datetime, int], Wish] = {}
    for delivery in wanted.deliveries:
        if delivery.room_id and delivery.state == DeliveryState.PLANNED:
            key = delivery.next_try_at, delivery.parts
            if key not in found:
                wish = wish_of(delivery.run.schedule, *key, wanted.followed_at)
                found[key] = wishes.setdefault(wish, wish)
            yield Booking(delivery.room_id, delivery, found[key])


def _book(bookings: Sequence[Booking], bounds: Mapping[int, Bounds], now: datetime) -> None:
    often = Counter(booking.room_id for booking in bookings)
    wishes = {id(booking.wish): booking.wish for booking in bookings}
    taken = taken_around(bounds, wishes.values(), now, more=max(often.values()))
    free: dict[tuple[int, int], Slot] = {}  # by wish and bounds: the same in all free rooms
    crowded: list[Booking] = []
    for booking in bookings:
        room_id, delivery, wish = booking
        if room_id in taken or often[room_id] > 1:
            crowded.append(booking)
            continue
        key = id(wish), id(bounds[room_id])
        if key not in free:
            free[key] = _in_empty_room(wish, bounds[room_id], now)
        _settle_slot(delivery, free[key])
    for room_id, delivery, wish in sorted(crowded, key=_order):
        room = taken.setdefault(room_id, Taken(ZoneInfo(bounds[room_id].zone)))
        slot = find_slot(wish, bounds[room_id], room, now)
        _settle_slot(delivery, slot)
        if not slot.skipped:
            room.take(slot, wish.length)


def _in_empty_room(wish: Wish, bounds: Bounds, now: datetime) -> Slot:
    return find_slot(wish, bounds, _nothing(bounds), now)


def _nothing(bounds: Bounds) -> Taken:
    return Taken(ZoneInfo(bounds.zone))


def _order(booking: Booking) -> tuple[datetime, int]:
    """Of what is due at once, the more important goes first."""
    return booking.wish.at, -booking.delivery.priority


def _settle_slot(delivery: Delivery, slot: Slot) -> None:
    """Write the slot into a delivery that is not stored yet."""
    if slot.skipped:
        delivery.state, delivery.reason = DeliveryState.SKIPPED, REASONS[slot.skipped]
        delivery.completed_at = delivery.run.planned_at
    elif slot.held:
        delivery.slot_at = None if slot.at == delivery.next_try_at else slot.at
        delivery.next_try_at = slot.tried_at or slot.at
        delivery.reason = REASONS[slot.held[-1]]
