"""Walks: the coming times of one schedule, by the function that the planner uses."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schedules.models import Schedule
from schedules.recurrence import NO_CHANGES, Changes, Exceptions, Occurrence, changed_occurrences
from schedules.shown import windows
from schedules.shown.calendar.asked import Asked
from schedules.states import RunState, ScheduleState

FEW = 3  # times a day that stand one by one; more of one schedule are one entry
OFTEN = 6  # what such an entry costs, in coming times
DAY = timedelta(days=1)
JUST = timedelta.resolution


class Time(NamedTuple):
    """A coming time; in the order of these."""

    due_at: datetime
    place: int
    occurrence: Occurrence
    is_often: bool

    @property
    def price(self) -> int:
        """In coming times that are looked at."""
        return OFTEN if self.is_often else 1


class Known(NamedTuple):
    """What all of them are reckoned with."""

    asked: Asked
    begin: datetime
    exceptions: Exceptions
    changes: Mapping[int, Changes]


def walk(place: int, row: Schedule, known: Known) -> Iterator[Time]:
    """Its times, those of a day with many as one."""
    if row.timing.problems() or row.next_due_at is None:
        return
    timing, zone, end = row.timing, ZoneInfo(known.asked.zone), known.asked.end
    changes = known.changes.get(row.pk, NO_CHANGES)
    after: datetime | None = max(row.next_due_at, known.begin) - JUST
    while after is not None:
        start, after = after, None
        waiting: list[Occurrence] = []
        day = date.min
        for one in changed_occurrences(timing, start, exceptions=known.exceptions, changes=changes):
            if one.due_at >= end:
                break
            today = one.due_at.astimezone(zone).date()
            if today != day:
                yield from (Time(old.due_at, place, old, False) for old in waiting)
                waiting, day = [], today
            waiting.append(one)
            if len(waiting) > FEW:
                yield Time(waiting[0].due_at, place, waiting[0], True)
                waiting = []
                after = windows.midnight(day + DAY, known.asked.zone) - JUST
                break
        yield from (Time(old.due_at, place, old, False) for old in waiting)


def state_of(row: Schedule, occurrence: Occurrence) -> str:
    """As the calendar shows it: waiting for approval, or as the run is going to be."""
    if occurrence.skipped:
        return RunState.SKIPPED.value
    is_waiting = row.state == ScheduleState.WAITING
    return ScheduleState.WAITING.value if is_waiting else RunState.PLANNED.value
