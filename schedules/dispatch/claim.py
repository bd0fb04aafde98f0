"""Claim: take hold of deliveries that will be due, keep them, give them back."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction

from channels import alerts
from channels.adapters.base import Target
from channels.alerts import AlertKind
from channels.models import Account
from channels.models.room import interval_in_force
from logs.said import retell
from schedules.dispatch import fence
from schedules.dispatch.frozen import frozen_now
from schedules.dispatch.shares import next_due
from schedules.models import Delivery, Run
from schedules.models.delivery import part_key
from schedules.states import DeliveryState, move, move_each
from schedules.totals import add_up

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claimed:
    """A delivery in this worker's hold, with all that its next part needs. Times are UTC."""

    id: int
    token: UUID
    run_id: int
    schedule_id: int
    title: str
    room_id: int | None
    audience_id: int | None
    room_name: str
    address: str
    unit_path: str
    account: Account
    priority: int
    part_key: UUID  # the idempotency key of its next part
    payload: dict[str, Any]
    part: int
    parts: int
    billed: int  # messages for each request
    tries: int
    max_retries: int
    interval_seconds: int
    due_at: datetime
    next_try_at: datetime
    claimed_at: datetime
    started_at: datetime | None
    lateness_ms: int | None
    crashes: int
    in_doubt: bool  # an earlier try of this part may have arrived
    request: str  # from which it came
    slot_at: datetime | None = None
    room_interval: timedelta = timedelta(0)  # between two messages of its room

    def target(self, members: tuple[str, ...] = ()) -> Target:
        """Where it goes. The members of a batch are loaded when it leaves (`load_members`)."""
        return Target(self.address, self.room_name, members)

    @property
    def leaves_at(self) -> datetime:
        """When it was to leave: its slot, where its limits gave it one."""
        return self.slot_at or self.due_at

    @property
    def is_batch(self) -> bool:
        return self.audience_id is not None

    def is_missed(self, now: datetime) -> bool:
        """Whether its time, or that of its retry, has passed by more than the grace."""
        return self.next_try_at + _grace() < now

    def may_wait_until(self, moment: datetime) -> bool:
        """Whether it may leave as late as that. What was tried already is sent if it can be."""
        return self.tries > 0 or self.in_doubt or moment <= self.leaves_at + _grace()


def claim(
    now: datetime,
    *,
    worker: str,
    limit: int,
    full: Sequence[int] = (),
    token: UUID | None = None,
) -> list[Claimed]:
    """Take up to `limit` deliveries that are due within the lead, none of the `full` accounts.
    They are this worker's until the lease runs out or their outcome is settled. With a `token`
    of its own the caller can ask for them again (`claimed_as`)."""
    until = now + timedelta(seconds=settings.TEIJI_LEAD_SECONDS)
    if not Delivery.objects.due(until).filter(fence.is_down()).exists():
        return []
    token = token or uuid4()
    with transaction.atomic():
        ids = next_due(until, limit, full=full, frozen=frozen_now(), missed=now - _grace())
        lease = until + timedelta(seconds=settings.TEIJI_LEASE_SECONDS)
        move(
            Delivery.objects.filter(id__among=ids),
            DeliveryState.SENDING,
            claim=token,
            claimed_at=now,
            worker=worker,
            lease_until=lease,
        )
    return _load(ids, token)


def claimed_as(token: UUID) -> list[Claimed]:
    """What the claim with this token has taken, where its answer was lost with the connection."""
    taken = Delivery.objects.filter(state=DeliveryState.SENDING, claim=token, wire_at=None)
    return _load(list(taken.values_list("id", flat=True)), token)


def renew(claimed: Sequence[Claimed], now: datetime) -> int:
    """Keep what waits for its turn: the lease is for workers that are gone."""
    ids = [delivery.id for delivery in claimed]
    tokens = {delivery.token for delivery in claimed}
    mine = Delivery.objects.filter(id__among=ids, claim__in=tokens, wire_at=None)
    lease = now + timedelta(seconds=settings.TEIJI_LEASE_SECONDS)
    return mine.filter(lease_until__gt=now, lease_until__lt=lease).update(lease_until=lease)


