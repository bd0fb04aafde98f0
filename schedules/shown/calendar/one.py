"""One coming time of a schedule, with what its rooms' limits do to it."""

from datetime import datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from schedules.foreseen import Held, foresee
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.recurrence import Kind, Occurrence, appointed, changed_occurrences
from schedules.shown import windows
from schedules.states import ScheduleState

JUST = timedelta.resolution
DAY = timedelta(days=1)
OF_A_DAY = 300  # times of one day that are looked at
GOING = (ScheduleState.ACTIVE, ScheduleState.PAUSED, ScheduleState.WAITING)


def occurrence_at(schedule: Schedule, at: datetime) -> Occurrence | None:
    """What its timing appoints to this moment, as it goes now; None if nothing."""
    if schedule.timing_kind == Kind.NOW or schedule.timing.problems():
        return None
    exceptions = HolidayException.table(schedule.holiday_country)
    if schedule.state not in GOING or not appointed(schedule.timing, at, exceptions):
        return None
    changes = OccurrenceChange.of(schedule, at - JUST)
    start = (changes[at].due_at if at in changes else None) or at
    coming = changed_occurrences(
        schedule.timing, start - JUST, exceptions=exceptions, changes=changes
    )
    return next((one for one in islice(coming, 3) if one.appointed_at == at), None)


def held_at(schedule: Schedule, one: Occurrence, now: datetime) -> list[Held]:
    """What its rooms' limits do to it, with what else goes to them, from the function that plans
    it."""
    if one.due_at <= now:
        return []
    begin = windows.midnight(one.due_at.astimezone(ZoneInfo(schedule.zone)).date(), schedule.zone)
    after = max(begin - JUST, now)
    exceptions = HolidayException.table(schedule.holiday_country)
    changes = OccurrenceChange.of(schedule, after)
    coming = changed_occurrences(schedule.timing, after, exceptions=exceptions, changes=changes)
    day = list(islice(takewhile(lambda other: other.due_at <= one.due_at, coming), OF_A_DAY))
    return foresee(schedule, day, now).get(one.due_at, []) if day else []
