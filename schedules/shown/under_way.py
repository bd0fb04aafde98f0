"""What is being sent now, within a person's reach: runs with their rate and the time they still
take, and what became of the latest deliveries."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from orgs.reach import Act, within
from schedules.models import Delivery, Run
from schedules.states import OPEN_RUN

RUNS = 20
DELIVERIES = 20
MOST_IN_QUEUES = 200  # runs of which something waits for a phone
SOON = timedelta(seconds=30)  # runs that are planned already
LATELY = timedelta(minutes=15)
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
    return [_progress(run, run.pk in may_act, now) for run in found[:RUNS]], len(found)


def latest_deliveries(user: Any, now: datetime) -> list[Delivery]:
    """Those whose time has just come, the latest first."""
    rows = within(user, Delivery.objects.filter(due_at__gte=now - LATELY, due_at__lte=now))
    brought = rows.select_related("run").defer("run__payloads", "run__content", "members")
    return list(brought.order_by("-due_at", "-id")[:DELIVERIES])


def _progress(run: Run, may_act: bool, now: datetime) -> Progress:
    is_paused = hasattr(run, "pause")
    rate = None if is_paused else _rate(run, now)
    left = None if rate is None else round((run.total - done_of(run)) / rate)
    return Progress(run, is_paused, may_act, rate, left)


def _rate(run: Run, now: datetime) -> float | None:
    """Since it began; None where too little has happened to tell."""
    seconds = (now - run.started_at).total_seconds() if run.started_at else 0
    done = done_of(run)
    rate = done / seconds if seconds >= 1 else 0.0
    return rate if rate >= LEAST_RATE else None
