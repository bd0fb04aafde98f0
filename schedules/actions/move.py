"""Move: a time goes at another one; alone, with those after it, or with all to come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from schedules.actions.locked import refuse_if_changed
from schedules.actions.occurrence import change_one
from schedules.actions.refusal import OutOfReach, Refused
from schedules.actions.series import Moved, Scope, move_series
from schedules.actions.shift import shift
from schedules.models import OccurrenceChange, Schedule
from schedules.recurrence import Change, Kind, appointed
from schedules.recurrence.moments import first_moment
from schedules.recurrence.occurrences import NO_EXCEPTIONS


def move(
    schedule: Schedule,
    appointed_at: datetime,
    wall: datetime,
    *,
    scope: Scope,
    by: Any,
    seen: int | None = None,
) -> Moved:
    """Have what the timing appoints to this moment go at this time of the schedule's wall clock.
    `seen` is the revision that the actor looked at. Raises Refused."""
    if scope != Scope.ONE:
        return move_series(schedule, appointed_at, wall, scope=scope, by=by, seen=seen)
    if schedule.timing_kind == Kind.ONCE:
        return Moved(_move_single(schedule, appointed_at, wall, by=by, seen=seen))
    due_at = first_moment(wall, ZoneInfo(schedule.zone)).due_at.astimezone(UTC)
    wanted = replace(known_change(schedule, appointed_at), skips=False, due_at=due_at)
    return Moved(change_one(schedule, appointed_at, wanted, by=by, seen=seen).schedule)


def known_change(schedule: Schedule, appointed_at: datetime) -> Change:
    """What people want of this time until now."""
    found = OccurrenceChange.objects.filter(schedule=schedule, appointed_at=appointed_at).first()
    return found.change if found else Change()


def _move_single(
    schedule: Schedule, appointed_at: datetime, wall: datetime, *, by: Any, seen: int | None
) -> Schedule:
    """A message that goes once moves as the schedule that it is."""
    refuse_if_changed(schedule, seen)
    span = span_of_single(schedule, appointed_at, wall)
    # By as much from where it was read, and from nowhere else.
    seen = schedule.revision if seen is None else seen
    return shift(schedule, by=by, span=span, seen=seen)


def span_of_single(schedule: Schedule, appointed_at: datetime, wall: datetime) -> timedelta:
    """How far a message that goes once moves to go at this time. Raises Refused."""
    if schedule.timing.problems() or not appointed(schedule.timing, appointed_at, NO_EXCEPTIONS):
        raise OutOfReach(_("The schedule has no such time."))
    assert schedule.date is not None and schedule.time is not None
    span = wall - datetime.combine(schedule.date, schedule.time)
    if not span:
        raise Refused(_("It goes at that time already."))
    return span
