"""What is to go: the coming times of schedules, by the function that the planner uses."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from heapq import merge
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from orgs.reach import Act, under, within
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.recurrence import (
    NO_CHANGES,
    Changes,
    Exceptions,
    Kind,
    Occurrence,
    changed_occurrences,
)
from schedules.shown import windows
from schedules.shown.calendar.asked import Asked
from schedules.shown.calendar.entry import Entry, Shown
from schedules.shown.calendar.moving import may_move
from schedules.shown.coming import reason_in_words
from schedules.states import RunState, ScheduleState

SCHEDULES = 60  # whose coming times are looked at, the soonest first
LOOKED_AT = 2_500  # coming times
FEW = 3  # times a day that stand one by one; more of one schedule are one entry
OFTEN = 6  # what such an entry costs, in coming times
DAY = timedelta(days=1)
JUST = timedelta.resolution


class _Time(NamedTuple):
    """A coming time; in the order of these."""

    due_at: datetime
    place: int
    occurrence: Occurrence
    is_often: bool


class _Known(NamedTuple):
    """What all of them are reckoned with."""

    asked: Asked
    begin: datetime
    exceptions: Exceptions
    changes: Mapping[int, Changes]


def entries_ahead(
    asked: Asked, shown: Shown, most: int, now: datetime, planned: set[tuple[int, datetime]]
) -> list[Entry]:
    begin = max(asked.begin, now)
    schedules = _schedules(asked, shown, begin)
    if not schedules:
        return []
    shown.countries = {row.holiday_country for row in schedules if row.holiday_country}
    exceptions = HolidayException.tables(shown.countries)
    changes = OccurrenceChange.of_all([row.pk for row in schedules], begin - JUST)
    known = _Known(asked, begin, exceptions, changes)
    walks = [_walk(number, row, known) for number, row in enumerate(schedules)]
    changeable = within(
        asked.by, Schedule.objects.filter(pk__in=[row.pk for row in schedules]), Act.CHANGE
    )
    mine = set(changeable.values_list("pk", flat=True))
    zone, left = ZoneInfo(asked.zone), LOOKED_AT
    of_day: dict[date, int] = defaultdict(int)
    found: list[Entry] = []
    for time in merge(*walks):
        row, day = schedules[time.place], time.due_at.astimezone(zone).date()
        left -= OFTEN if time.is_often else 1
        if left < 0:
            shown.until = time.due_at
            break
        entry = _of_time(row, time, row.pk in mine and may_move(row))
        if (row.pk, time.due_at) in planned or asked.state not in ("", entry.state):
            continue
        of_day[day] += 1
        if of_day[day] > most:
            shown.full_days.add(day)
        else:
            found.append(entry)
    return found


def _schedules(asked: Asked, shown: Shown, begin: datetime) -> list[Schedule]:
    """Those that go in this time, the soonest first."""
    if asked.kind == Kind.NOW or begin >= asked.end:
        return []
    states = {
        "": (ScheduleState.ACTIVE, ScheduleState.WAITING),
        RunState.PLANNED: (ScheduleState.ACTIVE,),
        RunState.SKIPPED: (ScheduleState.ACTIVE, ScheduleState.WAITING),
        ScheduleState.WAITING: (ScheduleState.WAITING,),
    }.get(asked.state, ())
    found: list[Schedule] = []
    for state in states:  # each has an index of its own
        some = list(_going(asked, begin).filter(state=state)[: SCHEDULES + 1])
        shown.has_more_schedules |= len(some) > SCHEDULES
        found += some[:SCHEDULES]
    return found


def _going(asked: Asked, begin: datetime) -> QuerySet[Schedule]:
    rows = within(asked.by, Schedule.objects.present()).filter(next_due_at__lt=asked.end)
    rows = rows.exclude(timing_kind=Kind.ONCE.value, next_due_at__lt=begin)
    if asked.unit:
        rows = under(asked.unit, rows)
    if asked.room:
        rows = rows.filter(rooms=asked.room)
    if asked.kind:
        rows = rows.filter(timing_kind=asked.kind)
    return rows.select_related("unit").order_by("next_due_at", "id")


def _walk(place: int, row: Schedule, known: _Known) -> Iterator[_Time]:
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
                yield from (_Time(old.due_at, place, old, False) for old in waiting)
                waiting, day = [], today
            waiting.append(one)
            if len(waiting) > FEW:
                yield _Time(waiting[0].due_at, place, waiting[0], True)
                waiting = []
                after = windows.midnight(day + DAY, known.asked.zone) - JUST
                break
        yield from (_Time(old.due_at, place, old, False) for old in waiting)


def _of_time(row: Schedule, time: _Time, may_change: bool) -> Entry:
    one = time.occurrence
    is_waiting = row.state == ScheduleState.WAITING
    state = ScheduleState.WAITING.value if is_waiting else RunState.PLANNED.value
    return Entry(
        row.pk,
        row.title or _("(without a title)"),
        row.unit.name,
        one.due_at,
        one.appointed_at,
        RunState.SKIPPED.value if one.skipped else state,
        row.timing_kind,
        reason_in_words(one),
        revision=row.revision,
        is_often=time.is_often,
        is_moved=one.first_due_at is not None,
        may_move=may_change and not time.is_often,
    )
