"""The first lines of every act: the row, locked, if the actor may."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from orgs.reach import Act, within
from schedules.actions.refusal import OutOfReach
from schedules.models import Run, Schedule

ROOMS, AUDIENCES = 1, 2  # the first number of an advisory lock: what the second one stands for
SHARES = 256  # rooms share locks, since PostgreSQL holds only some thousands at a time


def lock(schedule: Schedule, *, by: Any, act: Act) -> Schedule:
    """The schedule as it now stands, held until the transaction ends.

    The planner holds the same lock: an act and a plan never overlap. Raises OutOfReach.
    """
    rows = within(by, Schedule.objects.filter(deleted_at=None), act).select_related("unit")
    found = rows.select_for_update(of=("self",)).filter(pk=schedule.pk).first()
    if found is None:
        raise OutOfReach(_("There is no such schedule."))
    return found


def run_of(schedule: Schedule, run_id: int | None, among: QuerySet[Run]) -> Run | None:
    """The run of this schedule that is named, whatever it is; else the latest `among` these.
    Raises OutOfReach for one of another schedule."""
    if run_id is None:
        return among.order_by("-due_at", "-id").first()
    found = schedule.runs.filter(pk=run_id).first()
    if found is None:
        raise OutOfReach(_("There is no such run."))
    return found


def lock_edited(copy: Schedule, *, by: Any) -> Schedule | None:
    """What this working copy edits, held; None for any other schedule. To be asked before the
    copy itself is locked: a cancel holds the schedule when it throws the copy away."""
    edited = Schedule.objects.filter(drafts=copy.pk).first()
    return lock(edited, by=by, act=Act.CHANGE) if edited else None


def lock_targets(schedule: Schedule) -> None:
    """Hold the right to register for these rooms, or this audience, before asking for duplicates:
    of two that register the same at the same moment, the second waits here, and then sees the
    first. It is not the rows that are held: a planner holds those, and must not wait for people.
    """
    if connection.vendor != "postgresql":
        return  # SQLite has one write lock, and the transaction has taken it
    rooms = {(ROOMS, pk % SHARES) for pk in schedule.rooms.values_list("pk", flat=True)}
    audience = {(AUDIENCES, schedule.audience_id % SHARES)} if schedule.audience_id else set()
    with connection.cursor() as cursor:  # in one order, lest two wait for each other
        cursor.executemany("SELECT pg_advisory_xact_lock(%s, %s)", sorted(rooms | audience))
