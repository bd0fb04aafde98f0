"""Claim: take hold of due deliveries; and the mark that says "from here on it may be sent"."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Model

from channels.adapters.base import Target
from channels.models import Account, Audience, Room
from orgs.models import Unit
from orgs.reach import covers, lineage
from schedules.dispatch import fence
from schedules.dispatch.shares import next_due
from schedules.models import Delivery, Run, Schedule
from schedules.states import DeliveryState, RunState, ScheduleState, move


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
    key: UUID
    payload: dict[str, Any]
    part: int
    parts: int
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

    @property
    def target(self) -> Target:
        """Where it goes. The members of a batch are loaded when it leaves (`load_members`)."""
        return Target(self.address, self.room_name)

    @property
    def is_batch(self) -> bool:
        return self.audience_id is not None

    def is_missed(self, now: datetime) -> bool:
        """Whether its time, or that of its retry, has passed by more than the grace."""
        grace = timedelta(seconds=settings.TEIJI_GRACE_SECONDS)
        return self.next_try_at + grace < now


def claim(now: datetime, *, worker: str, limit: int, full: Sequence[int] = ()) -> list[Claimed]:
    """Take up to `limit` deliveries that are due within the lead, none of the `full` accounts.
    They are this worker's until the lease runs out or their outcome is settled."""
    until = now + timedelta(seconds=settings.TEIJI_LEAD_SECONDS)
    if not Delivery.objects.due(until).filter(fence.is_down()).exists():
        return []
    token = uuid4()
    with transaction.atomic():
        ids = next_due(until, limit, full=full)
        lease = until + timedelta(seconds=settings.TEIJI_LEASE_SECONDS)
        move(
            Delivery.objects.filter(id__in=ids),
            DeliveryState.SENDING,
            claim=token,
            claimed_at=now,
            worker=worker,
            lease_until=lease,
        )
    return _load(ids, token)


def mark_wire(
    claimed: Sequence[Claimed], now: datetime
) -> tuple[set[int], dict[int, str], datetime]:
    """Note that these are handed over from now on. Reach is asked here, at the last moment.

    Returns the ids that may go, for each that may not the reason, and the end of the lease. An
    id in neither is no longer this worker's: it must be dropped.
    """
    by_token: dict[UUID, list[int]] = defaultdict(list)
    for delivery in claimed:
        by_token[delivery.token].append(delivery.id)
    barred = _barred(claimed)
    barred |= {d.id: Delivery.Reason.MISSED for d in claimed if d.is_missed(now)}
    # Runs before deliveries: of a run that is still planned nothing has left.
    runs = {delivery.run_id for delivery in claimed if delivery.id not in barred}
    starting = Run.objects.filter(id__in=runs, state=RunState.PLANNED).filter(fence.is_down())
    if starting.exists():
        move(starting, RunState.SENDING, started_at=now)
    marked: set[int] = set()
    lease = now + timedelta(seconds=settings.TEIJI_WIRE_SECONDS)
    for token, ids in by_token.items():
        free = set(ids) - barred.keys()
        mine = Delivery.objects.filter(id__in=free, claim=token)
        open_ = mine.filter(lease_until__gt=now).filter(fence.is_down())
        count = open_.update(wire_at=now, lease_until=lease)
        # Asked which ones only when some were lost.
        all_mine = count == len(free)
        marked |= free if all_mine else set(mine.filter(wire_at=now).values_list("id", flat=True))
    return marked, barred, lease


def renew(claimed: Sequence[Claimed], now: datetime) -> int:
    """Keep what waits for its turn: the lease is for workers that are gone."""
    ids = [delivery.id for delivery in claimed]
    tokens = {delivery.token for delivery in claimed}
    mine = Delivery.objects.filter(id__in=ids, claim__in=tokens, wire_at=None)
    lease = now + timedelta(seconds=settings.TEIJI_LEASE_SECONDS)
    return mine.filter(lease_until__gt=now, lease_until__lt=lease).update(lease_until=lease)


