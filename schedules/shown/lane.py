"""The next 60 minutes: how many schedules go in each of them."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from config.scoped.times import zone_of
from orgs.moments import clock
from orgs.reach import within
from schedules.models import Schedule
from schedules.shown import windows

MINUTES = 60
MARKED = 15  # minutes from one mark of the scale to the next
MOST = 10_001  # schedules that are looked at, as many as a list counts
HEIGHT = 40


@dataclass(frozen=True)
class Bar:
    """The schedules of one minute; its place and height in the drawing."""

    minute: int
    number: int
    height: int
    at: str

    @property
    def top(self) -> int:
        return HEIGHT - self.height


@dataclass(frozen=True)
class Lane:
    """What goes next, on the reader's clock."""

    bars: list[Bar]
    marks: list[str]

    @property
    def total(self) -> int:
        return sum(bar.number for bar in self.bars)


def lane_of(user: Any, now: datetime) -> Lane:
    """Of all schedules within reach; of each its next time alone."""
    zone = zone_of(user)
    coming = within(user, Schedule.objects.present())
    rows: Any = coming
    times = rows.going_before(now + windows.HOUR).order_by().values_list("next_due_at", flat=True)
    counts = Counter(_minute(due_at - now) for due_at in times[:MOST])
    most = max(counts.values(), default=0)
    bars = [
        Bar(minute, number, max(round(HEIGHT * number / most), 6),
            clock(now + timedelta(minutes=minute), zone)[:5])
        for minute, number in sorted(counts.items())
    ]  # fmt: skip
    marks = range(0, MINUTES + 1, MARKED)
    return Lane(bars, [clock(now + timedelta(minutes=mark), zone)[:5] for mark in marks])


def _minute(ahead: timedelta) -> int:
    """What is due already goes at once."""
    return min(max(int(ahead.total_seconds() // 60), 0), MINUTES - 1)
