"""Run now: one run by hand, besides the timing."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from logs import history
from orgs.clock import database_now
from orgs.reach import Act
from schedules import rules
from schedules.actions.clearing import asked_of
from schedules.actions.locked import lock
from schedules.actions.refusal import Refused
from schedules.clearance import is_cleared
from schedules.models import Run, Schedule
from schedules.runs.freeze import freeze, with_content
from schedules.runs.store import store
from schedules.states import OPEN_RUN, ScheduleState

UNDO = timedelta(seconds=10)  # in which a person may take back what they send

RUNNABLE = (ScheduleState.ACTIVE, ScheduleState.PAUSED, ScheduleState.COMPLETED)


@transaction.atomic
def execute(schedule: Schedule, *, by: Any, after: timedelta = timedelta()) -> Run:
    """Send it now, once; or so much later, until when it can be taken back (`rollback`). Refused
    while a run by hand is still under way: a double click is one run."""
    row = lock(schedule, by=by, act=Act.RUN)
    if row.state not in RUNNABLE or row.edits_id:
        raise Refused(
            _("A schedule that is “%(state)s” cannot be run.") % {"state": row.get_state_display()}
        )
    if Run.objects.filter(schedule=row, trigger=Run.Trigger.HAND, state__in=OPEN_RUN).exists():
        raise Refused(_("It is being run by hand already. Wait for that run to end."))
    rooms = list(row.rooms.select_related("account", "unit"))
    _check_cleared(row, by)
    found = rules.target_problems(row, rooms, by=by) | rules.content_problems(row, rooms)
    if found:
        raise Refused(_("The schedule cannot be run as it is."), found)
    now = database_now()
    whole = with_content(Schedule.objects.all()).get(pk=row.pk)
    frozen = freeze(whole, beside_the_second(now + after), now=now, trigger=Run.Trigger.HAND)
    run = store([frozen], now)[0]
    history.record("executed", row, by=by, now=now, unit_path=row.unit.path,
                   changes={"run": run.pk})  # fmt: skip
    return run


def _check_cleared(row: Schedule, by: Any) -> None:
    """An approval is for the times of the schedule: another time needs an approver."""
    if unit := asked_of(row, by):
        raise Refused(
            _("Approved are its own times: an approver of %(unit)s, or above, can run it now.")
            % {"unit": unit}
        )
    if not is_cleared(row):
        raise Refused(_("It has changes that nobody has approved."))


def beside_the_second(now: datetime) -> datetime:
    """Never on a full one: there it could take the place of an appointed run."""
    return now.replace(microsecond=now.microsecond or 1)
