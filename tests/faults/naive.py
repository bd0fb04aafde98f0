"""Senders that are worse than ours, each by one thing that others leave out.

Loaded in the processes of these tests only. A checker that finds nothing wrong with them would
prove nothing about ours.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings

from orgs.clock import database_now
from schedules.dispatch import claim, mark, sweep, verdict
from schedules.models import Delivery
from tests.faults.failpoints import replace_everywhere

ORIGINAL_MARK = mark.mark_wire
READ_TO_WRITE = 0.4  # seconds, longer than two workers' polls lie apart in these tests


def install(name: str) -> None:
    """Make the sender of this process naive in this way."""
    NAIVE[name]()


def new_key_each_time() -> None:
    """A repeated try looks like a new message to the channel."""
    claim.part_key = lambda _key, _part: uuid4()


def resend_in_doubt() -> None:
    """A lost answer is taken for a failure, and a lost worker for one that had sent nothing."""
    verdict._may_repeat = lambda _outcome: True
    sweep._repeatable = lambda rows, _now: {row.pk for row in rows}


def no_lease() -> None:
    """What a dead worker held is held for ever."""
    replace_everywhere(sweep.take_back, lambda _now: 0)


def sent_before_sending() -> None:
    """The row says "sent" so that no other worker sends it; then it is sent."""

    def mark(claimed: Any, now: datetime) -> Any:
        result = ORIGINAL_MARK(claimed, now)
        done = {"state": "sent", "claim": None, "wire_at": None, "lease_until": None,
                "part": 1, "completed_at": now}  # fmt: skip
        Delivery.objects.filter(id__in=result[0]).update(**done)
        return result

    replace_everywhere(ORIGINAL_MARK, mark)


def blind_mark() -> None:
    """The hand-over does not ask whether the delivery is still this worker's."""

    def mark(claimed: Any, now: datetime) -> Any:
        for_ever = now + timedelta(days=1)  # or a worker that stood still here would drop them
        return {delivery.id for delivery in claimed}, {}, for_ever

    replace_everywhere(ORIGINAL_MARK, mark)


def blind_claim() -> None:
    """Read what is due, then write that it is ours: without a lock or a compare-and-set."""
    load = claim._load

    def take(now: datetime, *, worker: str, limit: int, **_: Any) -> Any:
        until = now + timedelta(seconds=settings.TEIJI_LEAD_SECONDS)
        ids = list(Delivery.objects.due(until).values_list("id", flat=True)[:limit])
        if not ids:
            return []
        time.sleep(READ_TO_WRITE)
        lease = until + timedelta(seconds=settings.TEIJI_LEASE_SECONDS)
        mine = {"state": "sending", "claim": uuid4(), "worker": worker, "lease_until": lease}
        Delivery.objects.filter(id__in=ids).update(claimed_at=now, **mine)
        return load(ids, mine["claim"])

    replace_everywhere(claim.claim, take)


def own_clock() -> None:
    """It is as late as this machine says."""
    replace_everywhere(database_now, lambda: datetime.now(UTC))


NAIVE: dict[str, Callable[[], None]] = {
    step.__name__: step
    for step in (
        new_key_each_time, resend_in_doubt, no_lease, sent_before_sending, blind_mark, blind_claim,
        own_clock,
    )
}  # fmt: skip
