"""Sweep: gives every state that a machine holds an exit when the machine is gone."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import F

from channels import alerts
from channels.alerts import AlertKind
from channels.models import Account
from logs import history
from schedules.dispatch.verdict import KEY_LIFE
from schedules.models import Delivery, Heartbeat, Schedule
from schedules.runs import warn
from schedules.states import OPEN_RUN, DeliveryState, ScheduleState, move
from schedules.totals import add_up, add_up_owed

logger = logging.getLogger(__name__)

MOST_CRASHES = 3
ROWS_A_TURN = 1000


def sweep(now: datetime) -> int:
    """Take back what dead workers hold, bring totals up to date, complete what has nothing to
    come. Returns how many rows it moved."""
    taken = take_back(now)
    add_up_owed(now)
    return taken + complete(now)


def take_back(now: datetime) -> int:
    """Leases that ran out: what never was on the wire, or may be repeated, is planned again;
    the rest may or may not have arrived, and waits for a person. What a worker that is silent
    has not handed over is not even kept until then: it could be late."""
    silent = Heartbeat.silent(Heartbeat.Kind.LOOP, now)
    if not Delivery.objects.abandoned(now, silent).exists():
        return 0
    with transaction.atomic():
        abandoned = Delivery.objects.abandoned(now, silent).select_related("account")
        rows = list(abandoned.select_for_update(skip_locked=True, of=("self",))[:ROWS_A_TURN])
        repeatable = _repeatable(rows, now)
        confirming = accounts_able(rows, "confirms")
        for delivery in rows:
            ask_at = now if delivery.account_id in confirming else None
            _take_back(delivery, delivery.pk in repeatable, now, ask_at)
        add_up({delivery.run_id for delivery in rows}, now)
        doubtful = Delivery.objects.to_decide().filter(pk__in=[row.pk for row in rows])
        alerts.raise_all(warn.of_rows(list(doubtful), AlertKind.UNCONFIRMED, now), now)
    if rows:
        logger.warning("took back %d deliveries from workers that are gone", len(rows))
    return len(rows)


def complete(now: datetime) -> int:
    """Active schedules without a next occurrence or an open run have done their work."""
    idle = Schedule.objects.filter(state=ScheduleState.ACTIVE, next_due_at=None)
    done = idle.exclude(runs__state__in=OPEN_RUN)
    if not done.exists():
        return 0
    with transaction.atomic():
        locked = done.select_related("unit").select_for_update(skip_locked=True, of=("self",))
        schedules = list(locked[:ROWS_A_TURN])
        # Who has read it before looks at it anew: to change what has gone sends it once more.
        rows = Schedule.objects.filter(pk__in=[s.pk for s in schedules])
        move(rows, ScheduleState.COMPLETED, revision=F("revision") + 1)
        history.record_machine("completed", [(s, s.unit.path) for s in schedules], now=now)
    return len(schedules)


def _repeatable(rows: Iterable[Delivery], now: datetime) -> set[int]:
    """Those that may go again though they may have arrived: their key still holds, or their
    account prefers twice to never."""
    keyed = accounts_able(rows, "takes_key")
    return {
        row.pk
        for row in rows
        if row.account.on_unknown == Account.OnUnknown.RESEND
        or (row.account_id in keyed and now - (row.started_at or row.wire_at or now) < KEY_LIFE)
    }


def accounts_able(rows: Iterable[Delivery], ability: str) -> set[int]:
    """Of the accounts of these, those whose channel can do this."""
    accounts: dict[int, Account] = {row.account_id: row.account for row in rows}
    return {pk for pk, account in accounts.items() if _can(account, ability)}


def _can(account: Account, ability: str) -> bool:
    try:
        return bool(getattr(account.open(), ability))
    except (KeyError, ImproperlyConfigured):
        return False  # an account that cannot be used must not hold up the others


def _take_back(
    delivery: Delivery, may_repeat: bool, now: datetime, ask_at: datetime | None
) -> None:
    """`ask_at`: when its channel is asked, where it can be."""
    row = Delivery.objects.filter(pk=delivery.pk, claim=delivery.claim)
    gone: dict[str, Any] = {"claim": None, "lease_until": None, "wire_at": None}
    if delivery.wire_at is None:
        # Waiting for its turn at a slow worker is no crash.
        move(row, DeliveryState.PLANNED, **gone)
        return
    gone |= {"crashes": delivery.crashes + 1, "in_doubt": True}
    # The mark is made ahead of the second, and nothing leaves before that.
    gone |= {"started_at": delivery.started_at or max(delivery.wire_at, delivery.next_try_at)}
    if may_repeat and delivery.crashes + 1 < MOST_CRASHES:
        move(row, DeliveryState.PLANNED, **gone)
        return
    gone |= {"lost_claim": delivery.claim, "completed_at": now, "confirm_at": ask_at}
    error = "The worker was lost while it was sending."
    move(row, DeliveryState.UNCONFIRMED, **gone, error=error)
