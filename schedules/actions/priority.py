"""Priority: what goes first of what is due at once."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from logs import history
from orgs.clock import database_now
from orgs.reach import Act
from schedules.actions.locked import lock
from schedules.actions.refusal import Refused
from schedules.models import Schedule
from schedules.states import ScheduleState

RANGE = range(101)
OVER = (ScheduleState.CANCELLED, ScheduleState.EXPIRED)


@transaction.atomic
def set_priority(schedule: Schedule, *, by: Any, priority: int) -> Schedule:
    """From the next run that is planned on. An open working copy gets it too: saving that
    would else take it back."""
    row = lock(schedule, by=by, act=Act.CHANGE)
    if row.state in OVER:
        raise Refused(
            _("A schedule that is “%(state)s” has no more use for a priority.")
            % {"state": row.get_state_display()}
        )
    if priority not in RANGE:
        raise Refused(_("The priority lies between 0 and 100."))
    before = row.priority
    if before == priority:
        return row
    row.priority = priority
    row.save(update_fields=["priority", "updated_at"])
    row.drafts.update(priority=priority)
    changes = {"priority": [before, priority]}
    history.record(
        "updated", row, by=by, now=database_now(), unit_path=row.unit.path, changes=changes
    )
    return row