def load_members(claimed: Iterable[Claimed]) -> dict[int, tuple[str, ...]]:
    """The addresses of each batch among these, by id. They are many: only for those that leave."""
    ids = [delivery.id for delivery in claimed if delivery.is_batch]
    if not ids:
        return {}
    rows = Delivery.objects.filter(id__among=ids).values_list("id", "members")
    return {id_: tuple(members or ()) for id_, members in rows}


def release(claimed: Sequence[Claimed]) -> int:
    """Give back what was claimed but never marked: another worker takes it at once."""
    return _give_back(claimed, wire_at=None)


def release_marked(claimed: Sequence[Claimed]) -> int:
    """Give back what was marked, and of which this worker knows that it never left."""
    return _give_back(claimed)


def postpone(
    waiting: Sequence[tuple[Claimed, datetime]], reason: str = Delivery.Reason.BUSY
) -> int:
    """Give these back; each is tried again from its moment on, when its room is free."""
    rows = [(at, reason, claimed.id, claimed.token) for claimed, at in waiting]
    return move_each(Delivery, DeliveryState.PLANNED, ("next_try_at", "reason"), rows)


def _give_back(claimed: Sequence[Claimed], **condition: Any) -> int:
    ids = [delivery.id for delivery in claimed]
    tokens = {delivery.token for delivery in claimed}
    mine = Delivery.objects.filter(id__among=ids, claim__in=tokens, **condition)
    return move(mine, DeliveryState.PLANNED, claim=None, lease_until=None, wire_at=None)


def _grace() -> timedelta:
    return timedelta(seconds=settings.TEIJI_GRACE_SECONDS)


def _load(ids: list[int], token: UUID) -> list[Claimed]:
    rows: list[Any] = list(
        Delivery.objects.filter(id__among=ids, claim=token)
        .order_by("next_try_at", "-priority", "id")
        .values("id", "run_id", "room_id", "audience_id", "room_name", "room__address",
                "room__min_interval_seconds",
                "unit_path", "account_id", "priority", "key", "part", "parts", "billed", "tries",
                "due_at", "slot_at", "next_try_at", "claimed_at",
                "started_at", "lateness_ms", "crashes", "in_doubt", "own_payloads", "request")
    )  # fmt: skip
    runs = Run.objects.in_bulk({row["run_id"] for row in rows})
    accounts = Account.objects.in_bulk({row["account_id"] for row in rows})
    loaded = []
    for row in rows:
        if row["run_id"] not in runs:
            continue  # withdrawn by a person between the two questions
        run = runs[row["run_id"]]
        if not _has_content(run, row):
            _park(row, run)
            continue
        address, account_id = row.pop("room__address") or "", row.pop("account_id")
        key = part_key(row.pop("key"), row["part"])
        interval = row.pop("room__min_interval_seconds")
        payloads = row.pop("own_payloads") or run.payloads[str(account_id)]
        row["request"] = row["request"] or run.request
        loaded.append(
            Claimed(
                **row,
                token=token,
                part_key=key,
                schedule_id=run.schedule_id,
                title=run.title,
                address=address,
                account=accounts[account_id],
                payload=payloads[row["part"]],
                max_retries=run.max_retries,
                interval_seconds=run.interval_seconds,
                room_interval=interval_in_force(interval) if row["room_id"] else timedelta(0),
            )
        )
    return loaded


def _has_content(run: Run, row: dict[str, Any]) -> bool:
    payloads = row["own_payloads"] or run.payloads.get(str(row["account_id"]))
    return isinstance(payloads, list) and row["part"] < len(payloads)


def _park(row: dict[str, Any], run: Run) -> None:
    """One row that nobody can send must not end the loop, and with it all the others'."""
    logger.error(
        "delivery %s: run %s holds nothing to send for it", row["id"], run.pk,
        extra={"came_of": row["request"] or run.request},
    )  # fmt: skip
    gone = {"claim": None, "lease_until": None, "completed_at": row["claimed_at"]}
    error = "There is nothing to send: the content of its run is damaged."
    with transaction.atomic():
        move(Delivery.objects.filter(pk=row["id"]), DeliveryState.FAILED, **gone, error=error)
        alerts.raise_(
            AlertKind.FAILED,
            "damaged",
            row["unit_path"],
            key=f"{AlertKind.FAILED}:{row['id']}",
            name=run.title,
            text=lambda: f"{run.title} → {row['room_name']}: {retell(error)}",
            now=row["claimed_at"],
        )
        add_up([run.pk], row["claimed_at"])
