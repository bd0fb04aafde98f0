"""Expire: the time has come, and nobody has answered. What waits for approval is never sent late:
this time is left out and told, and of what has no other time the schedule has expired."""

from datetime import datetime, timedelta

from django.db import transaction

from channels.told.questions import put_off, take_back
from logs import history
from schedules.models import Approval, HolidayException, Installation, Run, Schedule
from schedules.recurrence import NO_CHANGES, Occurrence
from schedules.runs.coming import changes_of, coming_until, write_new
from schedules.runs.freeze import skipped, with_content
from schedules.runs.frozen import Frozen
from schedules.states import ScheduleState, move

LONGEST = timedelta(days=1)  # that a message which goes at once may wait
SCHEDULES_A_TURN = 100


def expire(now: datetime) -> int:
    """Returns how many schedules it moved on. Any number of workers may do so at once."""
    overdue = Schedule.objects.overdue_unanswered(now, LONGEST).order_by("next_due_at", "id")
    if not overdue.exists() or Installation.objects.fenced():
        return 0
    with transaction.atomic():
        rows = with_content(overdue).select_for_update(skip_locked=True, of=("self",))
        schedules = list(rows[:SCHEDULES_A_TURN])
        for schedule in schedules:
            _pass_by(schedule, now)
    return len(schedules)


def _pass_by(schedule: Schedule, now: datetime) -> None:
    following = None
    if schedule.next_due_at:
        holidays = HolidayException.table(schedule.holiday_country)
        changes = changes_of([schedule]).get(schedule.pk, NO_CHANGES)
        coming, following = coming_until(schedule, now, holidays, changes)
        _leave_out(schedule, [occurrence for occurrence, _next in coming], now)
    else:
        _leave_out(schedule, [], now)
    row = Schedule.objects.filter(pk=schedule.pk)
    if following:
        row.update(next_due_at=following)
        put_off(schedule.pk, following)
        Approval.objects.filter(schedule=schedule).update(stage=Approval.Stage.ASKED)
        return
    take_back(schedule.pk)
    move(row, ScheduleState.EXPIRED, next_due_at=None)
    history.record("expired", schedule, by=None, now=now, unit_path=schedule.unit.path)


def _leave_out(schedule: Schedule, coming: list[Occurrence], now: datetime) -> None:
    """Write down each of these times, or the one at which it was to go at once, as not sent."""
    times = [(one.due_at, one.first_due_at, one.skipped, one.detail) for one in coming]
    batch: list[Frozen] = [
        skipped(
            schedule,
            due_at,
            now=now,
            reason=reason or Run.Reason.UNAPPROVED,
            detail=detail or "",
            first_due_at=first_due_at,
        )
        for due_at, first_due_at, reason, detail in times or [(now, None, "", "")]
    ]
    write_new(batch, now)
