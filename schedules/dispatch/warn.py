"""Warn: what came of a try, as an alert to administrators."""

from functools import partial
from typing import Any

from channels.alerts import AlertKind, Event
from schedules.dispatch.outcome import Outcome
from schedules.models import Delivery
from schedules.runs.warn import RUNS, TOLD, channel_named, line
from schedules.states import DeliveryState

# In these something may be to be told: whatever else comes out of a try is not looked at.
STATES = frozenset({DeliveryState.FAILED, DeliveryState.UNCONFIRMED, DeliveryState.SKIPPED})


def of_outcome(outcome: Outcome, to: DeliveryState, values: dict[str, Any]) -> list[Event]:
    """The alert for what a part came to, if it is one: at most one."""
    claimed = outcome.claimed
    kind = _kind(to, values)
    if kind is None:
        return []
    # The label of a reason says itself in the language that is in force.
    said = Delivery.Reason(values["reason"]).label if values["reason"] else values["error"]
    if kind == AlertKind.MISSED:
        subject, name = RUNS, partial(str, "")
    else:
        subject = f"account:{claimed.account.pk}"
        name = partial(channel_named, claimed.account.kind)
    return [
        Event(
            kind=kind,
            subject=subject,
            unit_path=claimed.unit_path,
            key=f"{kind}:{claimed.id}:{outcome.answered_at.isoformat()}",
            name=name,
            text=lambda: line(claimed.title, claimed.room_name, str(said)),
            at=claimed.due_at,
        )
    ]


def _kind(to: DeliveryState, values: dict[str, Any]) -> AlertKind | None:
    if to == DeliveryState.FAILED:
        return AlertKind.FAILED
    # What its channel is still asked about may settle itself.
    if to == DeliveryState.UNCONFIRMED and values["confirm_at"] is None:
        return AlertKind.UNCONFIRMED
    if to == DeliveryState.SKIPPED and values["reason"] in TOLD:
        return AlertKind.MISSED
    return None
