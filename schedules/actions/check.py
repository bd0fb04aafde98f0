"""Check now: a person asks that the next run be looked at; a worker does it within seconds."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from logs import history
from orgs.clock import database_now
from orgs.reach import Act
from schedules.actions.locked import lock
from schedules.actions.refusal import Refused
from schedules.actions.run_now import RUNNABLE
from schedules.models import Preflight, Schedule
from schedules.states import ScheduleState

CHECKABLE = (ScheduleState.DRAFT, ScheduleState.WAITING, *RUNNABLE)


@transaction.atomic
def check(schedule: Schedule, *, by: Any) -> Schedule:
    """Ask for a look. Asked twice before a worker comes, it is one."""
    row = lock(schedule, by=by, act=Act.RUN)
    if row.state not in CHECKABLE:
        raise Refused(
            _("A schedule that is “%(state)s” cannot be checked: nothing more is sent.")
            % {"state": row.get_state_display()}
        )
    now = database_now()
    look, _is_new = Preflight.objects.get_or_create(schedule=row)
    if Preflight.objects.filter(pk=look.pk, asked_at=None).update(asked_at=now):
        history.record("checked", row, by=by, now=now, unit_path=row.unit.path)
    return row
