"""Several times, moved by as much and looked at: what `move` would answer to each, one after the
other. Nothing is written or held, and many times of series take as many questions as one."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils.translation import gettext as _

from orgs.reach import Act, within
from schedules import rules
from schedules.actions.clearing import asked_in_each
from schedules.actions.move import span_of_single
from schedules.actions.occurrence import (
    check_wanted,
    refuse_if_late,
    refuse_if_taken,
    refuse_twin,
    tidied,
    time_of_rule,
)
from schedules.actions.refusal import OutOfReach, Refused
from schedules.actions.replan import appointed_runs_of, begun
from schedules.actions.shift import foresee_shift
from schedules.bookings.bounds import bounds_of, bounds_of_audiences
from schedules.models import HolidayException, OccurrenceChange, Run, Schedule
from schedules.recurrence import Change, Changes, Kind
from schedules.recurrence.moments import first_moment
from schedules.recurrence.quiet import Quiet
from schedules.runs.freeze import with_content
from schedules.states import RunState, ScheduleState

TWINS = 100  # schedules with the same content that are looked at
JUST = timedelta.resolution

Time = tuple[int, datetime]  # a schedule's id, and when its rule appoints it


def foresee_moves(
    times: Sequence[Time], span: timedelta, *, by: Any, now: datetime
) -> list[datetime | Refused]:
    """For each, when it would go, or why it would not."""
    look = _Look(times, span, by=by, now=now)
    return [look.answer(*time) for time in times]


class _Look:
    """What the tables say, with what was answered to the times before."""

    def __init__(self, times: Sequence[Time], span: timedelta, *, by: Any, now: datetime) -> None:
        self._span, self._by, self._now = span, by, now
        chosen = Schedule.objects.filter(deleted_at=None, pk__in={pk for pk, _at in times})
        self._rows = {row.pk: row for row in with_content(within(by, chosen, Act.CHANGE))}
        rows = self._rows.values()
        self._twins = _twins_of(rows)
        both = [*rows, *self._twins]
        self._exceptions = HolidayException.tables({row.holiday_country for row in both})
        since = min([now, *(at for _pk, at in times)]) - JUST
        self._changes: dict[int, dict[datetime, Change]] = defaultdict(dict)
        self._changes |= OccurrenceChange.of_all({row.pk for row in both}, since)
        self._asking = asked_in_each({row.unit.path for row in rows}, by)
        self._quiet = _quiet_of(rows)
        self._runs = _runs_of(times)
        known = [(self._rows[pk], at) for pk, at in times if pk in self._rows]
        self._runs_then = _runs_at({(row.pk, self._end(row, at)) for row, at in known})

    def answer(self, pk: int, at: datetime) -> datetime | Refused:
        try:
            return self._move(pk, at)
        except Refused as error:
            return error

    def _move(self, pk: int, at: datetime) -> datetime:
        """As `move` and `change_one`, with which it agrees. Raises Refused."""
        row = self._rows.get(pk)
        if row is None:
            raise OutOfReach(_("There is no such schedule."))
        if row.timing_kind == Kind.ONCE:
            return self._move_single(row, at)
        rule = time_of_rule(row, at, self._exceptions)
        changes = self._changes[pk]
        before, due_at = changes.get(at, Change()), self._end(row, at)
        wanted = tidied(replace(before, skips=False, due_at=due_at), at)
        must_ask = row.unit.path in self._asking
        check_wanted(row, rule, wanted, must_ask=must_ask, quiet=self._quiet[pk], now=self._now)
        own = self._runs[pk, at]
        is_free = all(self._may_withdraw(run) for run in own)
        refuse_if_late(before.due_at or at, self._now, is_free=is_free)
        has_run = bool(self._runs_then[pk, due_at] - {run.pk for run in own})
        refuse_if_taken(row, rule, due_at, changes, self._exceptions, has_run=has_run)
        self._refuse_twin(row, changes | {at: wanted})
        changes[at] = wanted
        for run in own:
            self._runs_then[pk, run.due_at].discard(run.pk)
        return due_at

    def _move_single(self, row: Schedule, at: datetime) -> datetime:
        """A message that goes once moves as the schedule that it is."""
        span = span_of_single(row, at, self._wall(row, at))
        foresee_shift(row, by=self._by, span=span, now=self._now)
        return self._end(row, at)

    def _wall(self, row: Schedule, at: datetime) -> datetime:
        stands_at = self._changes[row.pk].get(at, Change()).due_at or at
        return stands_at.astimezone(ZoneInfo(row.zone)).replace(tzinfo=None) + self._span

    def _end(self, row: Schedule, at: datetime) -> datetime:
        wall = self._wall(row, at)
        return first_moment(wall, ZoneInfo(row.zone)).due_at.astimezone(UTC)

    def _may_withdraw(self, run: Any) -> bool:
        is_to_come = run.state in (RunState.PLANNED, RunState.SKIPPED) and run.due_at > self._now
        return is_to_come and not run.has_begun

    def _refuse_twin(self, row: Schedule, changes: Changes) -> None:
        others = [twin for twin in self._twins if _is_twin(twin, row)]
        if not others:
            return
        known = {**self._changes, row.pk: changes}
        twin = rules.twin_among(others, row, known, now=self._now, exceptions=self._exceptions)
        if twin:
            refuse_twin(rules.twin_problems(row, twin.title, twin.unit.path))


def _runs_of(times: Collection[Time]) -> dict[Time, list[Any]]:
    """Those that the timing made of these times, each with whether it has begun."""
    ids, moments = {pk for pk, _at in times}, {at for _pk, at in times}
    rows = appointed_runs_of(ids).filter(trigger=Run.Trigger.TIMING, at__in=moments)
    found = defaultdict(list)
    for run in rows.annotate(has_begun=begun()).only("schedule_id", "state", "due_at"):
        found[run.schedule_id, run.at].append(run)
    return found


def _runs_at(ends: Collection[Time]) -> dict[Time, set[int]]:
    """The ids of the runs of these schedules that stand at these times."""
    ids, moments = {pk for pk, _at in ends}, {at for _pk, at in ends}
    rows = Run.objects.filter(schedule__in=ids, due_at__in=moments)
    found = defaultdict(set)
    for pk, schedule_id, due_at in rows.values_list("pk", "schedule_id", "due_at"):
        found[schedule_id, due_at].add(pk)
    return found


def _quiet_of(rows: Collection[Schedule]) -> dict[int, list[Quiet]]:
    """By schedule, the quiet hours of its rooms or of its audience."""
    of_rooms = bounds_of({room for row in rows for room in row.rooms.all()})
    of_units = bounds_of_audiences({row.unit for row in rows if row.audience_id})
    found = {}
    for row in rows:
        if row.audience_id:
            bounds = [of_units[row.unit_id]]
        else:
            bounds = [of_rooms[room.pk] for room in row.rooms.all()]
        found[row.pk] = [bound.quiet for bound in bounds if bound.quiet]
    return found


def _twins_of(rows: Collection[Schedule]) -> list[Schedule]:
    """Active schedules with the content of one of these, to a room or an audience of one."""
    rooms = {room.pk for row in rows for room in row.rooms.all()}
    audiences = {row.audience_id for row in rows if row.audience_id}
    same = Schedule.objects.present().filter(
        Q(rooms__in=rooms) | Q(audience__in=audiences),
        state=ScheduleState.ACTIVE,
        content_hash__in={row.content.digest for row in rows},
    )
    return list(same.select_related("unit").prefetch_related("rooms").distinct()[:TWINS])


def _is_twin(other: Schedule, row: Schedule) -> bool:
    if other.pk == row.pk or other.content_hash != row.content.digest:
        return False
    if row.audience_id:
        return other.audience_id == row.audience_id
    return bool({*other.rooms.all()} & {*row.rooms.all()})
