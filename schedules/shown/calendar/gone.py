"""What went, and what is planned already: the runs."""

from datetime import datetime, timedelta
from typing import Any

from logs.said import retell
from orgs.reach import under, within
from schedules.models import Delivery, Run
from schedules.shown import windows
from schedules.shown.calendar.asked import Asked
from schedules.shown.calendar.entry import Entry, Shown
from schedules.states import ScheduleState

DAY = timedelta(days=1)

COLUMNS = ("pk", "schedule_id", "title", "due_at", "first_due_at", "state", "reason", "detail",
           "kind", "schedule__unit__name")  # fmt: skip


def entries_gone(asked: Asked, shown: Shown, most: int, now: datetime) -> list[Entry]:
    """A question for each day: a day of many thousands costs no more than one of few."""
    if asked.state == ScheduleState.WAITING:
        return []
    rows = within(asked.by, Run.objects.all())
    if asked.unit:
        rows = under(asked.unit, rows)
    if asked.state:
        rows = rows.filter(state=asked.state)
    if asked.kind:
        rows = rows.filter(kind=asked.kind)
    if asked.room:
        sent = Delivery.objects.filter(room=asked.room)
        near = sent.filter(due_at__gte=asked.begin, due_at__lt=asked.end)
        rows = rows.filter(pk__in=near.values("run_id"))
    found: list[Entry] = []
    for day in asked.days:
        begin, end = (windows.midnight(at, asked.zone) for at in (day, day + DAY))
        if begin > now + DAY:
            break  # nothing is planned so far ahead
        of_day = rows.filter(due_at__gte=begin, due_at__lt=end).order_by("due_at", "id")
        some = list(of_day.values_list(*COLUMNS)[: most + 1])
        if len(some) > most:
            shown.full_days.add(day)
        found += [_of_run(row) for row in some[:most]]
    return found


def _of_run(row: tuple[Any, ...]) -> Entry:
    pk, schedule_id, title, due_at, first_due_at, state, reason, detail, kind, unit = row
    why = str(Run.Reason(reason).label) if reason else ""
    if detail:
        why = f"{why} ({retell(detail)})"
    return Entry(
        schedule_id, title, unit, due_at, first_due_at or due_at, state, kind, why, run_id=pk,
        is_moved=first_due_at is not None,
    )  # fmt: skip
