"""The totals of a run: derived from its deliveries, never counted up."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count

from logs import history
from schedules.models import Delivery, Run
from schedules.states import OPEN_RUN, SUCCESS, DeliveryState, RunState, move, run_state

logger = logging.getLogger(__name__)

Totals = tuple[tuple[str, int], ...]

SENDING, UNCONFIRMED = RunState.SENDING, RunState.UNCONFIRMED
ENDED_EARLY = (DeliveryState.FAILED, DeliveryState.CANCELLED, DeliveryState.SKIPPED)


def add_up(run_ids: Iterable[int], now: datetime) -> None:
    """Bring the totals and the state of these runs up to date. Inside a transaction."""
    # The lock makes the counts of two settling workers follow each other.
    rows = Run.objects.filter(id__in=list(run_ids)).defer("payloads", "content").order_by("id")
    runs = [run for run in rows.select_for_update() if run.state in (*OPEN_RUN, UNCONFIRMED)]
    counts = _counts(runs)
    begun = _with_sent_parts(runs, counts)
    # Runs with the same outcome are written together: a thousand small ones are one update.
    alike: dict[tuple[RunState, Totals], list[Run]] = defaultdict(list)
    for run in runs:
        to = run_state(counts[run.pk], parts_sent=run.pk in begun)
        alike[to, _totals(counts[run.pk])].append(run)
    for (to, totals), members in alike.items():
        _write(members, to, dict(totals), now)


def _counts(runs: list[Run]) -> dict[int, dict[str, int]]:
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    rows = Delivery.objects.filter(run__in=runs).values_list("run_id", "state")
    for run_id, state, count in rows.annotate(Count("id")).order_by():
        counts[run_id][state] = count
    return counts


def _with_sent_parts(runs: list[Run], counts: dict[int, dict[str, int]]) -> set[int]:
    """Runs with a delivery that ended before its last part, but after its first."""
    ended = [run.pk for run in runs if any(counts[run.pk].get(state) for state in ENDED_EARLY)]
    if not ended:
        return set()
    begun = Delivery.objects.filter(run_id__in=ended, state__in=ENDED_EARLY, part__gt=0)
    return set(begun.values_list("run_id", flat=True))


def _totals(counts: dict[str, int]) -> Totals:
    return (
        ("sent", sum(counts.get(state, 0) for state in SUCCESS)),
        ("failed", counts.get(DeliveryState.FAILED, 0)),
        ("unconfirmed", counts.get(DeliveryState.UNCONFIRMED, 0)),
        ("skipped", counts.get(DeliveryState.SKIPPED, 0)),
    )


def _write(runs: list[Run], to: RunState, totals: dict[str, int], now: datetime) -> None:
    """`runs` are locked, so that each of them stands where it was read."""
    reopened = [run.pk for run in runs if to == SENDING and run.state == UNCONFIRMED]
    moved = [run for run in runs if to not in (SENDING, run.state)]
    others = {run.pk for run in runs} - {run.pk for run in moved} - set(reopened)
    if reopened:
        move(Run.objects.filter(pk__in=reopened), to, **totals, completed_at=None)
    if others:
        Run.objects.filter(pk__in=others).update(**totals)
    if not moved:
        return
    move(Run.objects.filter(pk__in=[run.pk for run in moved]), to, **totals, completed_at=now)
    said = {name: count for name, count in totals.items() if count}
    rows = [(run, run.unit_path) for run in moved]
    history.record_machine(to.value, rows, now=now, changes=said)
    if to in (RunState.FAILED, RunState.PARTIAL, UNCONFIRMED):
        for run in moved:
            logger.error("run %s of schedule %s: %s", run.pk, run.schedule_id, to.value)
