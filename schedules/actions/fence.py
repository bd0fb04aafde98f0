"""Puts the fence around all sending up, and lifts it: the machine puts it up, a manager of the
headquarters may, and only such a person lifts it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Min, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels import alerts
from channels.alerts import AlertKind, Event
from logs import history
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act, can_anywhere, within
from schedules.actions.refusal import OutOfReach, Refused
from schedules.models import Delivery, Installation, Run
from schedules.models.installation import LEAP, ONLY, YOUNG
from schedules.place import present_place
from schedules.runs import warn
from schedules.states import DeliveryState, move
from schedules.totals import add_up

logger = logging.getLogger(__name__)

Reason = Installation.Reason

NEW = timedelta(hours=1)
NOTE_LENGTH = 500
RUNS_A_STEP = 1000
LOST = "The worker was lost while it was sending."
IN_DOUBT = "It was not tried again; an earlier try may have arrived."
ONLY_THE_OPERATOR = gettext_lazy(
    "Other headquarters share this database, and what came due of theirs is not shown here: it can "
    "only be skipped, and they are told. To send it is for the operator of the installation, with "
    "“manage.py fence --lift --send-due”."
)


@dataclass(frozen=True)
class Trouble:
    """Why nothing may be sent."""

    reason: str
    detail: str = ""


def own_installation() -> Installation:
    """The one row, made for a database that is asked for the first time."""
    found = Installation.objects.present()
    if found is None:
        now = database_now()
        # Restored from before there was this row, say: it has sent, and so is not young.
        has_worked = Run.objects.filter(planned_at__lt=now - NEW).exists()
        defaults = {
            "place": present_place(),
            "clock_at": now,
            "generation": YOUNG + 1 if has_worked else 0,
        }
        found, _is_new = Installation.objects.get_or_create(pk=ONLY, defaults=defaults)
    return found


def may_fence(user: Any) -> bool:
    """Whether this person may stop all sending and let it go on: who may change the top of the
    organisation."""
    return can_anywhere(user, Act.CHANGE, Unit)


def may_send_due(user: Any) -> bool:
    """Whether this person sees all that came due: of a headquarters that they do not reach it
    could go out once more, and nobody of it would have looked."""
    tops = Unit.objects.filter(depth=1)
    return within(user, tops, Act.CHANGE).count() == tops.count()


@transaction.atomic
def stop(*, by: Any, note: str) -> Installation:
    """Put the fence up by hand: nothing more is handed over, anywhere."""
    row = _locked(by)
    if row.fenced_at:
        raise Refused(_("Sending is stopped already."))
    put_up(Trouble(Reason.BY_HAND, note), now=database_now(), by=by)
    row.refresh_from_db()
    return row


@transaction.atomic
def lift(*, by: Any, note: str, send_due: bool = False) -> int:
    """Take this database, here and as it stands, for the true one, and send again.

    What came due meanwhile is skipped and said; with `send_due`, what is still within its grace
    goes, if they reach all of it. Returns the number of deliveries that were skipped.
    """
    row = _locked(by)
    fenced_at = _stopped_since(row, by, send_due=send_due)
    now = database_now()
    skipped = 0 if send_due else _skip_due(now)
    Installation.objects.filter(pk=ONLY).update(
        place=present_place(),
        generation=F("generation") + LEAP,
        clock_at=now,
        fenced_at=None,
        reason=Reason.NONE,
        detail="",
        lifted_at=now,
        lifted_by=by.get_username(),
        skip_until=row.skip_until if send_due else now,
    )
    facts = {"reason": row.reason, "fenced_at": fenced_at.isoformat(), "note": note,
             "due": "sent" if send_due else "skipped", "skipped": skipped}  # fmt: skip
    _record("lifted", row, by=by, now=now, facts=facts)
    _tell(
        lambda: _("A person has lifted it."), key=f"lifted:{now.isoformat()}", now=now, is_over=True
    )
    logger.warning("the fence was lifted by %s: %s", by.get_username(), note)
    return skipped


@transaction.atomic
def foresee_lift(*, by: Any, send_due: bool = False) -> int:
    """How many deliveries `lift` would skip now. Raises what it would raise."""
    _stopped_since(_locked(by), by, send_due=send_due)
    mine = Delivery.objects.filter(due_at__lte=database_now())
    skips = Q(state=DeliveryState.PLANNED) | Q(state=DeliveryState.SENDING, wire_at=None)
    return 0 if send_due else mine.filter(skips).count()


@transaction.atomic
def restored(*, by: Any, detail: str) -> None:
    """This database was put back from a backup: it has not seen what was sent since."""
    own_installation()
    now = database_now()
    if not put_up(Trouble(Reason.RESTORED, detail), now=now, by=by):
        row = Installation.objects.get(pk=ONLY)
        _record("restored", row, by=by, now=now, facts={"detail": detail})


def put_up(trouble: Trouble, *, now: datetime, by: Any = None) -> bool:
    """Fence all sending, unless it is; whether it was this call that did."""
    free = Installation.objects.filter(pk=ONLY, fenced_at=None)
    with transaction.atomic():
        if not free.update(fenced_at=now, reason=trouble.reason, detail=trouble.detail):
            return False
        _said(trouble, now=now, by=by)
    return True


def worsen(trouble: Trouble, *, now: datetime) -> None:
    """A fence that a person put up has a graver reason besides: a restored copy of it, say."""
    by_hand = Installation.objects.filter(pk=ONLY, reason=Reason.BY_HAND)
    with transaction.atomic():
        if by_hand.update(reason=trouble.reason, detail=trouble.detail):
            _said(trouble, now=now, by=None)


def _locked(by: Any) -> Installation:
    if not may_fence(by):
        raise OutOfReach(_("Only a manager of the headquarters may do this."))
    own_installation()
    return Installation.objects.select_for_update().get(pk=ONLY)


def _stopped_since(row: Installation, by: Any, *, send_due: bool) -> datetime:
    """When the fence went up that this person may lift so. Raises Refused."""
    if not row.fenced_at:
        raise Refused(_("Sending is not stopped."))
    if send_due and not may_send_due(by):
        raise Refused(str(ONLY_THE_OPERATOR))
    return row.fenced_at


def _said(trouble: Trouble, *, now: datetime, by: Any) -> None:
    row = Installation.objects.get(pk=ONLY)
    facts = {"reason": trouble.reason, "detail": trouble.detail}
    _record("fenced", row, by=by, now=now, facts=facts)
    reason = Installation.Reason(trouble.reason).label
    _tell(
        lambda: f"{reason} {trouble.detail}",
        key=f"fenced:{trouble.reason}:{now.isoformat()}",
        now=now,
    )
    logger.critical("all sending is fenced (%s): %s", trouble.reason, trouble.detail)


def _record(verb: str, row: Installation, *, by: Any, now: datetime, facts: dict[str, Any]) -> None:
    """In the history of each headquarters: it concerns them all."""
    if token := history.present_token():
        facts = {**facts, "token": token}
    history.record_for_all(verb, row, by=by, now=now, changes=facts)


def _tell(words: Callable[[], str], *, key: str, now: datetime, is_over: bool = False) -> None:
    """The operators, and each headquarters."""
    for path in alerts.of_installation():
        alerts.raise_(
            AlertKind.FENCED, "fence", path, key=f"{key}:{path}", name="", text=words, now=now,
            is_over=is_over,
        )  # fmt: skip


def _tell_units(due: QuerySet[Delivery], now: datetime) -> None:
    """Each unit of which something is skipped: it was another's decision."""
    units = due.order_by().values("unit_path").annotate(count=Count("id"), first=Min("due_at"))
    events = [
        Event(
            kind=AlertKind.MISSED,
            subject="runs",
            unit_path=unit["unit_path"],
            key=f"lifted:{now.isoformat()}:{unit['unit_path']}",
            name="",
            text=partial(_words_of_skipped, unit["count"]),
            at=unit["first"],
            count=unit["count"],
        )
        for unit in units
    ]
    alerts.raise_all(events, now)


