"""One occurrence of a schedule: left out, at another time, with another text; and taken back."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from logs import history
from orgs.clock import database_now
from orgs.moments import time_of_day
from orgs.reach import Act
from schedules import rules
from schedules.actions.clearing import asked_of, vouch
from schedules.actions.locked import lock, lock_targets, refuse_if_changed
from schedules.actions.refusal import OutOfReach, Refused
from schedules.actions.replan import next_time, withdraw_one
from schedules.bookings.bounds import bounds_of, bounds_of_audience
from schedules.clearance import is_cleared
from schedules.content import Order
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.recurrence import (
    Change,
    Changes,
    Exceptions,
    Kind,
    Occurrence,
    appointed,
    changed_occurrences,
)
from schedules.recurrence.quiet import Quiet
from schedules.states import ScheduleState

CHANGEABLE = (ScheduleState.ACTIVE, ScheduleState.PAUSED)
LONGEST_TEXT = 10_000


def has_single_times(row: Schedule) -> bool:
    """Whether single times of it can be changed as it stands: a message that goes once is edited
    instead."""
    return row.state in CHANGEABLE and row.timing_kind not in (Kind.NOW, Kind.ONCE)


@transaction.atomic
def change_one(
    schedule: Schedule,
    appointed_at: datetime,
    wanted: Change,
    *,
    by: Any,
    seen: int | None = None,
) -> OccurrenceChange:
    """Have the occurrence that the timing appoints to this moment go as `wanted`, in the place of
    what was wanted of it before. `seen` is the revision that the actor looked at. Raises Refused
    when it has begun, or its time has come."""
    row = lock(schedule, by=by, act=Act.CHANGE)
    refuse_if_changed(row, seen)
    lock_targets(row)
    now = database_now()  # after the locks: it may have waited for them
    wanted = tidied(wanted, appointed_at)
    rule = time_of_rule(row, appointed_at)
    before = OccurrenceChange.objects.filter(schedule=row, appointed_at=appointed_at).first()
    must_ask = bool(wanted.due_at or wanted.text) and asked_of(row, by) is not None
    quiet = _quiet_of(row) if wanted.due_at else []
    check_wanted(row, rule, wanted, must_ask=must_ask, quiet=quiet, now=now)
    was_cleared = is_cleared(row)
    _take_from_plan(row, rule, before, now)
    _check_free(row, rule, wanted)
    values = {"skips": wanted.skips, "due_at": wanted.due_at, "text": wanted.text}
    values |= {"changed_at": now, "changed_by": by.get_username()}
    change, _is_new = OccurrenceChange.objects.update_or_create(
        schedule=row, appointed_at=appointed_at, defaults=values
    )
    if wanted.due_at:
        _check_twins(row, now)
    _plan_anew(row, now)
    _answer_for_change(row, was_cleared, by=by)
    _note("occurrence_changed", change, before, by=by, now=now)
    return change


@transaction.atomic
def take_back_one(schedule: Schedule, appointed_at: datetime, *, by: Any) -> None:
    """Let it go again as the schedule has it. A change that does nothing any more is removed."""
    row = lock(schedule, by=by, act=Act.CHANGE)
    lock_targets(row)
    now = database_now()
    change = OccurrenceChange.objects.filter(schedule=row, appointed_at=appointed_at).first()
    if change is None:
        raise OutOfReach(_("There is no such change."))
    exceptions = HolidayException.table(row.holiday_country)
    rule = None if row.timing.problems() else appointed(row.timing, appointed_at, exceptions)
    if rule and row.state in CHANGEABLE:
        if appointed_at <= now:
            raise Refused(_("Its own time has passed: it would not be sent any more."))
        _take_from_plan(row, rule, change, now)
        _check_free(row, rule, Change())
    was_cleared = is_cleared(row)
    moved_back = change.due_at is not None
    gone = change.change
    change.delete()
    if rule and moved_back:
        _check_twins(row, now)
    _plan_anew(row, now)
    _answer_for_change(row, was_cleared, by=by)
    changes = {"appointed_at": appointed_at.isoformat(), **_facts(gone)}
    history.record(
        "occurrence_restored", row, by=by, now=now, unit_path=row.unit.path, changes=changes
    )


def time_of_rule(
    row: Schedule, appointed_at: datetime, exceptions: Exceptions | None = None
) -> Occurrence:
    """The occurrence as its rule has it. Raises Refused where single times cannot be changed.
    `exceptions` of its country, where they are known."""
    if row.state not in CHANGEABLE or row.edits_id:
        words = _("Single times of a schedule that is “%(state)s” cannot be changed.")
        raise Refused(words % {"state": row.get_state_display()})
    if row.timing_kind in (Kind.NOW, Kind.ONCE):
        raise Refused(_("It is sent once only: shift, edit or cancel the schedule itself."))
    if row.timing.problems():
        raise Refused(_("The timing of this schedule cannot be used. Edit it."))
    if exceptions is None:
        exceptions = HolidayException.table(row.holiday_country)
    found = appointed(row.timing, appointed_at, exceptions)
    if found is None:
        raise OutOfReach(_("The schedule has no such time."))
    return found


def _answer_for_change(row: Schedule, was_cleared: bool, *, by: Any) -> None:
    """Who may approve answers for this time alone, not for what others have changed since."""
    if was_cleared:
        vouch(row, by=by)


def tidied(wanted: Change, appointed_at: datetime) -> Change:
    """As it is kept: what says nothing is left away."""
    text = wanted.text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()
    due_at = None if wanted.due_at == appointed_at else wanted.due_at
    return replace(wanted, text=text, due_at=due_at)


def check_wanted(
    row: Schedule,
    rule: Occurrence,
    wanted: Change,
    *,
    must_ask: bool,
    quiet: Iterable[Quiet],
    now: datetime,
) -> None:
    """Raises Refused. `must_ask`: it would need an approval; `quiet`: the hours of its rooms."""
    if wanted == Change():
        raise Refused(_("Say what is to be different: left out, another time or another text."))
    if wanted.skips and (wanted.due_at or wanted.text):
        raise Refused(_("What is left out has neither another time nor another text."))
    if rule.skipped and not wanted.due_at:
        raise Refused(_("This one is left out already. It can be put at another time."))
    if (wanted.due_at or wanted.text) and must_ask:
        raise Refused(
            _("This unit demands approval: only who approves may change a single time. To have "
              "it approved, edit the schedule.")
        )  # fmt: skip
    if wanted.due_at and (message := _time_problem(row, wanted.due_at, quiet, now)):
        raise Refused(_("It cannot go at that time."), {"due_at": [message]})
    if wanted.text and (problems := _text_problems(row, wanted.text)):
        raise Refused(_("It cannot go with that text."), problems)


def _quiet_of(row: Schedule) -> list[Quiet]:
    if row.audience:
        bounds = [bounds_of_audience(row.unit)]
    else:
        bounds = list(bounds_of(row.rooms.all()).values())
    return [bound.quiet for bound in bounds if bound.quiet]


def _time_problem(row: Schedule, due_at: datetime, quiet: Iterable[Quiet], now: datetime) -> str:
    if due_at <= now:
        return _("This time has passed.")
    if row.valid_until and due_at > row.valid_until:
        return _("This is after the end of the schedule’s validity.")
    if row.valid_from and due_at < row.valid_from:
        return _("This is before the start of the schedule’s validity.")
    for hours in quiet:
        if hours.end_around(due_at):
            return _("These are quiet hours: from %(begin)s to %(end)s (%(zone)s).") % {
                "begin": time_of_day(hours.begins),
                "end": time_of_day(hours.ends),
                "zone": hours.zone,
            }
    return ""


def _text_problems(row: Schedule, text: str) -> rules.Problems:
    if row.order == Order.IMAGES_ONLY or not row.content.sends_text:
        return {"text": [_("This schedule sends no text.")]}
    if len(text) > LONGEST_TEXT:
        return {"text": [_("At most %(most)d characters.") % {"most": LONGEST_TEXT}]}
    return rules.content_problems(row.with_text(text), row.rooms.select_related("account", "unit"))


def _take_from_plan(
    row: Schedule, rule: Occurrence, before: OccurrenceChange | None, now: datetime
) -> None:
    """Raises Refused when it came too late: as it was, it goes or has gone."""
    stands_at = (before and before.due_at) or rule.due_at
    is_free = withdraw_one(row, rule.due_at, now)
    refuse_if_late(stands_at, now, is_free=is_free)


def refuse_if_late(stands_at: datetime, now: datetime, *, is_free: bool) -> None:
    """`is_free`: no run of it has begun."""
    if not is_free or stands_at <= now:
        raise Refused(_("It is too late for that: this one is being sent, or its time has come."))


def _check_free(row: Schedule, rule: Occurrence, wanted: Change) -> None:
    if wanted.skips:
        return
    due_at = wanted.due_at or rule.due_at
    changes = OccurrenceChange.of(row, due_at - timedelta.resolution)
    exceptions = HolidayException.table(row.holiday_country)
    has_run = row.runs.filter(due_at=due_at).exists()
    refuse_if_taken(row, rule, due_at, changes, exceptions, has_run=has_run)


def refuse_if_taken(
    row: Schedule,
    rule: Occurrence,
    due_at: datetime,
    changes: Changes,
    exceptions: Exceptions,
    *,
    has_run: bool,
) -> None:
    """Another one of this schedule must not be there already."""
    just_before = due_at - timedelta.resolution
    elsewhere = {rule.due_at: Change(due_at=just_before)}  # as if this one were not there
    near = {at: change for at, change in changes.items() if due_at in (at, change.due_at)}
    coming = changed_occurrences(
        row.timing, just_before, exceptions=exceptions, changes=near | elsewhere
    )
    first = next(coming, None)
    if has_run or (first is not None and first.due_at == due_at):
        message = _("Another one of this schedule goes at that time.")
        raise Refused(message, {"due_at": [message]})


def _check_twins(row: Schedule, now: datetime) -> None:
    rooms = row.rooms.select_related("account", "unit")
    refuse_twin(rules.duplicate_problems(row, rooms, now=now))


def refuse_twin(found: rules.Problems) -> None:
    """Raises Refused where something was found."""
    if found:
        raise Refused(_("It cannot go at that time."), found)


def _plan_anew(row: Schedule, now: datetime) -> None:
    if row.state in CHANGEABLE:
        row.next_due_at = next_time(row, now)
    row.revision += 1
    row.save(update_fields=["next_due_at", "revision", "updated_at"])


def _note(
    verb: str,
    change: OccurrenceChange,
    before: OccurrenceChange | None,
    *,
    by: Any,
    now: datetime,
) -> None:
    row = change.schedule
    old, new = _facts(before.change if before else Change()), _facts(change.change)
    different = {name: [old[name], new[name]] for name in new if old[name] != new[name]}
    changes = {"appointed_at": change.appointed_at.isoformat(), **different}
    history.record(verb, row, by=by, now=now, unit_path=row.unit.path, changes=changes)


def _facts(change: Change) -> dict[str, Any]:
    at = change.due_at.isoformat() if change.due_at else ""
    return {"left_out": change.skips, "another_time": at, "text": change.text[:500]}
