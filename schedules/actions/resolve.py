"""What a person decides about a delivery that may or may not have arrived."""

from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from logs import history
from orgs.clock import database_now
from orgs.reach import Act, within
from schedules.actions.refusal import OutOfReach, Refused
from schedules.arrival import note_arrival
from schedules.models import Delivery
from schedules.states import DeliveryState, ScheduleState, move
from schedules.totals import add_up


class Verdict(StrEnum):
    ARRIVED = "arrived"
    SEND_AGAIN = "send_again"
    LEAVE = "leave"


@transaction.atomic
def resolve(delivery: Delivery, verdict: Verdict, *, by: Any, seen: str | None = None) -> Delivery:
    """Settle an unconfirmed delivery by hand: it arrived; it did not, send now; or leave it.

    `seen` is the delivery's `completed_at` (ISO) as the person saw it: a verdict about an
    earlier doubt does not settle a newer one.
    """
    rows = within(by, Delivery.objects.filter(pk=delivery.pk), Act.RUN)
    row = rows.select_related("run__schedule").select_for_update(of=("self",)).first()
    if row is None:
        raise OutOfReach(_("There is no such delivery."))
    if row.state != DeliveryState.UNCONFIRMED:
        raise Refused(_("Only what is not confirmed can be decided."))
    if seen is not None and seen != (row.completed_at.isoformat() if row.completed_at else ""):
        raise Refused(_("It was tried again since you looked. Look once more, then decide."))
    now = database_now()
    if verdict == Verdict.SEND_AGAIN and row.run.schedule.state == ScheduleState.CANCELLED:
        raise Refused(_("Its schedule was cancelled: nothing of it is sent any more."))
    mine = Delivery.objects.filter(pk=row.pk)
    if verdict == Verdict.ARRIVED:
        note_arrival(row, now)
    elif verdict == Verdict.SEND_AGAIN:
        anew = {"tries": 0, "crashes": 0, "in_doubt": False, "next_try_at": now}
        move(mine, DeliveryState.PLANNED, **anew, confirm_at=None, completed_at=None)
    history.record(
        verdict.value, row, by=by, now=now, unit_path=row.unit_path,
        changes={"state": ["unconfirmed", verdict.value], "run": row.run_id},
    )  # fmt: skip
    add_up([row.run_id], now)
    row.refresh_from_db()
    return row
