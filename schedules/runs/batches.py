"""Writes the deliveries to an audience while it is read: it may be too large to be held."""

import logging
from collections import Counter
from collections.abc import Iterable
from itertools import islice

from django.db import transaction

from channels.models import Audience
from schedules.bookings import quota
from schedules.deliveries import batch_deliveries
from schedules.models import Delivery, Run
from schedules.runs.billing import charges_of, messages_of
from schedules.runs.frozen import Frozen, skip
from schedules.runs.twins import finish_runs, insert_but_twins
from schedules.states import RunState, move

logger = logging.getLogger(__name__)

BATCHES_AT_ONCE = 20  # of 500 people each


def store_batches(frozen: Frozen, audience: Audience, purse: quota.Purse) -> None:
    """Write the deliveries to an audience while it is read: it may be too large to be held."""
    run = frozen.run
    try:
        with transaction.atomic():  # a run that turns out not to fit leaves nothing
            refused = _write_batches(frozen, audience, purse)
    except quota.DoesNotFit as error:
        _stop_batches(frozen, audience, purse, error)
        return
    row = Run.objects.filter(pk=run.pk)
    if run.total:
        run.recipients = (run.recipients or 0) - _people_in(refused)
        row.update(total=run.total, recipients=run.recipients)
        finish_runs(refused)
    else:
        nobody = {"reason": Run.Reason.NO_RECIPIENT, "recipients": 0}
        move(row, RunState.SKIPPED, **nobody, completed_at=run.planned_at)


def _people_in(batches: Iterable[Delivery]) -> int:
    return sum(len(delivery.members or ()) for delivery in batches)


def _write_batches(frozen: Frozen, audience: Audience, purse: quota.Purse) -> list[Delivery]:
    """Returns those that a twin has kept out. Raises DoesNotFit."""
    run = frozen.run
    deliveries = batch_deliveries(run.schedule, run, audience, frozen.slot_at)
    refused: list[Delivery] = []
    taken: Counter[quota.Charge] = Counter()
    run.recipients = 0
    while some := list(islice(deliveries, BATCHES_AT_ONCE)):
        run.total += len(some)
        run.recipients += _people_in(some)
        messages = messages_of(some)
        if shortfall := purse.take(run, messages):
            purse.give_back(run, taken)
            raise quota.DoesNotFit(shortfall)
        taken.update(messages)
        refused += insert_but_twins(some)
    return refused


def _stop_batches(
    frozen: Frozen, audience: Audience, purse: quota.Purse, error: quota.DoesNotFit
) -> None:
    """Before its first message; all are counted only to say how many they are."""
    run = frozen.run
    messages = audience.count() * len(run.payloads[str(audience.account_id)])
    needed = dict.fromkeys(charges_of(frozen), messages)
    shortfall = purse.take(run, needed) or error.shortfall
    run.total = 0
    skip(run, shortfall.reason, shortfall.words)
    row = Run.objects.filter(pk=run.pk)
    at = {"completed_at": run.completed_at, "recipients": 0}
    move(row, RunState.SKIPPED, reason=run.reason, detail=run.detail, **at)
    said = {"came_of": run.request}
    logger.error("schedule %s is not sent: %s", run.schedule_id, run.detail, extra=said)
