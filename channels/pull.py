"""The queue that a phone empties: a vendor that lives in our own database.

What holds, by compare-and-set under the account's lock: a message is given to one fetch, and
after its time to none; one is out at a time; the phone's first word about it counts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from channels.adapters import registry
from channels.models import Account, PulledMessage
from channels.sandbox import visiting
from orgs.clock import database_now

ANSWER_WITHIN = timedelta(seconds=30)  # after that nobody knows what the phone did with it
KEPT = timedelta(days=90)


class Fate(StrEnum):
    """What became of a part."""

    NONE = "none"  # it never was in the queue
    COMING = "coming"  # it waits, or the phone has it
    SHOWN = "shown"
    REFUSED = "refused"  # the phone could not type it
    WITHDRAWN = "withdrawn"  # nobody fetched it, and nobody will
    LOST = "lost"  # fetched, and never answered


@dataclass(frozen=True)
class Told:
    """A part's fate, the row that tells it, and when it will have another at the latest."""

    fate: Fate
    uid: UUID | None = None
    why: str = ""
    until: datetime | None = None


@visiting
@transaction.atomic
def put(account_id: int, address: str, key: UUID, text: str, *, fetch_by: datetime) -> Told | None:
    """Put a part into the queue, unless it is there already. None: its time has passed, as for
    a worker that stood still on the way here."""
    hold(Account.objects.filter(pk=account_id))
    now = database_now()
    found = _told(account_id, key, now)
    if found.fate in (Fate.SHOWN, Fate.COMING):
        return found
    if fetch_by <= now:
        return None
    row = PulledMessage.objects.create(
        account_id=account_id, address=address, key=key, text=text,
        queued_at=now, fetch_by=fetch_by,
    )  # fmt: skip
    return Told(Fate.COMING, row.uid, until=fetch_by)


@visiting
def fate(account_id: int, key: UUID) -> Told:
    """What became of this part. One whose time has passed is withdrawn by the question, so
    that an answer of “nobody fetched it” stays true."""
    return _told(account_id, key, database_now())


def next_for(
    account: Account, fetch: str, *, pause: timedelta, allowed: Callable[[], Q] | None = None
) -> PulledMessage | None:
    """The next message for this phone, or the same once more where its first answer was lost:
    a fetch is known by its name. `allowed` gives a condition for the row, and is asked while the
    queue is held. What it holds back is stepped over: it must hold all of a room, or none."""
    queue = PulledMessage.objects.filter(account=account)
    if not (queue.waiting().exists() or queue.out().filter(fetch=fetch).exists()):
        return None  # most questions end here, without a lock
    with transaction.atomic():
        hold(Account.objects.filter(pk=account.pk))
        now = database_now()
        out = queue.out().filter(answer_by__gt=now).first()
        if out:
            is_same = out.fetch == fetch and now < out.fetch_by
            return out if is_same else None
        last = queue.aggregate(at=Max("answered_at"))["at"]
        if last and now < last + pause:
            return None
        waiting = queue.waiting().filter(fetch_by__gt=now)
        if allowed is not None:
            waiting = waiting.filter(allowed())
        row = waiting.order_by("id").first()
        if row is None:
            return None
        facts = {"fetch": fetch, "fetched_at": now, "answer_by": now + ANSWER_WITHIN}
        given = waiting.filter(pk=row.pk).update(**facts)
        return queue.get(pk=row.pk) if given else None


@transaction.atomic
def answer(account: Account, uid: UUID, *, is_shown: bool, why: str = "") -> PulledMessage | None:
    """Note what the phone says of a message; its first word counts, also a late one. None: it
    was given no such message."""
    hold(Account.objects.filter(pk=account.pk))
    now = database_now()
    mine = PulledMessage.objects.filter(account=account)
    given = mine.filter(uid=uid, fetched_at__isnull=False)
    given.filter(answered_at=None).update(answered_at=now, is_shown=is_shown, why=why[:200])
    row = given.first()
    if row and row.is_shown:
        # A person may have had it sent again meanwhile.
        mine.waiting().filter(key=row.key).update(withdrawn_at=now)
    return row


def withdraw(keys: list[UUID], now: datetime) -> int:
    """Take back what nobody has fetched of these parts."""
    return PulledMessage.objects.waiting().filter(key__in=keys).update(withdrawn_at=now)


def forget_old(now: datetime) -> int:
    """Remove what is older than anybody asks for."""
    return PulledMessage.objects.filter(queued_at__lt=now - KEPT).delete()[0]


def hold(accounts: QuerySet[Account]) -> None:
    """Until the transaction ends, nobody else moves the queues of these accounts: whoever stops
    what is in them knows that a phone got it before, or does not get it any more."""
    # Without the key: rows that refer to the account are written meanwhile.
    list(accounts.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def with_phones() -> QuerySet[Account]:
    """The accounts whose messages phones fetch."""
    kinds = [kind for kind, adapter in registry().items() if adapter.pulls]
    return Account.objects.filter(kind__in=kinds)


def _told(account_id: int, key: UUID, now: datetime) -> Told:
    rows = PulledMessage.objects.filter(account_id=account_id, key=key)
    rows.waiting().filter(fetch_by__lte=now).update(withdrawn_at=now)
    found = list(rows.order_by("id"))
    if not found:
        return Told(Fate.NONE)
    shown = next((row for row in found if row.is_shown), None)
    # A part that was put in again has several: the last one tells what is to come.
    row = shown or found[-1]
    return Told(_fate_of(row, now), row.uid, row.why, row.answer_by or row.fetch_by)


def _fate_of(row: PulledMessage, now: datetime) -> Fate:
    if row.answered_at:
        return Fate.SHOWN if row.is_shown else Fate.REFUSED
    if row.may_still_be_shown(now):
        return Fate.COMING
    return Fate.LOST if row.fetched_at else Fate.WITHDRAWN
