"""The first lines of every act: the row, locked, if the actor may."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from channels.models import QuotaReading, Room
from orgs.models import Unit
from orgs.reach import Act, within
from schedules.actions.refusal import OutOfReach, Refused
from schedules.models import Run, Schedule

ROOMS, AUDIENCES = 1, 2  # the first number of an advisory lock: what the second one stands for
SHARES = 256  # rooms share locks, since PostgreSQL holds only some thousands at a time


def lock(schedule: Schedule, *, by: Any, act: Act) -> Schedule:
    """The schedule as it now stands, held until the transaction ends.

    The planner holds the same lock: an act and a plan never overlap. Raises OutOfReach.
    """
    return _found(schedule, _reached(by, act).select_for_update(of=("self",)))


def reread(schedule: Schedule, *, by: Any, act: Act) -> Schedule:
    """The same, not held: to look at what an act would do. Raises OutOfReach."""
    return _found(schedule, _reached(by, act))


def _reached(by: Any, act: Act) -> QuerySet[Schedule]:
    return within(by, Schedule.objects.filter(deleted_at=None), act).select_related("unit")


def _found(schedule: Schedule, among: QuerySet[Schedule]) -> Schedule:
    found = among.filter(pk=schedule.pk).first()
    if found is None:
        raise OutOfReach(_("There is no such schedule."))
    return found


def refuse_if_changed(row: Schedule, seen: int | None) -> None:
    """`seen` is the revision that the actor looked at, if that was said."""
    if seen is not None and seen != row.revision:
        raise Refused(_("It has been changed since you looked at it."))


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
    _hold_shares(
        schedule.rooms.values_list("pk", flat=True),
        [schedule.audience_id] if schedule.audience_id else [],
    )


def hold_in_order(
    schedules: QuerySet[Schedule],
    *,
    rooms: Collection[int] = (),
    audiences: Collection[int] = (),
    sends: bool = False,
) -> None:
    """What several acts of one transaction will hold one after the other, before the first of
    them: of two that do the same in another order, the second waits here for the first, instead
    of each for the other. `rooms` and `audiences` are those that come anew; `sends`: something
    leaves at once, so that rooms and quotas are booked as well.
    """
    # As each act alone does it: the schedule before its targets.
    held = list(schedules.order_by("pk").select_for_update(of=("self",)))
    pks = [row.pk for row in held]
    through = Schedule.rooms.through.objects.filter(schedule__in=pks)
    rooms = {*rooms, *through.values_list("room_id", flat=True)}
    _hold_shares(rooms, {*audiences, *(row.audience_id for row in held if row.audience_id)})
    if sends:
        _hold_bookings(rooms)


def _hold_shares(rooms: Iterable[int], audiences: Iterable[int]) -> None:
    if connection.vendor != "postgresql":
        return  # SQLite has one write lock, and the transaction has taken it
    shares = {(ROOMS, pk % SHARES) for pk in rooms} | {(AUDIENCES, pk % SHARES) for pk in audiences}
    with connection.cursor() as cursor:  # in one order, lest two wait for each other
        cursor.executemany("SELECT pg_advisory_xact_lock(%s, %s)", sorted(shares))


def _hold_bookings(room_ids: Collection[int]) -> None:
    """In the order in which a run is stored: rooms, then accounts, then budgets."""
    rooms = Room.objects.filter(id__among=sorted(room_ids)).order_by("id")
    accounts = {room.account_id for room in rooms.select_for_update(no_key=True)}
    readings = QuotaReading.objects.filter(account_id__in=accounts).order_by("account_id")
    list(readings.select_for_update(no_key=True))
    budgets = Unit.objects.filter(monthly_budget__isnull=False).order_by("id")
    list(budgets.select_for_update(no_key=True))
