"""Settle: the only writer of outcomes. Writes nothing for a claim that is no longer held."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from channels.adapters.base import Failure, Receipt, SendError
from channels.models import Account
from logs.models import Attempt, History
from logs.stats.lateness import lateness_of
from schedules.bulk import insert
from schedules.dispatch.claim import Claimed
from schedules.models import Delivery
from schedules.states import DeliveryState, move_each
from schedules.totals import add_up_at_times, add_up_ended

logger = logging.getLogger(__name__)

KEY_LIFE = timedelta(hours=23)  # LINE forgets a key after 24 h: then it would send again

COLUMNS = ("part", "tries", "crashes", "in_doubt", "next_try_at", "started_at", "completed_at",
           "confirm_at", "lateness_ms", "status", "request_id", "error", "reason")  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What became of one part. `handed_at` is None when nothing was sent: `barred` says why."""

    claimed: Claimed
    takes_key: bool
    confirms: bool
    answered_at: datetime
    handed_at: datetime | None = None
    receipt: Receipt | None = None
    error: SendError | None = None
    barred: str = ""


def settle(outcomes: Sequence[Outcome]) -> int:
    """Write the outcomes whose claim still holds, in bulk. Returns how many those were."""
    if not outcomes:
        return 0
    with transaction.atomic():
        held = _held(outcomes)
        lateness = _lateness(held)
        by_state: dict[DeliveryState, list[list[Any]]] = defaultdict(list)
        for outcome in held:
            to, values = _next(outcome)
            values |= {"lateness_ms": lateness.get(outcome.claimed.id, values["lateness_ms"])}
            row = [values[name] for name in COLUMNS]
            by_state[to].append([*row, outcome.claimed.id, outcome.claimed.token])
        for to, rows in by_state.items():
            move_each(Delivery, to, COLUMNS, rows)
        insert([_attempt(o, lateness) for o in held if o.handed_at])
        # Of all, not of the held ones: this may be the second try after a lost answer.
        runs = {outcome.claimed.run_id for outcome in outcomes}
        waiting = add_up_at_times(runs, outcomes[-1].answered_at)
    if waiting:
        add_up_ended(waiting, outcomes[-1].answered_at)
    return len(held)


def _held(outcomes: Sequence[Outcome]) -> list[Outcome]:
    ids = [outcome.claimed.id for outcome in outcomes]
    locked = Delivery.objects.filter(id__among=ids).order_by("id").select_for_update()
    claims = dict(locked.values_list("id", "claim"))
    held = [o for o in outcomes if claims.get(o.claimed.id) == o.claimed.token]
    if len(held) < len(outcomes):
        logger.warning("%d outcomes came after their lease", len(outcomes) - len(held))
    return held


def _next(outcome: Outcome) -> tuple[DeliveryState, dict[str, Any]]:
    """The next state of the delivery and its columns."""
    claimed, at = outcome.claimed, outcome.answered_at
    values: dict[str, Any] = {
        "part": claimed.part,
        "tries": claimed.tries + 1,
        "crashes": claimed.crashes,
        "in_doubt": claimed.in_doubt,
        "next_try_at": claimed.next_try_at,
        "started_at": claimed.started_at or outcome.handed_at,
        "completed_at": at,
        "confirm_at": at + timedelta(seconds=settings.TEIJI_CONFIRM_SECONDS)
        if outcome.confirms
        else None,
        "status": None,
        "request_id": "",
        "error": "",
        "reason": "",
        "lateness_ms": claimed.lateness_ms,
    }
    if outcome.barred:
        values |= {"reason": outcome.barred, "tries": claimed.tries, "confirm_at": None}
        if claimed.in_doubt:
            values["error"] = "It was not tried again; an earlier try may have arrived."
            return DeliveryState.UNCONFIRMED, values
        return DeliveryState.SKIPPED, values
    if outcome.receipt:
        return _accepted(outcome, outcome.receipt, values)
    assert outcome.error is not None, "an outcome is a receipt, an error or a bar"
    return _not_accepted(outcome, outcome.error, values)


def _accepted(
    outcome: Outcome, receipt: Receipt, values: dict[str, Any]
) -> tuple[DeliveryState, dict[str, Any]]:
    claimed = outcome.claimed
    values |= {"part": claimed.part + 1, "crashes": 0, "in_doubt": False, "status": receipt.status}
    values["request_id"] = _storable(receipt.request_id[:100])
    if claimed.part + 1 == claimed.parts:
        return DeliveryState.SENT, values
    pause = timedelta(seconds=claimed.interval_seconds)
    # The pause counts from the hand-over, so that the spacing is what people chose.
    values |= {"tries": 0, "completed_at": None, "confirm_at": None}
    values["next_try_at"] = (outcome.handed_at or outcome.answered_at) + pause
    return DeliveryState.PLANNED, values


