"""The deliveries to an audience: one for each batch, written while the audience is read."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from channels.models import Audience
from schedules.models import Delivery, Run, Schedule
from schedules.models.delivery import delivery_key

NAME_LENGTH = 90  # leaves room for the batch's number


def batch_deliveries(
    schedule: Schedule, run: Run, audience: Audience, *, due_from: datetime
) -> Iterator[Delivery]:
    """Deliveries to the audience as it is now, in batches as large as one request may be.
    `run` is written already; `due_from`: not tried before then."""
    account = audience.account
    size = account.adapter_class.limits.members_per_request
    parts = len(run.payloads[str(account.pk)])
    for number, members in enumerate(audience.batches(size)):
        yield Delivery(
            run=run,
            audience_id=audience.pk,
            batch=number,
            members=members,
            account_id=account.pk,
            room_name=f"{audience.name[:NAME_LENGTH]} · {number + 1}",
            channel=account.kind,
            unit_path=run.unit_path,
            content_hash=run.content_hash,
            key=delivery_key(schedule.uid, run.due_at, account.kind, f"{audience.uid}#{number}"),
            priority=run.priority,
            due_at=run.due_at,
            deadline_at=run.due_at + timedelta(seconds=settings.TEIJI_GRACE_SECONDS),
            next_try_at=due_from,
            parts=parts,
        )
