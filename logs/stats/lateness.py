"""What lateness is, how finely it is counted, and what is promised of it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

EXACT = 50  # milliseconds up to which each has a bucket of its own
STEPS = (1, 2, 5)


def lateness_of(handed_at: datetime, due_at: datetime) -> int:
    """Whole milliseconds between the appointed time and the hand-over to the network.

    Rounded down: what left a moment early is never counted as on time.
    """
    return (handed_at - due_at) // timedelta(milliseconds=1)


def bucket_of(milliseconds: int) -> int:
    """The upper edge of the bucket of this lateness: at most 2 % above it.

    Every 1, 2 and 5 of every power of ten is an edge, so that counts up to these are exact.
    """
    if milliseconds <= EXACT:
        return max(milliseconds, 0)
    width = _segment_below(milliseconds) // EXACT
    return -(-milliseconds // width) * width


@dataclass(frozen=True)
class Promise:
    """What is promised of a day's deliveries, in milliseconds. Nothing leaves early."""

    p50: int
    p99: int


PROMISE = Promise(p50=200, p99=1000)


def _segment_below(milliseconds: int) -> int:
    """The largest of 50, 100, 200, 500, 1000, … that is smaller."""
    power = 10
    while power * 10 < milliseconds:
        power *= 10
    return max(power * step for step in STEPS if power * step < milliseconds)
