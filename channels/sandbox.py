"""The sandbox's side of the wire: a vendor that lives in our own database."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import connection, transaction

from channels.models import SandboxMessage
from orgs.clock import database_now, month_around

P = ParamSpec("P")
T = TypeVar("T")


class Spent(Exception):  # noqa: N818 - it is an answer, not a fault
    """The account has a quota, and it is used up."""


def visiting(work: Callable[P, T]) -> Callable[P, T]:
    """Leaves no connection behind in the passing thread that the work is done in."""

    @wraps(work)
    def visit(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        finally:
            connection.close()

    return visit


@visiting
@transaction.atomic
def accept(
    account_id: int,
    addresses: Sequence[str],
    key: UUID,
    messages: list[dict[str, Any]],
    *,
    keyed: bool,
    most: int | None = None,
    zone: str = "UTC",
) -> bool:
    """Show the messages at each of these, or at none. False: this key was accepted before,
    nothing was added. Raises Spent where that would be more than `most` in this month."""
    now = database_now()
    is_spent = most is not None and _used(account_id, now, zone) + len(addresses) > most
    if is_spent and not (keyed and _has(account_id, key)):
        raise Spent
    rows = [
        SandboxMessage(
            account_id=account_id,
            address=address,
            key=key,
            position=position,
            body=body,
            is_keyed=keyed,
            arrived_at=now,
        )
        for address in addresses
        for position, body in enumerate(messages)
    ]
    if not keyed:
        SandboxMessage.objects.bulk_create(rows)
        return True
    SandboxMessage.objects.bulk_create(rows, ignore_conflicts=True)
    # A row of an earlier try has an earlier time.
    return SandboxMessage.objects.filter(account_id=account_id, key=key, arrived_at=now).exists()


@visiting
def has(account_id: int, key: UUID) -> bool:
    """Whether a part with this key was shown."""
    return _has(account_id, key)


@visiting
def used(account_id: int, zone: str) -> int:
    """How many messages of this month were accepted, as they are billed: each request once for
    everybody whom it reached."""
    return _used(account_id, database_now(), zone)


def _has(account_id: int, key: UUID) -> bool:
    return SandboxMessage.objects.filter(account_id=account_id, key=key).exists()


def _used(account_id: int, now: datetime, zone: str) -> int:
    first = SandboxMessage.objects.filter(account_id=account_id, position=0)
    return first.filter(arrived_at__gte=month_around(now, zone).start).count()
