"""Shift: the times of a schedule, so much later or earlier on its wall clock."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from logs import history
from orgs.clock import database_now
from orgs.reach import Act
from schedules import rules
from schedules.actions.clearing import go_or_ask, vouch
from schedules.actions.locked import lock, lock_targets, refuse_if_changed, reread
from schedules.actions.refusal import Refused
from schedules.actions.replan import (
    has_begun,
    next_time,
    refuse_twice_a_day,
    withdraw,
    write_due,
)
from schedules.clearance import is_cleared
from schedules.models import Schedule
from schedules.recurrence import Kind, NoShiftError, next_occurrence, shifted
from schedules.states import OPEN_RUN, ScheduleState

BEING_SENT = gettext_lazy("It is being sent at this moment.")
SHIFTABLE = (ScheduleState.ACTIVE, ScheduleState.PAUSED)
MOST_DAYS, MOST_MINUTES = 366, 1440  # at once, either way
MOVED = ("date", "time", "weekdays", "day_of_month")  # the columns that a shift may change


@transaction.atomic
def shift(schedule: Schedule, *, by: Any, span: timedelta, seen: int | None = None) -> Schedule:
    """Move its times; what has begun is finished as it was. `seen` is the revision that the
    actor looked at: sent twice, the second is refused, and nothing is shifted twice."""
    row = lock(schedule, by=by, act=Act.CHANGE)
    lock_targets(row)
    now = database_now()  # after the locks: it may have waited for them
    refuse_if_changed(row, seen)
    before, was_cleared = _columns(row), is_cleared(row)
    write_due(row, now)
    _move(row, span, by=by, now=now)
    withdraw(row, now)
    if row.timing_kind == Kind.ONCE and row.runs.filter(state__in=OPEN_RUN).exists():
        raise Refused(BEING_SENT)
    refuse_twice_a_day(row, row.timing, now)
    row.next_due_at = next_time(row, now)
    row.request = history.present_request()
    row.revision += 1
    row.save(update_fields=[*MOVED, "next_due_at", "revision", "request", "updated_at"])
    if row.state == ScheduleState.ACTIVE:
        go_or_ask(row, by=by, now=now, vouches=was_cleared)
    elif was_cleared:
        vouch(row, by=by)
    after = _columns(row)
    changes = {name: [before[name], after[name]] for name in MOVED if before[name] != after[name]}
    history.record("updated", row, by=by, now=now, unit_path=row.unit.path, changes=changes)
    return row


def foresee_shift(
    schedule: Schedule, *, by: Any, span: timedelta, now: datetime
) -> datetime | None:
    """When it would go next if it were shifted so; None while it is paused. Nothing is written
    or locked. Raises Refused as the act would."""
    row = reread(schedule, by=by, act=Act.CHANGE)
    _move(row, span, by=by, now=now)
    if row.timing_kind == Kind.ONCE and has_begun(row, now):
        raise Refused(BEING_SENT)
    if row.state == ScheduleState.PAUSED:
        return None
    coming = rules.preview(row, now, 1)
    return coming[0].due_at if coming else None


def _move(row: Schedule, span: timedelta, *, by: Any, now: datetime) -> None:
    """Change the columns, unsaved. Raises Refused."""
    _check_shiftable(row, now)
    try:
        moved = shifted(row.timing, span)
    except NoShiftError as error:
        raise Refused(error) from error
    row.date, row.time, row.day_of_month = moved.date, moved.time, moved.day_of_month
    row.weekdays = sorted(moved.weekdays)
    if found := rules.problems(row, by=by, now=now):
        raise Refused(" ".join(text for texts in found.values() for text in texts))


def _check_shiftable(row: Schedule, now: datetime) -> None:
    if row.state not in SHIFTABLE:
        raise Refused(
            _("A schedule that is “%(state)s” cannot be shifted.")
            % {"state": row.get_state_display()}
        )
    if row.drafts.exists():
        raise Refused(_("It has changes that are not saved yet. Save or discard them first."))
    if row.timing_kind == Kind.ONCE and not next_occurrence(row.timing, now):
        raise Refused(_("Its time has passed. To send it once more, edit it."))


def _columns(row: Schedule) -> dict[str, Any]:
    return {name: str(value) if (value := getattr(row, name)) else "" for name in MOVED}
