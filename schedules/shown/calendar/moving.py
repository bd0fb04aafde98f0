"""How much of a series can be moved, and what that would do: the act itself, carried out and taken
back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orgs.clock import database_now
from schedules import rules
from schedules.actions.occurrence import has_single_times
from schedules.actions.series import Moved, Scope
from schedules.actions.shift import SHIFTABLE
from schedules.foreseen import foresee
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.recurrence import Kind, Occurrence, changed_occurrences
from schedules.shown.calendar.clashes import clashes_at
from schedules.shown.coming import words, words_of_held
from schedules.states import ScheduleState

ALONE, SINGLE = "one", "single"  # one of a series; a message that goes once
SCOPES = [
    (ALONE, _("only this one")),
    (Scope.LATER.value, _("this one and those after it")),
    (Scope.ALL.value, _("all that are to come")),
]
SERIES = (Kind.DAILY, Kind.WEEKLY, Kind.MONTHLY)
COUNTED = 366  # coming times
LOOKED_AT = 10  # of which what holds them is told


@dataclass(frozen=True)
class Foreseen:
    """How a series would go."""

    words: str
    first: Occurrence | None
    count: int  # times to come that go
    is_counted: bool  # False: there are more, or no end
    lost: int  # times that would go as it is now, and then not
    waits: bool  # for approval
    ended: Schedule | None  # what would end, where it becomes two
    held: list[tuple[datetime, list[str]]]  # what limits do to the next ones
    clashes: list[str]  # with whom the first one does
    zone: str


def may_move(row: Schedule) -> bool:
    """Whether its times can be moved as it stands."""
    is_single = row.timing_kind == Kind.ONCE and row.state in SHIFTABLE
    return is_single or has_single_times(row)


def scopes_of(row: Schedule) -> list[tuple[str, Any]]:
    """How much of it can be moved with one of its times."""
    if row.timing_kind == Kind.ONCE:
        return [(SINGLE, "")]
    return SCOPES if row.timing_kind in SERIES else SCOPES[:1]


def foresee_move(schedule: Schedule, act: Callable[[], Moved], *, by: Any) -> Foreseen:
    """Raises Refused as the act would. Nothing of it stays."""
    before = _going(schedule, database_now())
    with transaction.atomic():
        moved = act()
        now = database_now()
        found = _foreseen(moved, before, by=by, now=now)
        transaction.set_rollback(True)
    return found


def _foreseen(moved: Moved, before: list[Occurrence], *, by: Any, now: datetime) -> Foreseen:
    row = moved.row
    after = _going(row, now)
    rest = _going(moved.ended, now) if moved.ended else []
    coming = after[:LOOKED_AT]
    is_counted = row.valid_until is not None and len(after) <= COUNTED
    held = foresee(row, rules.preview(row, now, LOOKED_AT), now)
    return Foreseen(
        words=words(row, now),
        first=after[0] if after else None,
        count=min(len(after), COUNTED),
        is_counted=is_counted,
        lost=max(0, len(before) - len(rest) - len(after)) if is_counted else 0,
        waits=row.state == ScheduleState.WAITING,
        ended=moved.ended,
        held=[
            (one.due_at, [words_of_held(each, row.zone) for each in held[one.due_at]])
            for one in coming
            if held.get(one.due_at)
        ],
        clashes=clashes_at(row, after[0].due_at, by=by, now=now) if after else [],
        zone=row.zone,
    )


def _going(row: Schedule, now: datetime) -> list[Occurrence]:
    """At most one more than are counted."""
    exceptions = HolidayException.table(row.holiday_country)
    changes = OccurrenceChange.of(row, now)
    coming = changed_occurrences(row.timing, now, exceptions=exceptions, changes=changes)
    looked_at = islice(coming, COUNTED * 2)
    return list(islice((one for one in looked_at if not one.skipped), COUNTED + 1))
