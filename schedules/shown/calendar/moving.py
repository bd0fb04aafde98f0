"""How much of a series can be moved, and what that would do: the act itself, carried out and taken
back."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orgs.clock import database_now
from schedules import actions, rules
from schedules.actions import Moved, Scope
from schedules.actions.occurrence import has_single_times
from schedules.actions.shift import SHIFTABLE
from schedules.foreseen import Held, foresee
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.recurrence import Kind, Occurrence, changed_occurrences
from schedules.shown.calendar.clashes import clashes_at
from schedules.shown.calendar.one import held_at, occurrence_at
from schedules.shown.coming import words, words_of_held
from schedules.states import ScheduleState

SCOPES = [
    (Scope.ONE.value, _("only this one")),
    (Scope.LATER.value, _("this one and those after it")),
    (Scope.ALL.value, _("all that are to come")),
]
SERIES = (Kind.DAILY, Kind.WEEKLY, Kind.MONTHLY)
COUNTED = 366  # coming times
LOOKED_AT = 10  # of which what holds them is told


@dataclass(frozen=True)
class Foreseen:
    """How it goes after a move."""

    row: Schedule  # what goes on at the new times
    words: str
    first: Occurrence | None  # the first that moved
    count: int  # times to come that go
    is_counted: bool  # False: there are more, or no end
    lost: int  # times that would go as it is now, and then not
    waits: bool  # for approval
    ended: Schedule | None  # what ends before, where it becomes two
    held: list[tuple[datetime, list[Held]]]  # what limits do to the next that moved
    clashes: list[str]  # with whom the first one does

    @property
    def is_free(self) -> bool:
        """Whether nothing has to be said about it."""
        return not (self.held or self.clashes or self.lost or self.waits or self.ended)

    @property
    def held_in_words(self) -> list[tuple[datetime, list[str]]]:
        zone = self.row.zone
        return [(at, [words_of_held(each, zone) for each in held]) for at, held in self.held]


def may_move(row: Schedule) -> bool:
    """Whether its times can be moved as it stands."""
    is_single = row.timing_kind == Kind.ONCE and row.state in SHIFTABLE
    return is_single or has_single_times(row)


def scopes_of(row: Schedule) -> list[tuple[str, Any]]:
    """How much of it can be moved with one of its times."""
    if row.timing_kind == Kind.ONCE:
        return [(Scope.ONE.value, "")]
    return SCOPES if row.timing_kind in SERIES else SCOPES[:1]


def foresee_move(
    schedule: Schedule, at: datetime, wall: datetime, *, scope: Scope, by: Any, seen: int | None
) -> Foreseen:
    """What `move_and_look` would find. Raises Refused as the act would. Nothing of it stays."""
    with transaction.atomic():
        found = move_and_look(schedule, at, wall, scope=scope, by=by, seen=seen)
        transaction.set_rollback(True)
    return found


def move_and_look(
    schedule: Schedule, at: datetime, wall: datetime, *, scope: Scope, by: Any, seen: int | None
) -> Foreseen:
    """Move it, and say how it goes then. Raises Refused."""
    before = _going(schedule, database_now())
    moved = actions.move(schedule, at, wall, scope=scope, by=by, seen=seen)
    return _foreseen(moved, before, at if scope == Scope.ONE else None, by=by, now=database_now())


def _foreseen(
    moved: Moved, before: list[Occurrence], alone: datetime | None, *, by: Any, now: datetime
) -> Foreseen:
    """`alone`: the one that moved is that which is appointed to this moment."""
    row = moved.row
    after = _going(row, now)
    rest = _going(moved.ended, now) if moved.ended else []
    first = after[0] if after else None
    held = _held(row, after[:LOOKED_AT], now)
    if alone and row.timing_kind != Kind.ONCE:
        first = occurrence_at(row, alone)
        held = [(first.due_at, held_at(row, first, now))] if first else []
    is_counted = row.valid_until is not None and len(after) <= COUNTED
    return Foreseen(
        row=row,
        words=words(row, now),
        first=first,
        count=min(len(after), COUNTED),
        is_counted=is_counted,
        lost=max(0, len(before) - len(rest) - len(after)) if is_counted else 0,
        waits=row.state == ScheduleState.WAITING,
        ended=moved.ended,
        held=[(due_at, limits) for due_at, limits in held if limits],
        clashes=clashes_at(row, [first.due_at], by=by, now=now).get(first.due_at, [])
        if first
        else [],
    )


def _held(
    row: Schedule, coming: list[Occurrence], now: datetime
) -> list[tuple[datetime, list[Held]]]:
    found = foresee(row, rules.preview(row, now, LOOKED_AT), now)
    return [(one.due_at, found.get(one.due_at, [])) for one in coming]


def _going(row: Schedule, now: datetime) -> list[Occurrence]:
    """At most one more than are counted."""
    exceptions = HolidayException.table(row.holiday_country)
    changes = OccurrenceChange.of(row, now)
    coming = changed_occurrences(row.timing, now, exceptions=exceptions, changes=changes)
    looked_at = islice(coming, COUNTED * 2)
    return list(islice((one for one in looked_at if not one.skipped), COUNTED + 1))
