"""Numbers beside the parts of health: ages, what waits, how late it was. Over all units, of which
none is named."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min

from logs.models import Attempt
from orgs.clock import clock_offset
from schedules.dispatch.overdue import overdue
from schedules.models import Heartbeat, Installation

LATELY = timedelta(minutes=5)
ALIVE = timedelta(seconds=10)

Numbers = dict[str, float | None]


def vitals(now: datetime) -> dict[str, Numbers]:
    """By part. None: there is nothing to measure."""
    return {
        "database": {"clock_ahead_s": round(clock_offset(), 3)},
        "dispatcher": {"age_s": _age_of(Heartbeat.Kind.LOOP, now)},
        "fence": {"age_s": _fenced_for(now)},
        "due": _due(now),
        "workers": {"alive": Heartbeat.alive(Heartbeat.Kind.LOOP, now, within=ALIVE)},
        "beat": {"age_s": _age_of(Heartbeat.Kind.TICK, now)},
    }


def _age_of(kind: Any, now: datetime) -> float | None:
    age = Heartbeat.age(kind, now)
    return None if age is None else round(max(age, 0.0), 1)


def _fenced_for(now: datetime) -> float | None:
    row = Installation.objects.fenced()
    return round((now - row.fenced_at).total_seconds(), 1) if row and row.fenced_at else None


def _due(now: datetime) -> Numbers:
    """What is due and nobody holds; and of the last minutes how many went, and the latest."""
    waits = overdue(now).aggregate(count=Count("pk"), oldest=Min("next_try_at"))
    timed = Attempt.objects.filter(answered_at__gte=now - LATELY, lateness_ms__isnull=False)
    went = timed.aggregate(count=Count("pk"), latest=Max("lateness_ms"))
    oldest = waits["oldest"]
    return {
        "waiting": waits["count"],
        "oldest_s": round((now - oldest).total_seconds(), 1) if oldest else None,
        "lately_sent": went["count"],
        "lately_latest_ms": went["latest"],
    }