def _words_of_skipped(count: int) -> str:
    return _("%(count)d messages: all sending was stopped when they were due.") % {"count": count}


def _skip_due(now: datetime) -> int:
    """Skip all whose appointed time has come: retries and later parts too, which in another
    line of this database's life may have gone long ago."""
    mine = Delivery.objects.filter(due_at__lte=now)
    held = mine.filter(state=DeliveryState.SENDING)
    gone = {"claim": None, "lease_until": None}
    run_ids = set(held.values_list("run_id", flat=True))
    # Never handed over: a worker that still holds it loses its claim, and so cannot mark it.
    move(held.filter(wire_at=None), DeliveryState.PLANNED, **gone)
    lost = held.filter(wire_at__isnull=False, lease_until__lt=now)
    asked = list(lost.defer("members"))
    move(lost, DeliveryState.UNCONFIRMED, **gone, wire_at=None, completed_at=now, error=LOST)
    alerts.raise_all(warn.of_rows(asked, AlertKind.UNCONFIRMED, now), now)
    due = mine.filter(state=DeliveryState.PLANNED)
    run_ids |= set(due.values_list("run_id", flat=True))
    due.filter(in_doubt=True).update(error=IN_DOUBT)
    _tell_units(due, now)
    skipped = move(due, DeliveryState.SKIPPED, reason=Delivery.Reason.FENCED, completed_at=now)
    touched = sorted(run_ids)
    for start in range(0, len(touched), RUNS_A_STEP):
        add_up(touched[start : start + RUNS_A_STEP], now)
    return skipped
