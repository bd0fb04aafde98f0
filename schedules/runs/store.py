"""Writes frozen runs and all that hangs on them, once rooms, quota and labels allow it."""

import logging
from collections.abc import Iterable
from datetime import datetime

from orgs.bulk import insert
from schedules import results
from schedules.bookings import quota
from schedules.bookings.labels import Planned, label_runs
from schedules.bookings.rooms import REASONS, Wanted, book_audience, book_rooms
from schedules.clearance import uncleared
from schedules.deliveries import wanted_at
from schedules.models import Run
from schedules.outcomes.keep import note_changes
from schedules.runs.batches import store_batches
from schedules.runs.billing import charges_of, messages_of, messages_of_audience
from schedules.runs.frozen import Frozen, note_left_out, skip
from schedules.runs.twins import finish_runs, insert_but_twins
from schedules.states import DeliveryState, RunState

logger = logging.getLogger(__name__)

CLEARED = (Run.Trigger.TIMING, Run.Trigger.HAND)


def store(batch: Iterable[Frozen], now: datetime) -> list[Run]:
    """Write the runs and all that hangs on them. A delivery whose twin is already planned or
    sent (same room, time and content) is written as skipped."""
    batch = list(batch)
    _bar_uncleared(batch)
    # Rooms before the quota: what finds no slot needs none of it.
    book_rooms((Wanted(frozen.deliveries, frozen.followed_at) for frozen in batch), now)
    for frozen in batch:
        _hold_audience(frozen, now)
        note_left_out(frozen.run, frozen.deliveries)
    purse = quota.open_purse((frozen.run, charges_of(frozen)) for frozen in batch)
    # Of what is due at once, the more important takes its part first.
    for frozen in sorted(batch, key=lambda frozen: (frozen.run.due_at, -frozen.run.priority)):
        frozen.held = messages_of_audience(frozen, purse)
        if shortfall := purse.take(frozen.run, frozen.held or messages_of(frozen.deliveries)):
            _stop(frozen, shortfall)
    label_runs(Planned(f.run, f.accounts, f.deliveries, f.slot_at) for f in batch)
    runs = [frozen.run for frozen in batch]
    insert(runs, ids=True)
    note_changes((run.due_at for run in runs), now)
    insert([link for frozen in batch for link in frozen.links])
    deliveries = [delivery for frozen in batch for delivery in frozen.deliveries]
    for delivery in deliveries:
        delivery.run_id = delivery.run.pk
    finish_runs(insert_but_twins(deliveries))
    for frozen in batch:
        if frozen.audience:
            # It is taken anew batch by batch: as many as there are when they are read.
            purse.give_back(frozen.run, frozen.held)
            store_batches(frozen, frozen.audience, purse)
    results.note_skipped([f.run for f in batch if _may_be_skipped(f)], now)
    return runs


def _may_be_skipped(frozen: Frozen) -> bool:
    """Whether an audience has anybody, or rooms a twin, turned out as it was written."""
    left_out = any(row.state == DeliveryState.SKIPPED for row in frozen.deliveries)
    return left_out or frozen.run.state == RunState.SKIPPED or frozen.audience is not None


def _bar_uncleared(batch: Iterable[Frozen]) -> None:
    """Whoever makes a run, and by whatever way: what approvers have not let go is not sent. A test
    goes to test rooms only."""
    asked = [frozen for frozen in batch if frozen.run.trigger in CLEARED]
    # The other text of a single time is bound with the schedule that it is a time of.
    barred = uncleared({frozen.run.schedule.as_registered for frozen in asked})
    for frozen in asked:
        if frozen.run.schedule_id in barred:
            skip(frozen.run, Run.Reason.UNAPPROVED, "")
            frozen.audience, frozen.deliveries, frozen.links = None, [], []
            frozen.run.total = frozen.run.skipped = 0


def _hold_audience(frozen: Frozen, now: datetime) -> None:
    """Quiet hours hold a message to an audience as a whole."""
    run = frozen.run
    if frozen.audience:
        parts = len(run.payloads[str(frozen.audience.account_id)])
        wanted = wanted_at(run)
        slot = book_audience(run.schedule, wanted, parts, frozen.followed_at, now)
        if slot.skipped:
            skip(run, REASONS[slot.skipped], "")
            frozen.audience, frozen.links = None, []
        elif slot.at != wanted:
            frozen.slot_at = slot.at


def _stop(frozen: Frozen, shortfall: quota.Shortfall) -> None:
    """Before its first message."""
    skip(frozen.run, shortfall.reason, shortfall.words)
    said = {"came_of": frozen.run.request}
    logger.error(
        "schedule %s is not sent: %s", frozen.run.schedule_id, frozen.run.detail, extra=said
    )
    if frozen.audience:
        frozen.audience, frozen.run.recipients = None, 0
    frozen.deliveries, frozen.links = [], []
    frozen.run.total = frozen.run.skipped = 0