def _not_accepted(
    outcome: Outcome, error: SendError, values: dict[str, Any]
) -> tuple[DeliveryState, dict[str, Any]]:
    values |= {"status": error.status, "error": _storable(str(error))}
    values["request_id"] = _storable(error.request_id[:100])
    if error.failure != Failure.UNKNOWN:
        values["confirm_at"] = None
    if error.failure == Failure.REFUSED:
        return _given_up(outcome, values)
    spent = values["tries"] > outcome.claimed.max_retries
    if error.failure == Failure.UNKNOWN:
        values["in_doubt"] = True
        if spent or not _may_repeat(outcome):
            return DeliveryState.UNCONFIRMED, values
    elif spent and not _is_waited_for(outcome, error):
        return _given_up(outcome, values)
    delay = _delay(values["tries"])
    if error.after is not None:
        # The channel named a time; asked again and again, it is asked less often.
        delay = max(error.after, min(2.0 ** (values["tries"] - 1), delay))
    values |= {"completed_at": None, "confirm_at": None}
    values["next_try_at"] = outcome.answered_at + timedelta(seconds=delay)
    return DeliveryState.PLANNED, values


def _given_up(outcome: Outcome, values: dict[str, Any]) -> tuple[DeliveryState, dict[str, Any]]:
    """Failed; but what this try was told says nothing of an earlier one whose fate is unknown."""
    if outcome.claimed.in_doubt:
        values["error"] += " An earlier try may have arrived."
        return DeliveryState.UNCONFIRMED, values
    return DeliveryState.FAILED, values


def _is_waited_for(outcome: Outcome, error: SendError) -> bool:
    """A channel that says when to come back is busy, not broken: it is waited for as long as
    the message may be late."""
    grace = timedelta(seconds=settings.TEIJI_GRACE_SECONDS)
    return error.after is not None and outcome.answered_at < outcome.claimed.due_at + grace


def _may_repeat(outcome: Outcome) -> bool:
    """Whether a part of unknown fate may be sent again by itself."""
    if outcome.takes_key:
        first = outcome.claimed.started_at or outcome.handed_at or outcome.answered_at
        return outcome.answered_at - first < KEY_LIFE
    return outcome.claimed.account.on_unknown == Account.OnUnknown.RESEND


def _delay(tries: int) -> float:
    delays: list[float] = settings.TEIJI_RETRY_DELAYS
    return delays[min(tries, len(delays)) - 1]


def _lateness(held: Sequence[Outcome]) -> dict[int, int]:
    """By delivery, how late the try was that the channel accepted: with a known key the first
    one. Only the first part has an appointed time, and none has it that a person sends again."""
    first = [o for o in held if o.receipt and o.handed_at and o.claimed.part == 0]
    tried = [str(o.claimed.id) for o in first if o.claimed.started_at]
    again = History.objects.filter(kind="delivery", verb="send_again", object_id__in=tried)
    by_hand = set(again.values_list("object_id", flat=True)) if tried else set()
    return {
        o.claimed.id: lateness_of(_accepted_at(o), o.claimed.due_at)
        for o in first
        if str(o.claimed.id) not in by_hand
    }


def _accepted_at(outcome: Outcome) -> datetime:
    assert outcome.handed_at is not None, "what was accepted was handed over"
    is_known = outcome.receipt is not None and outcome.receipt.already
    return (outcome.claimed.started_at if is_known else None) or outcome.handed_at


def _attempt(outcome: Outcome, lateness: dict[int, int]) -> Attempt:
    claimed, error, receipt = outcome.claimed, outcome.error, outcome.receipt
    evidence = receipt or error
    assert evidence is not None, "an attempt has an answer or an error"
    return Attempt(
        delivery_id=claimed.id,
        run_id=claimed.run_id,
        schedule_id=claimed.schedule_id,
        schedule_title=claimed.title,
        room_id=claimed.room_id,
        audience_id=claimed.audience_id,
        room_name=claimed.room_name,
        unit_path=claimed.unit_path,
        channel=claimed.account.kind,
        account_id=claimed.account.pk,
        part=claimed.part,
        number=claimed.tries + 1,
        key=claimed.part_key,
        due_at=claimed.due_at,
        claimed_at=claimed.claimed_at,
        wire_at=outcome.handed_at,
        answered_at=outcome.answered_at,
        outcome=error.failure.value if error else Attempt.Outcome.ACCEPTED,
        status=evidence.status,
        request_id=_storable(evidence.request_id[:100]),
        answer=_storable(evidence.answer),
        error=_storable(str(error)) if error else "",
        lateness_ms=lateness.get(claimed.id),
    )


def _storable(evidence: Any) -> Any:
    """A channel's words without NUL characters and lone surrogates, which PostgreSQL refuses."""
    if isinstance(evidence, str):
        return evidence.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(evidence, dict):
        return {_storable(str(name)): _storable(value) for name, value in evidence.items()}
    if isinstance(evidence, list):
        return [_storable(value) for value in evidence]
    return evidence
