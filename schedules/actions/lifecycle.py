"""Pause, resume, cancel, delete."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from channels.told.questions import take_back
from logs import history
from orgs.clock import database_now
from orgs.reach import Act
from schedules import rules
from schedules.actions.clearing import go_or_ask
from schedules.actions.locked import lock, lock_targets
from schedules.actions.refusal import Refused
from schedules.actions.replan import (
    call_back,
    cancel_due,
    cancel_rest,
    find_next,
    withdraw,
    write_due,
)
from schedules.models import Schedule
from schedules.states import ScheduleState, State, move


@transaction.atomic
def pause(schedule: Schedule, *, by: Any) -> Schedule:
    """Nothing more begins; a run that has begun is finished."""
    row, now = _locked(schedule, by=by, act=Act.RUN)
    write_due(row, now)
    withdraw(row, now)
    cancel_due(row, now)
    return _moved(row, ScheduleState.PAUSED, "paused", by=by, now=now, next_due_at=None)


@transaction.atomic
def resume(schedule: Schedule, *, by: Any) -> Schedule:
    """Go on with the next occurrence from now; what passed meanwhile is not made up for. What was
    changed meanwhile, and needs an approval, waits for it."""
    row = lock(schedule, by=by, act=Act.RUN)
    if row.state != ScheduleState.PAUSED:
        raise Refused(_("Only a paused schedule can be resumed."))
    lock_targets(row)
    now = database_now()
    # The same may have been registered while this one was paused.
    found = rules.duplicate_problems(row, row.rooms.all(), now=now)
    if found:
        raise Refused(_("The schedule cannot be resumed yet."), found)
    anew = {"next_due_at": find_next(row, now), "request": history.present_request()}
    Schedule.objects.filter(pk=row.pk).update(**anew)
    go_or_ask(row, by=by, now=now, vouches=False)
    changes = {"state": [ScheduleState.PAUSED.value, str(row.state)]}
    history.record("resumed", row, by=by, now=now, unit_path=row.unit.path, changes=changes)
    row.refresh_from_db()
    return row


def toggle(schedule: Schedule, *, by: Any) -> Schedule:
    """Pause what is active, resume what is paused."""
    is_paused = Schedule.objects.filter(pk=schedule.pk, state=ScheduleState.PAUSED).exists()
    return resume(schedule, by=by) if is_paused else pause(schedule, by=by)


@transaction.atomic
def cancel(schedule: Schedule, *, by: Any) -> Schedule:
    """End it for good. What waits is cancelled, also the rest of a run that has begun."""
    row, now = _locked(schedule, by=by, act=Act.RUN)
    _stop(row, now)
    return _moved(row, ScheduleState.CANCELLED, "cancelled", by=by, now=now, next_due_at=None)


@transaction.atomic
def delete(schedule: Schedule, *, by: Any) -> None:
    """Cancel it and hide it from everybody. Its runs, log and history stay."""
    row, now = _locked(schedule, by=by, act=Act.DELETE)
    if row.state == ScheduleState.DRAFT and not row.runs.exists():
        row.delete()
        return
    _stop(row, now)
    if row.state == ScheduleState.WAITING:
        take_back(row.pk)
    move(Schedule.objects.filter(pk=row.pk), ScheduleState.CANCELLED, next_due_at=None)
    Schedule.objects.filter(pk=row.pk).update(deleted_at=now)
    history.record("deleted", row, by=by, now=now, unit_path=row.unit.path)


def _locked(schedule: Schedule, *, by: Any, act: Act) -> tuple[Schedule, datetime]:
    """The schedule, held, and the time from then on: it may have waited for the lock."""
    row = lock(schedule, by=by, act=act)
    return row, database_now()


def _stop(row: Schedule, now: datetime) -> None:
    write_due(row, now)
    withdraw(row, now)
    cancel_rest(row, now)
    call_back(row.runs.all(), now)
    row.drafts.all().delete()  # there is nothing left to edit


def _moved(
    row: Schedule, to: State, verb: str, *, by: Any, now: datetime, **values: Any
) -> Schedule:
    before = row.state
    if not move(Schedule.objects.filter(pk=row.pk), to, **values):
        raise Refused(
            _("A schedule that is “%(state)s” cannot become “%(to)s”.")
            % {"state": row.get_state_display(), "to": to.label}
        )
    if before == ScheduleState.WAITING:
        take_back(row.pk)
    history.record(
        verb, row, by=by, now=now, unit_path=row.unit.path, changes={"state": [before, to.value]}
    )
    row.refresh_from_db()
    return row
