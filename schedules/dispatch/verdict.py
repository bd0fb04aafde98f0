"""Verdict: from what became of a part, the next state of its delivery. Touches no table."""

from datetime import timedelta
from typing import Any

from django.conf import settings

from channels.adapters.base import Failure, Receipt, SendError
from channels.models import Account
from schedules.dispatch.evidence import storable
from schedules.dispatch.outcome import Outcome
from schedules.states import DeliveryState

FIRST_QUESTION = timedelta(seconds=2)  # after a channel has only taken a message in
KEY_LIFE = timedelta(hours=23)  # LINE forgets a key after 24 h: then it would send again


def verdict(outcome: Outcome) -> tuple[DeliveryState, dict[str, Any]]:
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
    if outcome.receipt and outcome.receipt.queued:
        return _queued(outcome, outcome.receipt, values)
    if outcome.receipt:
        return _accepted(outcome, outcome.receipt, values)
    assert outcome.error is not None, "an outcome is a receipt, an error or a bar"
    return _not_accepted(outcome, outcome.error, values)


def _queued(
    outcome: Outcome, receipt: Receipt, values: dict[str, Any]
) -> tuple[DeliveryState, dict[str, Any]]:
    """Not confirmed until the channel says that it arrived: it is asked soon, and again."""
    values |= {"in_doubt": True, "status": receipt.status}
    values["request_id"] = storable(receipt.request_id[:100])
    values["confirm_at"] = outcome.answered_at + FIRST_QUESTION if outcome.confirms else None
    return DeliveryState.UNCONFIRMED, values


def _accepted(
    outcome: Outcome, receipt: Receipt, values: dict[str, Any]
) -> tuple[DeliveryState, dict[str, Any]]:
    claimed = outcome.claimed
    values |= {"part": claimed.part + 1, "crashes": 0, "in_doubt": False, "status": receipt.status}
    values["request_id"] = storable(receipt.request_id[:100])
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
    values |= {"status": error.status, "error": storable(str(error))}
    values["request_id"] = storable(error.request_id[:100])
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
    return error.after is not None and outcome.answered_at < outcome.claimed.leaves_at + grace


def _may_repeat(outcome: Outcome) -> bool:
    """Whether a part of unknown fate may be sent again by itself."""
    if outcome.takes_key:
        first = outcome.claimed.started_at or outcome.handed_at or outcome.answered_at
        return outcome.answered_at - first < KEY_LIFE
    return outcome.claimed.account.on_unknown == Account.OnUnknown.RESEND


def _delay(tries: int) -> float:
    delays: list[float] = settings.TEIJI_RETRY_DELAYS
    return delays[min(tries, len(delays)) - 1]
