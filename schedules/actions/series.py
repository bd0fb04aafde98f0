"""A series moves: from one of its times on, or all that are to come. What went stays as it was.

Where something remains to be sent before, the schedule ends there and another one goes on from
then, registered as any other; else its own timing is changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from logs import history
from orgs.clock import database_now
from orgs.reach import Act
from schedules import rules
from schedules.actions.clearing import clear_as_it_is, go_or_ask, vouch
from schedules.actions.edit import COLUMNS, copy_content
from schedules.actions.locked import lock, lock_targets, refuse_if_changed
from schedules.actions.occurrence import time_of_rule
from schedules.actions.refusal import Refused
from schedules.actions.register import activate, create_draft, summary
from schedules.actions.replan import find_next, next_time, withdraw_from
from schedules.clearance import is_cleared
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.recurrence import (
    Changes,
    Move,
    NoShiftError,
    Timing,
    appointed,
    changed_occurrences,
    move_to,
    next_occurrence,
)
from schedules.states import ScheduleState

SECOND, JUST = timedelta(seconds=1), timedelta.resolution
MOVED = ("time", "weekdays", "day_of_month", "valid_from")


class Scope(StrEnum):
    """How much of a series moves with the one time that was named."""

    ONE = "one"  # nothing else
    LATER = "later"
    ALL = "all"


@dataclass(frozen=True)
class Moved:
    """`row` goes on at the new times. `ended`: what sends those before, where they are two."""

    row: Schedule
    ended: Schedule | None = None


@dataclass(frozen=True)
class _Wanted:
    """What was asked for, reckoned."""

    named: datetime  # the time that was named, as the rule appoints it
    move: Move
    timing: Timing  # afterwards
    was_cleared: bool


@transaction.atomic
def move_series(
    schedule: Schedule,
    appointed_at: datetime,
    wall: datetime,
    *,
    scope: Scope,
    by: Any,
    seen: int | None = None,
) -> Moved:
    """Have what the timing appoints to this moment go at this time of the schedule's wall clock,
    and with it those after it, or all to come, by as much. `seen` is the revision that the actor
    looked at. Raises Refused."""
    row = lock(schedule, by=by, act=Act.CHANGE)
    lock_targets(row)
    now = database_now()  # after the locks: it may have waited for them
    refuse_if_changed(row, seen)
    move, timing = _reckon(row, appointed_at, wall, scope, now)
    wanted = _Wanted(appointed_at, move, timing, is_cleared(row))
    remains = _remains_before(row, move.since, now)
    if remains and row.state == ScheduleState.PAUSED:
        raise Refused(_("Resume it first: it would become two schedules."))
    changes = OccurrenceChange.of(row, min(now, move.since) - JUST)
    stand = withdraw_from(row, move.since, now)
    if _is_too_late(wanted, changes, stand, now):
        raise Refused(_("It is too late for that: this one is being sent, or its time has come."))
    return (_split if remains else _in_place)(row, wanted, by=by, now=now)


def _reckon(
    row: Schedule, appointed_at: datetime, wall: datetime, scope: Scope, now: datetime
) -> tuple[Move, Timing]:
    """Raises Refused."""
    rule = time_of_rule(row, appointed_at)
    if row.drafts.exists():
        raise Refused(_("It has changes that are not saved yet. Save or discard them first."))
    if rule.due_at <= now:
        raise Refused(_("Its own time has passed: this one alone can be moved."))
    since = appointed_at
    if scope == Scope.ALL:
        coming = next_occurrence(row.timing, now)
        since = coming.due_at if coming else appointed_at
    try:
        move, timing = move_to(row.timing, appointed_at, wall, since)
    except NoShiftError as error:
        raise Refused(error) from error
    if not move.span:
        raise Refused(_("It goes at that time already."))
    if move.goes_at(appointed_at) <= now:
        raise Refused(_("This time has passed."))
    if move.first_due_at <= now:
        raise Refused(_("The next one would come into the past. Move this one and those after it."))
    return move, timing


def _remains_before(row: Schedule, since: datetime, now: datetime) -> bool:
    """Whether something that the rule appoints before then is still to go."""
    start = min(row.next_due_at or now, now) - JUST  # what is due is planned within seconds
    exceptions = HolidayException.table(row.holiday_country)
    changes = OccurrenceChange.of(row, start)
    coming = changed_occurrences(row.timing, start, exceptions=exceptions, changes=changes)
    latest = max([since, *(change.due_at for change in changes.values() if change.due_at)])
    for one in coming:
        if one.due_at > latest:
            break
        if one.appointed_at < since and not one.skipped:
            return True
    return False


def _is_too_late(
    wanted: _Wanted, changes: Changes, stand: Mapping[datetime, datetime], now: datetime
) -> bool:
    """Whether one that would move goes, or went, at its old time. What a person had put before
    this moment, and went then, may go along: it does not go again."""
    for at, due_at in stand.items():
        was_put = at in changes and changes[at].due_at == due_at
        if at == wanted.named or due_at > now or not was_put:
            return True
    return any(
        change.due_at and change.due_at <= now and at not in stand
        for at, change in changes.items()
        if at >= wanted.move.since
    )


def _split(row: Schedule, wanted: _Wanted, *, by: Any, now: datetime) -> Moved:
    """It ends before; a new one goes on."""
    move, ended_before = wanted.move, row.valid_until
    values = {name: getattr(row, name) for name in COLUMNS} | _columns(wanted.timing)
    values |= {"valid_from": move.first_due_at, "template": row.template, "terms": row.terms}
    new = create_draft(by=by, unit=row.unit, uid=uuid4(), **values)
    copy_content(row, new)
    _carry_over(row, new, wanted, now)
    row.valid_until = move.since - SECOND
    row.next_due_at = next_time(row, now)
    row.revision += 1
    row.save(update_fields=["valid_until", "next_due_at", "revision", "updated_at"])
    if wanted.was_cleared:
        clear_as_it_is(row)  # it sends less: that needs nobody's approval
    _check(new, wanted, by=by, now=now)
    path = row.unit.path
    facts = {"valid_until": [_told(ended_before), _told(row.valid_until)], "goes_on": _name(new)}
    history.record("split", row, by=by, now=now, unit_path=path, changes=facts)
    facts = summary(new) | {"continues": _name(row)}
    history.record("created", new, by=by, now=now, unit_path=path, changes=facts)
    activate(new, now, by=by)
    new.refresh_from_db()
    return Moved(new, row)


def _in_place(row: Schedule, wanted: _Wanted, *, by: Any, now: datetime) -> Moved:
    """Nothing remains to be sent as it was: the same schedule goes on."""
    before = {name: _told(getattr(row, name)) for name in MOVED}
    move = wanted.move
    for name, value in _columns(wanted.timing).items():
        setattr(row, name, value)
    if _begins_otherwise(row, move, now):
        row.valid_from = move.first_due_at
    _carry_over(row, row, wanted, now)
    _check(row, wanted, by=by, now=now)
    row.next_due_at = None if row.state == ScheduleState.PAUSED else find_next(row, now)
    row.request = history.present_request()
    row.revision += 1
    row.save(update_fields=[*MOVED, "next_due_at", "revision", "request", "updated_at"])
    if row.state == ScheduleState.ACTIVE:
        go_or_ask(row, by=by, now=now, vouches=wanted.was_cleared)
    elif wanted.was_cleared:
        vouch(row, by=by)
    after = {name: _told(getattr(row, name)) for name in MOVED}
    changes = {name: [before[name], after[name]] for name in MOVED if before[name] != after[name]}
    history.record("updated", row, by=by, now=now, unit_path=row.unit.path, changes=changes)
    return Moved(row)


def _begins_otherwise(row: Schedule, move: Move, now: datetime) -> bool:
    """Whether the new rule, left to itself, would send one more before the first, or not that."""
    if row.valid_from and row.valid_from > move.first_due_at:
        return True
    first = next_occurrence(row.timing, now)
    return first is not None and first.due_at < move.first_due_at


def _carry_over(source: Schedule, target: Schedule, wanted: _Wanted, now: datetime) -> None:
    """What people want of single times goes along; that the named one goes at another time is
    said by the move now. Of one that stays, what would come to other times is forgotten."""
    rows = list(source.changes.filter(appointed_at__gt=min(now, wanted.move.since - JUST)))
    exceptions = HolidayException.table(source.holiday_country)
    known = {row.appointed_at: row.change for row in rows}
    carried = wanted.move.carried(known, exceptions)
    gone = rows if source is target else [row for row in rows if row.appointed_at in carried]
    source.changes.filter(pk__in=[row.pk for row in gone]).delete()
    new = []
    for row in rows:
        at = carried.get(row.appointed_at)
        is_named = row.appointed_at == wanted.named
        due_at = None if is_named or row.due_at == at else row.due_at
        skips = row.skips and not is_named
        if at and (skips or due_at or row.text):
            kept = {"changed_at": row.changed_at, "changed_by": row.changed_by, "text": row.text}
            new.append(OccurrenceChange(
                schedule=target, appointed_at=at, skips=skips, due_at=due_at, **kept
            ))  # fmt: skip
    OccurrenceChange.objects.bulk_create(new)


def _check(row: Schedule, wanted: _Wanted, *, by: Any, now: datetime) -> None:
    """Raises Refused, as its registration would; and where two of it would come to one time."""
    if found := rules.problems(row, by=by, now=now):
        raise Refused(" ".join(text for texts in found.values() for text in texts))
    exceptions = HolidayException.table(row.holiday_country)
    changes = OccurrenceChange.of(row, now)
    for change in changes.values():
        if change.due_at is None or change.due_at <= now:
            continue
        own = changes.get(change.due_at)
        leaves = own is not None and (own.skips or own.due_at is not None)
        if appointed(row.timing, change.due_at, exceptions) and not leaves:
            raise Refused(_("Another one of this schedule goes at that time."))


def _columns(timing: Timing) -> dict[str, Any]:
    weekdays = sorted(timing.weekdays)
    return {"time": timing.time, "weekdays": weekdays, "day_of_month": timing.day_of_month}


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if value else ""


def _name(row: Schedule) -> str:
    return f"{row.title} ({row.pk})"
