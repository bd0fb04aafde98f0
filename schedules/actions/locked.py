"""The first lines of every act: the row, locked, if the actor may."""

from typing import Any

from django.utils.translation import gettext as _

from orgs.reach import Act, within
from schedules.actions.refusal import OutOfReach
from schedules.models import Schedule


def lock(schedule: Schedule, *, by: Any, act: Act) -> Schedule:
    """The schedule as it now stands, held until the transaction ends.

    The planner holds the same lock: an act and a plan never overlap. Raises OutOfReach.
    """
    rows = within(by, Schedule.objects.filter(deleted_at=None), act).select_related("unit")
    found = rows.select_for_update(of=("self",)).filter(pk=schedule.pk).first()
    if found is None:
        raise OutOfReach(_("There is no such schedule."))
    return found
