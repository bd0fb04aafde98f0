"""The deliveries of a run: one to each room, or one to each batch of an audience."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import Any

from channels.adapters.base import Payload
from channels.models import Account, Audience, Room
from schedules.content import Content, Unfillable
from schedules.models import Delivery, Run, Schedule
from schedules.models.delivery import delivery_key
from schedules.states import DeliveryState

NAME_LENGTH = 90  # leaves room for the batch's number


def room_deliveries(schedule: Schedule, run: Run, rooms: Sequence[Room]) -> list[Delivery]:
    """One delivery to each of these rooms, not yet written."""
    accounts = {room.account_id: room.account for room in rooms}
    blanks = {pk: _blank(run, account) for pk, account in accounts.items()}
    return [
        _fill(blanks[room.account_id], schedule, room.address, **_place(room)) for room in rooms
    ]


def filled_delivery(
    schedule: Schedule,
    run: Run,
    room: Room,
    values: Mapping[str, str] | None,
    fill: Callable[[Room, Mapping[str, str]], tuple[Content, list[Payload]]],
) -> Delivery:
    """As one of room_deliveries, with payloads of its own, as `fill` makes them. Where it cannot,
    or where there are no values since the room left the unit, it is skipped, with the reason:
    nobody is sent a text with holes."""
    delivery = _fill(_blank(run, room.account), schedule, room.address, **_place(room))
    if values is None:
        return _left_out(delivery, Delivery.Reason.REACH)
    try:
        content, delivery.own_payloads = fill(room, values)
    except Unfillable as error:
        return _left_out(delivery, Delivery.Reason.UNFILLED, str(error))
    delivery.parts, delivery.content_hash = len(delivery.own_payloads), content.digest
    return delivery


def wanted_at(run: Run) -> datetime:
    """When its messages would leave if nothing held them: by hand that is now."""
    is_appointed = run.trigger == Run.Trigger.TIMING
    return run.due_at if is_appointed else max(run.due_at, run.planned_at)


def batch_deliveries(
    schedule: Schedule, run: Run, audience: Audience, slot_at: datetime | None = None
) -> Iterator[Delivery]:
    """Deliveries to the audience as it is now, in batches as large as one request may be. They
    leave at `slot_at`, where quiet hours hold them."""
    account = audience.account
    size = account.adapter_class.limits.members_per_request
    # Of an audience of “at most N”, each run draws its own, and the same ones at every try.
    draw = f"{schedule.uid}|{run.appointed_at.isoformat()}"
    blank = _blank(run, account)
    if slot_at:
        blank.slot_at = blank.next_try_at = slot_at
    for number, people in enumerate(audience.groups(size, draw=draw)):
        ids = [person.id for person in people]
        yield _fill(
            blank,
            schedule,
            f"{audience.uid}#{number}",
            audience_id=audience.pk,
            batch=number,
            members=[person.address for person in people],
            members_from=min(ids),
            members_to=max(ids),
            billed=len(people) if account.meters else 0,
            room_name=f"{audience.name[:NAME_LENGTH]} · {number + 1}",
        )


def _place(room: Room) -> dict[str, Any]:
    billed = room.people if room.account.meters else 0
    is_test = room.kind == Room.Kind.TEST
    return {"room_id": room.pk, "room_name": room.name, "billed": billed, "is_test": is_test}


def _left_out(delivery: Delivery, reason: str, error: str = "") -> Delivery:
    delivery.state, delivery.reason, delivery.error = DeliveryState.SKIPPED, reason, error
    delivery.completed_at = delivery.run.planned_at
    return delivery


def _blank(run: Run, account: Account) -> Delivery:
    """What all deliveries of the run through this account share."""
    return Delivery(
        run=run,
        account_id=account.pk,
        channel=account.kind,
        unit_path=run.unit_path,
        content_hash=run.content_hash,
        priority=run.priority,
        due_at=run.due_at,
        next_try_at=wanted_at(run),
        parts=len(run.payloads.get(str(account.pk), ())),
    )


def _fill(blank: Delivery, schedule: Schedule, address: str, **own: Any) -> Delivery:
    """One of those, with what is its own. To copy takes a tenth of the time of making it anew."""
    delivery = copy(blank)
    delivery.key = delivery_key(schedule.uid, delivery.run.appointed_at, delivery.channel, address)
    for name, value in own.items():
        setattr(delivery, name, value)
    return delivery
