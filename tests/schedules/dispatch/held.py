"""What a worker has in its hands, and what a channel may answer."""

from uuid import UUID

from channels.adapters.base import Receipt, SendError, later, refused, unknown
from schedules.dispatch.claim import Claimed

ANSWERS: dict[str, Receipt | SendError] = {
    "accepted": Receipt(status=200),
    "already": Receipt(status=409, already=True),
    "refused": refused("No"),
    "busy": later("Busy"),
    "busy for long": later("Busy", after=700),
    "no answer": unknown("No answer"),
}


class Held:
    """A claim in a worker's memory, which may be no longer true."""

    def __init__(self, claimed: Claimed) -> None:
        self.claimed = claimed
        self.is_marked = False

    @property
    def name(self) -> UUID:
        """The part by its key, which outlives its row."""
        return self.claimed.part_key

    @property
    def takes_key(self) -> bool:
        return self.claimed.account.open().takes_key

    @property
    def may_go_twice(self) -> bool:
        return self.takes_key or self.claimed.account.on_unknown == "resend"
