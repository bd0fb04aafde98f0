"""The latest runs of schedules, for the spark lines of a list."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db.models import OuterRef, Q, QuerySet, Subquery

from schedules.models import Run, Schedule
from schedules.states import RunState

RUNS = 12  # of each schedule


class Recent(NamedTuple):
    """What a list shows of a run."""

    schedule_id: int
    due_at: datetime
    zone: str
    state: str
    reason: str
    total: int
    sent: int
    recipients: int | None
    expected: int | None


def recent_runs(schedules: Collection[Schedule]) -> dict[int, list[Recent]]:
    """By schedule, its latest runs, the newest first; not what is still planned. Two questions
    for however many, each answered by a few rows of the index on schedule and time."""
    found: dict[int, list[Recent]] = defaultdict(list)
    if not schedules:
        return found
    # In one go: to add them one to another copies all that there are so far, each time.
    wanted = [
        Q(schedule=pk, due_at__gte=oldest) if oldest else Q(schedule=pk)
        for pk, oldest in _oldest_shown(schedules)
    ]
    runs = _over().filter(Q(*wanted, _connector=Q.OR)).order_by("schedule_id", "-due_at")
    for run in map(Recent._make, runs.values_list(*Recent._fields)):
        found[run.schedule_id].append(run)
    return found


def _oldest_shown(schedules: Collection[Schedule]) -> QuerySet:
    """Of each the time of the last run that is shown; None: there are not so many."""
    own = _over().filter(schedule=OuterRef("pk")).order_by("-due_at").values("due_at")
    rows = Schedule.objects.filter(pk__in=[schedule.pk for schedule in schedules]).order_by()
    return rows.values_list("pk", Subquery(own[RUNS - 1 : RUNS]))


def _over() -> QuerySet[Run]:
    return Run.objects.exclude(state=RunState.PLANNED)
