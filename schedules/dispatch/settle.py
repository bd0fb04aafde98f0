"""Settle: the only writer of outcomes. Writes nothing for a claim that is no longer held."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from channels import alerts
from channels.alerts import Event
from logs.models import Counter
from orgs.bulk import insert
from schedules.dispatch import warn
from schedules.dispatch.evidence import attempt_of, lateness_of_each
from schedules.dispatch.late import settle_late
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.verdict import verdict
from schedules.models import Delivery
from schedules.states import DeliveryState, move_each
from schedules.totals import add_up_at_times, add_up_ended

COLUMNS = ("part", "tries", "crashes", "in_doubt", "next_try_at", "started_at", "completed_at",
           "confirm_at", "lateness_ms", "status", "request_id", "error", "reason")  # fmt: skip


def settle(outcomes: Sequence[Outcome]) -> int:
    """Write the outcomes whose claim still holds, in bulk, and answers that came after it was
    lost. Returns how many were held."""
    if not outcomes:
        return 0
    with transaction.atomic():
        held = _held(outcomes)
        lateness = lateness_of_each(held)
        by_state: dict[DeliveryState, list[list[Any]]] = defaultdict(list)
        events: list[Event] = []
        for outcome in held:
            to, values = verdict(outcome)
            if to in warn.STATES:
                events += warn.of_outcome(outcome, to, values)
            values |= {"lateness_ms": lateness.get(outcome.claimed.id, values["lateness_ms"])}
            row = [values[name] for name in COLUMNS]
            by_state[to].append([*row, outcome.claimed.id, outcome.claimed.token])
        for to, rows in by_state.items():
            move_each(Delivery, to, COLUMNS, rows)
        insert([attempt_of(o, lateness) for o in held if o.handed_at])
        if events:
            alerts.raise_all(events, outcomes[-1].answered_at)
        if len(held) < len(outcomes):
            settle_late(outcomes)
        # Of all, not of the held ones: this may be the second try after a lost answer.
        runs = {outcome.claimed.run_id for outcome in outcomes}
        waiting = add_up_at_times(runs, outcomes[-1].answered_at)
        _count(held, len(outcomes) - len(held))
    if waiting:
        add_up_ended(waiting, outcomes[-1].answered_at)
    return len(held)


def _count(held: Sequence[Outcome], fenced: int) -> None:
    """Last of all in the transaction: of each counter there is one row for all workers."""
    Counter.add(Counter.Name.FENCED_WRITE, fenced)
    already = sum(bool(outcome.receipt and outcome.receipt.already) for outcome in held)
    Counter.add(Counter.Name.ALREADY_ACCEPTED, already)
    missed = sum(outcome.barred == Delivery.Reason.MISSED for outcome in held)
    Counter.add(Counter.Name.MISSED, missed)


def _held(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """What is written of them belongs to where their units stand now."""
    ids = [outcome.claimed.id for outcome in outcomes]
    locked = Delivery.objects.filter(id__among=ids).order_by("id").select_for_update()
    rows = {
        id_: (claim, path) for id_, claim, path in locked.values_list("id", "claim", "unit_path")
    }
    found = [(o, *rows.get(o.claimed.id, (None, ""))) for o in outcomes]
    return [o.in_unit(path) for o, claim, path in found if claim == o.claimed.token]
