"""What is to go: the coming times of schedules, by the function that the planner uses."""

from collections import defaultdict
from datetime import date, datetime
from heapq import merge
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from orgs.reach import Act, under, within
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.recurrence import Kind
from schedules.shown import windows
from schedules.shown.calendar.asked import Asked
from schedules.shown.calendar.entry import Entry, Shown
from schedules.shown.calendar.more import Rest, count_more, rest_of
from schedules.shown.calendar.moving import may_move
from schedules.shown.calendar.walks import DAY, JUST, Known, Time, state_of, walk
from schedules.shown.coming import reason_in_words
from schedules.states import RunState, ScheduleState

LOOKED_AT = 2_500  # coming times
SCHEDULES = (60, 500)  # whose times are shown one by one, the soonest first: at least, at most


def entries_ahead(
    asked: Asked, shown: Shown, most: int, now: datetime, planned: set[tuple[int, datetime]]
) -> list[Entry]:
    begin = max(asked.begin, now)
    schedules, beyond = _schedules(asked, shown, begin)
    if not schedules:
        return []
    shown.countries = {row.holiday_country for row in schedules if row.holiday_country}
    exceptions = HolidayException.tables(shown.countries)
    changes = OccurrenceChange.of_all([row.pk for row in schedules], begin - JUST)
    known = Known(asked, begin, exceptions, changes)
    walks = [walk(number, row, known) for number, row in enumerate(schedules)]
    changeable = within(
        asked.by, Schedule.objects.filter(pk__in=[row.pk for row in schedules]), Act.CHANGE
    )
    mine = set(changeable.values_list("pk", flat=True))
    zone, left = ZoneInfo(asked.zone), LOOKED_AT
    of_day: dict[date, int] = defaultdict(int)
    found: list[Entry] = []
    often: dict[int, date] = {}
    rest = rest_of(asked, shown, beyond, begin)
    for time in merge(*walks):
        row, day = schedules[time.place], time.due_at.astimezone(zone).date()
        left -= time.price
        if left < 0:
            shown.until = time.due_at
            rest += _rest(schedules, time, often, asked)
            break
        if time.is_often:
            often[time.place] = day
        state = state_of(row, time.occurrence)
        if (row.pk, time.due_at) in planned or asked.state not in ("", state):
            continue
        of_day[day] += 1
        if of_day[day] > most:
            shown.more[day][state] += 1
        else:
            found.append(_of_time(row, time, state, row.pk in mine and may_move(row)))
    count_more(asked, shown, rest, planned)
    return found


def next_after(asked: Asked) -> Schedule | None:
    """What goes first after these days, of what is narrowed to."""
    if asked.is_void or asked.kind == Kind.NOW:
        return None
    going = (ScheduleState.ACTIVE, ScheduleState.WAITING)
    rows = _narrowed(asked).filter(state__in=going, next_due_at__gte=asked.end)
    return rows.first()


def _rest(
    schedules: list[Schedule], last: Time, often: dict[int, date], asked: Asked
) -> list[Rest]:
    """What is left of them from this time on, which is not shown any more."""
    today = last.due_at.astimezone(ZoneInfo(asked.zone)).date()
    found = []
    for place, row in enumerate(schedules):
        since = last.due_at + (JUST if place < last.place else 0 * JUST)
        if often.get(place) == today:  # it stands there already, for all of that day
            since = windows.midnight(today + DAY, asked.zone)
        found.append(Rest(row, max(since, row.next_due_at or since)))
    return found


def _schedules(
    asked: Asked, shown: Shown, begin: datetime
) -> tuple[list[Schedule], list[QuerySet[Schedule]]]:
    """Those that go in this time, the soonest first; and those beyond them, which are counted."""
    if asked.kind == Kind.NOW or begin >= asked.end:
        return [], []
    least, most = SCHEDULES
    count = min(max(LOOKED_AT // len(asked.days), least), most)
    states = {
        "": (ScheduleState.ACTIVE, ScheduleState.WAITING),
        RunState.PLANNED: (ScheduleState.ACTIVE,),
        RunState.SKIPPED: (ScheduleState.ACTIVE, ScheduleState.WAITING),
        ScheduleState.WAITING: (ScheduleState.WAITING,),
    }.get(asked.state, ())
    found: list[Schedule] = []
    beyond: list[QuerySet[Schedule]] = []
    for state in states:  # each has an index of its own
        rows = _going(asked, begin).filter(state=state)
        some = list(rows[: count + 1])
        if len(some) > count:
            shown.has_more_schedules = True
            beyond.append(rows.filter(_after(some[count - 1])))
        found += some[:count]
    return found, beyond


def _after(row: Schedule) -> Q:
    """In the order of their next times."""
    return Q(next_due_at__gt=row.next_due_at) | Q(next_due_at=row.next_due_at, pk__gt=row.pk)


def _going(asked: Asked, begin: datetime) -> QuerySet[Schedule]:
    rows = _narrowed(asked).filter(next_due_at__lt=asked.end)
    return rows.exclude(timing_kind=Kind.ONCE.value, next_due_at__lt=begin)


def _narrowed(asked: Asked) -> QuerySet[Schedule]:
    """The soonest first."""
    rows = within(asked.by, Schedule.objects.present())
    if asked.unit:
        rows = under(asked.unit, rows)
    if asked.room:
        rows = rows.filter(rooms=asked.room)
    if asked.kind:
        rows = rows.filter(timing_kind=asked.kind)
    return rows.select_related("unit").order_by("next_due_at", "id")


def _of_time(row: Schedule, time: Time, state: str, may_change: bool) -> Entry:
    one = time.occurrence
    return Entry(
        row.pk,
        row.title or _("(without a title)"),
        row.unit.name,
        one.due_at,
        one.appointed_at,
        state,
        row.timing_kind,
        reason_in_words(one),
        revision=row.revision,
        is_often=time.is_often,
        is_moved=one.first_due_at is not None,
        may_move=may_change and not time.is_often,
    )