def load_members(claimed: Iterable[Claimed]) -> dict[int, tuple[str, ...]]:
    """The addresses of each batch among these, by id. They are many: only for those that leave."""
    ids = [delivery.id for delivery in claimed if delivery.is_batch]
    if not ids:
        return {}
    rows = Delivery.objects.filter(id__in=ids).values_list("id", "members")
    return {id_: tuple(members or ()) for id_, members in rows}


def release(claimed: Sequence[Claimed]) -> int:
    """Give back what was claimed but never marked: another worker takes it at once."""
    ids = [delivery.id for delivery in claimed]
    tokens = {delivery.token for delivery in claimed}
    mine = Delivery.objects.filter(id__in=ids, claim__in=tokens, wire_at=None)
    return move(mine, DeliveryState.PLANNED, claim=None, lease_until=None)


def _load(ids: list[int], token: UUID) -> list[Claimed]:
    rows: list[Any] = list(
        Delivery.objects.filter(id__in=ids, claim=token)
        .order_by("next_try_at", "-priority", "id")
        .values("id", "run_id", "room_id", "audience_id", "room_name", "room__address",
                "unit_path", "account_id", "priority", "key", "part", "parts", "tries", "due_at",
                "next_try_at", "claimed_at",
                "started_at", "lateness_ms", "crashes", "in_doubt")
    )  # fmt: skip
    runs = Run.objects.in_bulk({row["run_id"] for row in rows})
    accounts = Account.objects.in_bulk({row["account_id"] for row in rows})
    loaded = []
    for row in rows:
        if row["run_id"] not in runs:
            continue  # withdrawn by a person between the two questions
        run = runs[row["run_id"]]
        address, account_id = row.pop("room__address") or "", row.pop("account_id")
        loaded.append(
            Claimed(
                **row,
                token=token,
                schedule_id=run.schedule_id,
                title=run.title,
                address=address,
                account=accounts[account_id],
                payload=run.payloads[str(account_id)][row["part"]],
                max_retries=run.max_retries,
                interval_seconds=run.interval_seconds,
            )
        )
    return loaded


def _barred(claimed: Sequence[Claimed]) -> dict[int, str]:
    """Of these deliveries, those that may not be sent now, with the reason. What a person has
    withdrawn meanwhile is not among them: there is nothing left to say of it."""
    ids = [delivery.id for delivery in claimed]
    present = set(Delivery.objects.filter(id__in=ids).values_list("id", flat=True))
    claimed = [delivery for delivery in claimed if delivery.id in present]
    active = set(
        Account.objects.filter(id__in={d.account.pk for d in claimed}, is_active=True).values_list(
            "id", flat=True
        )
    )
    stopped = set(Unit.objects.filter(is_active=False).values_list("path", flat=True))
    schedules = _facts(Schedule, {d.schedule_id for d in claimed}, "unit__path", "state")
    rooms = _facts(Room, {d.room_id for d in claimed}, "unit__path", "is_active")
    audiences = _facts(Audience, {d.audience_id for d in claimed}, "unit__path", "is_active")
    barred: dict[int, str] = {}
    for delivery in claimed:
        owner, state = schedules[delivery.schedule_id]
        place, is_open = rooms.get(delivery.room_id) or audiences[delivery.audience_id]
        if state == ScheduleState.CANCELLED:
            barred[delivery.id] = Delivery.Reason.CANCELLED
        elif not covers(owner, place):
            barred[delivery.id] = Delivery.Reason.REACH
        elif (
            not is_open or delivery.account.pk not in active or stopped.intersection(lineage(place))
        ):
            barred[delivery.id] = Delivery.Reason.INACTIVE
    return barred


def _facts(
    model: type[Model], ids: Collection[int | None], *names: str
) -> dict[int | None, tuple[Any, ...]]:
    known = [id_ for id_ in ids if id_ is not None]
    if not known:
        return {}
    rows = model._default_manager.filter(id__in=known).values_list("id", *names)
    return {id_: tuple(facts) for id_, *facts in rows}
