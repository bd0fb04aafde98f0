"""What came due while all sending was stopped."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet

from orgs.models import Unit
from orgs.reach import within
from schedules.models import Delivery, Schedule
from schedules.states import DeliveryState, ScheduleState

FIRST = 5  # shown one by one


@dataclass(frozen=True)
class DueCount:
    """So many messages of one unit by one channel."""

    unit: str
    channel: str
    count: int


@dataclass(frozen=True)
class Due:
    """What waits behind the fence, as far as somebody reaches it."""

    counts: list[DueCount]
    first: list[Delivery]
    schedules: int  # whose occurrences were not even planned

    @property
    def total(self) -> int:
        return sum(line.count for line in self.counts)


def due_meanwhile(user: Any, now: datetime) -> Due:
    """Messages and occurrences whose time has come and that were not sent."""
    waiting = within(
        user, Delivery.objects.filter(state=DeliveryState.PLANNED, due_at__lte=now)
    ).order_by()
    unplanned = within(
        user, Schedule.objects.filter(state=ScheduleState.ACTIVE, next_due_at__lte=now)
    )
    return Due(
        counts=_counts(waiting),
        first=list(waiting.select_related("run").order_by("due_at", "id")[:FIRST]),
        schedules=unplanned.count(),
    )


def _counts(waiting: QuerySet[Delivery]) -> list[DueCount]:
    rows = list(
        waiting.values_list("unit_path", "channel").annotate(Count("id")).order_by("unit_path")
    )
    names = _names(path for path, _channel, _count in rows)
    return [DueCount(names.get(path, path), channel, count) for path, channel, count in rows]


def _names(paths: Iterable[str]) -> dict[str, str]:
    return dict(Unit.objects.filter(path__in=set(paths)).values_list("path", "name"))
