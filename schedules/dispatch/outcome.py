"""What became of one part that was handed over, or could not be."""

from dataclasses import dataclass
from datetime import datetime

from channels.adapters.base import Receipt, SendError
from schedules.dispatch.claim import Claimed


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
