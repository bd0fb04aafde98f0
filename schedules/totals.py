"""The totals of a run: derived from its deliveries, never counted up."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, OuterRef

from logs import history
from schedules import results
from schedules.models import Delivery, Run
from schedules.outcomes.keep import note_changes
from schedules.states import (
    OPEN_DELIVERY,
    OPEN_RUN,
    OUTCOMES,
    DeliveryState,
    RunState,
    move,
    run_state,
)

logger = logging.getLogger(__name__)

Totals = tuple[tuple[str, int], ...]

SENDING, UNCONFIRMED = RunState.SENDING, RunState.UNCONFIRMED
ENDED_EARLY = (DeliveryState.FAILED, DeliveryState.CANCELLED, DeliveryState.SKIPPED)

# To count all of a large run for every few answers of it is quadratic work, under a lock for
# which its workers wait. So a process counts one at most once in a while.
LARGE = 1000
WHILE = timedelta(seconds=1)

_added_up: dict[int, datetime] = {}  # large runs, and when this process counted them
_owed: set[int] = set()  # those of them that have changed since


def add_up_at_times(run_ids: Iterable[int], now: datetime) -> set[int]:
    """As add_up, but leaves out the large runs that it counted a moment ago, and returns them:
    they are for `add_up_ended` after the transaction, and for `add_up_owed` a second later."""
    wanted = set(run_ids)
    waiting = {pk for pk in wanted if _is_fresh(pk, now)}
    _owed.update(waiting)
    add_up(wanted - waiting, now)
    return waiting


def add_up_ended(run_ids: Iterable[int], now: datetime) -> None:
    """Add up those of these runs that have nothing open any more.

    Not inside the transaction that ended them: of two workers that write the last deliveries at
    once, neither sees within it what the other does; after it, the later one sees all.
    """
    still_open = Delivery.objects.filter(run=OuterRef("pk"), state__in=OPEN_DELIVERY)
    runs = Run.objects.filter(id__in=list(run_ids))
    ended = list(runs.filter(~Exists(still_open)).values_list("id", flat=True))
    if ended:
        with transaction.atomic():
            add_up(ended, now)


def add_up_owed(now: datetime) -> None:
    """Add up what was left out more than a moment ago; and the large runs that have ended but
    were left open by a worker that died just then."""
    due = [pk for pk in tuple(_owed) if not _is_fresh(pk, now)]
    if due:
        # Before they are counted: what changes meanwhile is owed again.
        _owed.difference_update(due)
        try:
            with transaction.atomic():
                add_up(due, now)
        except BaseException:
            _owed.update(due)
            raise
    for pk in tuple(_added_up):
        if pk not in _owed and not _is_fresh(pk, now):
            _added_up.pop(pk, None)
    large = Run.objects.filter(state=SENDING, total__gt=LARGE).order_by()
    if left_open := list(large.values_list("id", flat=True)):
        add_up_ended(left_open, now)


def add_up(run_ids: Iterable[int], now: datetime) -> None:
    """Bring the totals and the state of these runs up to date. Inside a transaction."""
    # The lock makes the counts of two settling workers follow each other.
    rows = Run.objects.filter(id__in=list(run_ids)).defer("payloads", "content").order_by("id")
    held = list(rows.select_for_update())
    note_changes((run.due_at for run in held), now)
    runs = [run for run in held if run.state in (*OPEN_RUN, UNCONFIRMED)]
    _added_up.update({run.pk: now for run in runs if run.total > LARGE})
    counts = _counts(runs)
    begun = _with_sent_parts(runs, counts)
    # Runs with the same outcome are written together: a thousand small ones are one update.
    alike: dict[tuple[RunState, Totals], list[Run]] = defaultdict(list)
    for run in runs:
        to = run_state(counts[run.pk], parts_sent=run.pk in begun)
        alike[to, _totals(counts[run.pk])].append(run)
    for (to, totals), members in alike.items():
        _write(members, to, dict(totals), now)


def _is_fresh(run_id: int, now: datetime) -> bool:
    """Whether this process counted it a moment ago. A clock may be set back."""
    at = _added_up.get(run_id)
    return at is not None and abs(now - at) < WHILE


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
    return tuple(
        (name, sum(counts.get(state, 0) for state in states)) for name, states in OUTCOMES.items()
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
    results.note(moved, to, totals, now)
    if to in (RunState.FAILED, RunState.PARTIAL, UNCONFIRMED):
        asked = _asked_about(moved) if to == UNCONFIRMED else set()
        for run in moved:
            level = logging.INFO if run.pk in asked else logging.ERROR
            words, said = "run %s of schedule %s: %s", {"came_of": run.request}
            logger.log(level, words, run.pk, run.schedule_id, to.value, extra=said)


def _asked_about(runs: list[Run]) -> set[int]:
    """Those of which the channels are still asked: whoever asks says how it ended."""
    unsure = Delivery.objects.filter(run__in=runs, state=DeliveryState.UNCONFIRMED)
    open_ = set(unsure.filter(confirm_at__isnull=False).values_list("run_id", flat=True))
    given_up = set(unsure.filter(confirm_at=None).values_list("run_id", flat=True))
    return open_ - given_up
