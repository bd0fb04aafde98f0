"""The times of a delivery: appointed, claimed, on the wire, accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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


def times_of(
    delivery: Delivery, attempts: Sequence[Attempt], held: timedelta = timedelta()
) -> Times:
    """The times, from the attempts of this delivery in their order. `held`: for how long people
    kept it back before it left, which is not counted as late."""
    first = [attempt for attempt in attempts if attempt.part == 0]
    accepted = [a for a in first if a.outcome == Attempt.Outcome.ACCEPTED]
    if accepted:
        wire_at = _wire_at(delivery.leaves_at + held, accepted[0], first)
        return Times(delivery.due_at, accepted[0].claimed_at, wire_at, accepted[0].answered_at)
    wire_at = first[-1].wire_at if first else delivery.started_at
    return Times(delivery.due_at, delivery.claimed_at, wire_at, None)


def _wire_at(
    leaves_at: datetime, accepted: Attempt, attempts: Sequence[Attempt]
) -> datetime | None:
    """Where the channel knew the key it was an earlier try that it had accepted."""
    if not accepted.already:
        return accepted.wire_at
    late = accepted.lateness_ms
    times = [attempt.wire_at for attempt in attempts if attempt.wire_at]
    counted = (at for at in times if lateness_of(at, leaves_at) == late)
    return next(counted, accepted.wire_at)
