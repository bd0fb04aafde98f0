"""Retry: what failed is sent again because a person says so, from the part at which it failed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from logs import history
from orgs.clock import database_now
from orgs.reach import Act, within
from schedules.actions.refusal import OutOfReach, Refused
from schedules.actions.resolve import NeedsSure, warning_of_age
from schedules.bookings import quota
from schedules.models import Delivery, Run
from schedules.runs.freeze import LINKS_LIVE
from schedules.states import DeliveryState, RunState, ScheduleState, move
from schedules.totals import add_up


@dataclass
class Retried:
    """What became of many: each delivery is in one of the two."""

    planned: list[int] = field(default_factory=list)
    refused: dict[int, Refused] = field(default_factory=dict)


def retryable(by: Any) -> QuerySet[Delivery]:
    """The failed deliveries of which this person may say so. Those that an older system sent are
    only its log."""
    failed = Delivery.objects.filter(state=DeliveryState.FAILED)
    return within(by, failed.exclude(run__trigger=Run.Trigger.IMPORTED), Act.RUN)


@transaction.atomic
def retry(ids: Iterable[int], *, by: Any, sure: bool = True) -> Retried:
    """Plan these failed deliveries again, to leave at once. Each is decided for itself: one that
    is refused holds up no other. Without `sure`, what is long past is refused (NeedsSure)."""
    asked = sorted(set(ids))
    now = database_now()
    runs = _runs(asked, now)
    purse = _purse(asked, runs)
    rows = _locked(asked, by)
    retried = Retried()
    for pk in asked:
        row = rows.get(pk)
        refusal = _refusal(row, runs, now=now, sure=sure) or _take(purse, row, runs)
        if refusal:
            retried.refused[pk] = refusal
        elif row:
            _plan(row, by=by, now=now)
            retried.planned.append(pk)
    _reopen({rows[pk].run_id for pk in retried.planned}, now)
    return retried


def foresee_retry(ids: Iterable[int], *, by: Any) -> dict[int, Refused]:
    """Which of them would be refused, and of which one ought to be sure (NeedsSure). Holds and
    changes nothing."""
    asked = sorted(set(ids))
    now = database_now()
    runs = _runs(asked, now)
    purse = _purse(asked, runs, hold=False)
    rows = {row.pk: row for row in _reached(asked, by)}
    foreseen = {}
    for pk in asked:
        row = rows.get(pk)
        refusal = _refusal(row, runs, now=now, sure=True) or _take(purse, row, runs)
        if refusal := refusal or _refusal(row, runs, now=now, sure=False):
            foreseen[pk] = refusal
    return foreseen


def _runs(asked: Collection[int], now: datetime) -> dict[int, Run]:
    """By id, as if they were planned now."""
    rows = Run.objects.filter(deliveries__in=asked).defer("payloads").select_related("schedule")
    runs = {run.pk: run for run in rows.distinct()}
    for run in runs.values():
        run.planned_at = now
    return runs


def _purse(asked: Collection[int], runs: dict[int, Run], *, hold: bool = True) -> quota.Purse:
    """Quota readings and units are held before deliveries: nobody waits in a circle."""
    billing = Delivery.objects.filter(pk__in=asked, billed__gt=0)
    pairs = billing.order_by().values_list("run_id", "account_id").distinct()
    wanted = ((runs[run_id], {_charge(account_id, runs[run_id])}) for run_id, account_id in pairs)
    return quota.open_purse(wanted, hold=hold)


def _charge(account_id: int, run: Run) -> quota.Charge:
    return quota.Charge(account_id, run.planned_at)  # it leaves now


def _locked(asked: Collection[int], by: Any) -> dict[int, Delivery]:
    """Those of them that this person may decide about, held in the order of their ids."""
    return {row.pk: row for row in _reached(asked, by).select_for_update(of=("self",))}


def _reached(asked: Collection[int], by: Any) -> QuerySet[Delivery]:
    return within(by, Delivery.objects.filter(pk__in=asked), Act.RUN).order_by("id")


def _refusal(
    row: Delivery | None, runs: dict[int, Run], *, now: datetime, sure: bool
) -> Refused | None:
    if row is None:
        return OutOfReach(_("There is no such delivery."))
    if row.state != DeliveryState.FAILED:
        words = _("Only what failed can be tried again; this is “%(state)s”.")
        return Refused(words % {"state": row.get_state_display()})
    run = row.run = runs[row.run_id]
    if run.trigger == Run.Trigger.IMPORTED:
        return Refused(_("An older system sent it: it is only kept for the log."))
    if run.schedule.state == ScheduleState.CANCELLED:
        return Refused(_("Its schedule was cancelled: nothing of it is sent any more."))
    if run.content.get("images") and run.due_at + LINKS_LIVE <= now:
        return Refused(_("Its images can no longer be fetched: register it anew."))
    warning = "" if sure else warning_of_age(row, now)
    return NeedsSure(warning) if warning else None


def _take(purse: quota.Purse, row: Delivery | None, runs: dict[int, Run]) -> Refused | None:
    """Out of what is left of the month."""
    if row is None or not row.billed:
        return None
    run = runs[row.run_id]
    messages = {_charge(row.account_id, run): row.billed * (row.parts - row.part)}
    shortfall = purse.take(run, messages)
    return Refused(shortfall.words) if shortfall else None


def _plan(row: Delivery, *, by: Any, now: datetime) -> None:
    # That it was in doubt once is over: its channel has said no since.
    anew = {"tries": 0, "crashes": 0, "in_doubt": False, "error": "", "status": None,
            "request": history.present_request()}  # fmt: skip
    mine = Delivery.objects.filter(pk=row.pk)
    move(mine, DeliveryState.PLANNED, **anew, next_try_at=now, completed_at=None)
    facts = {"state": [DeliveryState.FAILED.value, DeliveryState.PLANNED.value], "run": row.run_id}
    history.record("retried", row, by=by, now=now, unit_path=row.unit_path, changes=facts)


def _reopen(run_ids: Collection[int], now: datetime) -> None:
    """Runs that had come to their end are under way again."""
    ended = Run.objects.filter(pk__in=run_ids, state__in=(RunState.FAILED, RunState.PARTIAL))
    # By id, as whoever settles holds them.
    held = list(ended.order_by("id").select_for_update().values_list("pk", flat=True))
    move(Run.objects.filter(pk__in=held), RunState.SENDING, completed_at=None)
    add_up(run_ids, now)
