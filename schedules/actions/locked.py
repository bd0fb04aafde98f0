"""The first lines of every act: the row, locked, if the actor may."""

from typing import Any

from django.utils.translation import gettext as _

from channels.models import Audience, Room
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


def lock_edited(copy: Schedule, *, by: Any) -> Schedule | None:
    """What this working copy edits, held; None for any other schedule. To be asked before the
    copy itself is locked: a cancel holds the schedule when it throws the copy away."""
    edited = Schedule.objects.filter(drafts=copy.pk).first()
    return lock(edited, by=by, act=Act.CHANGE) if edited else None


def lock_targets(schedule: Schedule) -> None:
    """Hold the rooms, or the audience, before asking for duplicates: of two that register the
    same at the same moment, the second waits here, and then sees the first."""
    rooms = Room.objects.filter(pk__in=schedule.rooms.values("pk")).order_by("id")
    audience = Audience.objects.filter(pk=schedule.audience_id or 0)
    for targets in (rooms, audience):
        # Not FOR UPDATE: that would hold up every delivery that is planned for them.
        list(targets.select_for_update(no_key=True).values_list("pk", flat=True))
