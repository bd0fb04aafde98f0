"""The deliveries of a run: one to each room, or one to each batch of an audience."""

from collections.abc import Iterator, Sequence
from typing import Any

from channels.models import Account, Audience, Room
from schedules.models import Delivery, Run, Schedule
from schedules.models.delivery import delivery_key

NAME_LENGTH = 90  # leaves room for the batch's number


def room_deliveries(schedule: Schedule, run: Run, rooms: Sequence[Room]) -> list[Delivery]:
    """One delivery to each of these rooms, not yet written."""
    return [
        _delivery(schedule, run, room.account, room.address, room_id=room.pk, room_name=room.name)
        for room in rooms
    ]


def batch_deliveries(schedule: Schedule, run: Run, audience: Audience) -> Iterator[Delivery]:
    """Deliveries to the audience as it is now, in batches as large as one request may be."""
    account = audience.account
    size = account.adapter_class.limits.members_per_request
    for number, members in enumerate(audience.batches(size)):
        yield _delivery(
            schedule,
            run,
            account,
            f"{audience.uid}#{number}",
            audience_id=audience.pk,
            batch=number,
            members=members,
            room_name=f"{audience.name[:NAME_LENGTH]} · {number + 1}",
        )


def _delivery(
    schedule: Schedule, run: Run, account: Account, address: str, **target: Any
) -> Delivery:
    return Delivery(
        run=run,
        account_id=account.pk,
        channel=account.kind,
        unit_path=run.unit_path,
        content_hash=run.content_hash,
        key=delivery_key(schedule.uid, run.due_at, account.kind, address),
        priority=run.priority,
        due_at=run.due_at,
        # By hand that is now, though it has no appointed time.
        next_try_at=max(run.due_at, run.planned_at)
        if run.trigger == Run.Trigger.HAND
        else run.due_at,
        parts=len(run.payloads[str(account.pk)]),
        **target,
    )
