"""The times of a delivery: appointed, claimed, on the wire, accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from logs.models import Attempt
from logs.stats.lateness import lateness_of
from schedules.models import Delivery


@dataclass(frozen=True)
class Times:
    """Those of the try that counts for punctuality; before there is one, of the latest try."""

    due_at: datetime
    claimed_at: datetime | None
    wire_at: datetime | None
    accepted_at: datetime | None


def times_of(delivery: Delivery, attempts: Sequence[Attempt]) -> Times:
    """The times, from the attempts of this delivery in their order."""
    first = [attempt for attempt in attempts if attempt.part == 0]
    accepted = [a for a in first if a.outcome == Attempt.Outcome.ACCEPTED]
    if accepted:
        wire_at = _wire_at(delivery, accepted[0])
        return Times(delivery.due_at, accepted[0].claimed_at, wire_at, accepted[0].answered_at)
    wire_at = first[-1].wire_at if first else delivery.started_at
    return Times(delivery.due_at, delivery.claimed_at, wire_at, None)


def _wire_at(delivery: Delivery, accepted: Attempt) -> datetime | None:
    """Where the channel knew the key it was the first try that it had accepted."""
    late, wire_at = accepted.lateness_ms, accepted.wire_at
    if late is None or wire_at is None or lateness_of(wire_at, accepted.due_at) == late:
        return wire_at
    return delivery.started_at
