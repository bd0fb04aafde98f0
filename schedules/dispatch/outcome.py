"""What became of one part that was handed over, or could not be."""

from dataclasses import dataclass, replace
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

    def in_unit(self, path: str) -> "Outcome":
        """The same, where its unit was moved meanwhile."""
        if self.claimed.unit_path == path:
            return self
        return replace(self, claimed=replace(self.claimed, unit_path=path))
