"""Numbers beside the parts of health: ages, what waits, how late it was. Over all units, of which
none is named."""

from datetime import datetime, timedelta

from django.db.models import Count, Max, Min

from logs.models import Attempt
from schedules.dispatch.overdue import overdue

LATELY = timedelta(minutes=5)

Numbers = dict[str, float | None]


def rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(max(seconds, 0.0), 1)


def due(now: datetime) -> Numbers:
    """What is due and nobody holds; and of the last minutes how many went, and the latest."""
    waits = overdue(now).aggregate(count=Count("pk"), oldest=Min("next_try_at"))
    timed = Attempt.objects.filter(answered_at__gte=now - LATELY, lateness_ms__isnull=False)
    went = timed.aggregate(count=Count("pk"), latest=Max("lateness_ms"))
    oldest = waits["oldest"]
    return {
        "waiting": waits["count"],
        "oldest_s": rounded((now - oldest).total_seconds()) if oldest else None,
        "lately_sent": went["count"],
        "lately_latest_ms": went["latest"],
    }
