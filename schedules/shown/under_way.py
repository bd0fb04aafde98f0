"""What is being sent now, within a person's reach: runs with their rate and the time they still
take, and what became of the latest deliveries."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q

from logs.models import Attempt
from orgs.reach import Act, within
from schedules.models import Delivery, Run
from schedules.states import OPEN_RUN

RUNS = 20
DELIVERIES = 20
MOST_IN_QUEUES = 200  # runs of which something waits for a phone
SOON = timedelta(seconds=30)  # runs that are planned already
LATELY = timedelta(minutes=15)
RECENTLY = timedelta(seconds=30)  # by what ended since then the rate is told
LEAST_RATE = 0.1  # a second: below, what it says of the rest is a guess


@dataclass(frozen=True)
class Progress:
    """One run. `rate` in deliveries a second; `left` in whole seconds, where it can be told."""

    run: Run
    is_paused: bool
    may_act: bool
    rate: float | None
    left: int | None

    @property
    def done(self) -> int:
        return done_of(self.run)

    @property
    def clock(self) -> str:
        """What is left: “2:09”, “1:02:09”."""
        minutes, seconds = divmod(self.left or 0, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def done_of(run: Run) -> int:
    """Deliveries of which nothing more is to come, as last counted."""
    return run.sent + run.failed + run.unconfirmed + run.skipped


def runs_under_way(user: Any, now: datetime) -> tuple[list[Progress], int]:
    """The largest first, and how many there are (at most one more than are shown)."""
    in_queues = Delivery.objects.with_phones().values_list("run_id", flat=True).distinct()
    is_open = Q(state__in=OPEN_RUN) | Q(pk__in=list(in_queues[:MOST_IN_QUEUES]))
    open_runs = within(user, Run.objects.filter(is_open, due_at__lte=now + SOON))
    rows = open_runs.defer("payloads", "content").select_related("pause", "schedule__unit")
    found = list(rows.order_by("-total", "due_at", "id")[: RUNS + 1])
    ids = [run.pk for run in found]
    mine = within(user, Run.objects.filter(pk__in=ids), Act.RUN) if ids else Run.objects.none()
    may_act = set(mine.values_list("pk", flat=True))
    rates = _rates(ids, now)
    shown = [_progress(run, run.pk in may_act, rates.get(run.pk)) for run in found[:RUNS]]
    return shown, len(found)


def latest_deliveries(user: Any, now: datetime) -> list[Delivery]:
    """Those whose time has just come, the latest first."""
    rows = within(user, Delivery.objects.filter(due_at__gte=now - LATELY, due_at__lte=now))
    brought = rows.select_related("run").defer("run__payloads", "run__content", "members")
    return list(brought.order_by("-due_at", "-id")[:DELIVERIES])


def _progress(run: Run, may_act: bool, rate: float | None) -> Progress:
    is_paused = hasattr(run, "pause")
    rate = None if is_paused else rate
    left = None if rate is None else round((run.total - done_of(run)) / rate)
    return Progress(run, is_paused, may_act, rate, left)


def _rates(run_ids: list[int], now: datetime) -> dict[int, float]:
    """By what ended of each in the last seconds, not since it began: pauses and freezes would
    count. A run of which too little has happened to tell is left out."""
    if not run_ids:
        return {}
    since = now - RECENTLY
    # By the tries, which have an index of the time: a run may have a million deliveries.
    tried = Attempt.objects.filter(run_id__in=run_ids, answered_at__gte=since).order_by()
    ended = Delivery.objects.filter(
        run_id__in=run_ids, pk__in=tried.values("delivery_id"), completed_at__gte=since
    )
    rows = ended.order_by().values_list("run_id").annotate(Count("id"), Min("completed_at"))
    rates = {pk: _rate(count, (now - first).total_seconds()) for pk, count, first in rows}
    return {pk: rate for pk, rate in rates.items() if rate >= LEAST_RATE}


def _rate(count: int, seconds: float) -> float:
    return count / seconds if seconds >= 1 else 0.0
