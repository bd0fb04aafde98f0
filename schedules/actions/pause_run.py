"""Pauses a run that is under way, and lets it go on: what has not left waits, as long as it may
be late."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from channels import pull
from logs import history
from orgs.clock import database_now
from orgs.reach import Act, can_in, within
from schedules.actions.refusal import OutOfReach, Refused
from schedules.actions.standing import unit_of
from schedules.holds import go_now
from schedules.models import Delivery, Run, RunPause
from schedules.states import OPEN_RUN


def pause_run(run: Run, *, by: Any) -> RunPause:
    """Hand over nothing more of it."""
    row = _reached(run, by)
    if row.state not in OPEN_RUN and not Delivery.objects.with_phones().filter(run=row).exists():
        raise Refused(_("It is “%(state)s”: nothing of it waits.") % _state(row))
    who = {"paused_by": by.get_username(), "placed_from": unit_of(by, row.unit_path)}
    try:
        with transaction.atomic():
            accounts = Delivery.objects.filter(run=row).values("account")
            pull.hold(pull.with_phones().filter(pk__in=accounts))
            now = database_now()
            pause = RunPause(run=row, paused_at=now, **who)
            pause.save(force_insert=True)
            history.record("paused", row, by=by, now=now, unit_path=row.unit_path)
    except IntegrityError as error:
        raise Refused(_("It is paused already.")) from error
    return pause


@transaction.atomic
def resume_run(run: Run, *, by: Any) -> None:
    """Let it go on. Who stands below whoever paused it may not."""
    row = _reached(run, by)
    pauses = RunPause.objects.filter(run=row).select_related("placed_from")
    pause = pauses.select_for_update(of=("self",)).first()
    if pause is None:
        raise Refused(_("It is not paused."))
    if not can_in(by, Act.RUN, Run, pause.placed_from):
        words = _("%(who)s of %(unit)s has paused it: only there, or above, it goes on.")
        raise Refused(words % {"who": pause.paused_by, "unit": pause.placed_from})
    pause.delete()
    now = database_now()
    history.record("resumed", row, by=by, now=now, unit_path=row.unit_path)
    go_now(Delivery.objects.filter(run=row, reason=Delivery.Reason.PAUSED), now)


def _reached(run: Run, by: Any) -> Run:
    row = within(by, Run.objects.defer("payloads", "content"), Act.RUN).filter(pk=run.pk).first()
    if row is None:
        raise OutOfReach(_("There is no such run."))
    return row


def _state(row: Run) -> dict[str, str]:
    return {"state": row.get_state_display()}
