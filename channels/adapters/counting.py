"""What a channel counts of what it took: messages by day, and what people did by label."""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar


@dataclass(frozen=True)
class Statistics:
    """What people did with the messages of one label. None: too few for the channel to tell."""

    opened: int | None  # people who saw at least one of its messages
    clicked: int | None  # people who followed a link in it


class Counting:
    """The part of an adapter that labels messages and asks what was counted. By default the
    channel knows no labels and counts nothing."""

    labels_a_month: ClassVar[int] = 0  # different ones that it counts, in a month of its zone
    label_people: ClassVar[int] = 1  # of fewer it tells nothing
    counts: ClassVar[tuple[str, ...]] = ()  # the endpoints whose messages it counts by day

    @classmethod
    def labelled(cls, payload: dict[str, Any], label: str) -> dict[str, Any]:
        """The payload, to be counted under this label of `[A-Za-z0-9_]{1,30}`."""
        return payload

    async def labels_used(self) -> int:
        """How many labels were used in this month, by whatever tool. Raises SendError."""
        return 0

    async def statistics(self, label: str, first: date, last: date) -> Statistics:
        """Of this label, from the first to the last of these days, at most 31, of the channel's
        zone. Raises SendError."""
        return Statistics(None, None)

    async def counted(self, endpoint: str, day: date) -> int:
        """How many messages the channel delivered on this day of its zone; only of what it
        `counts`. Raises SendError: LATER when it has not counted them yet (`after`: ask again
        then), REFUSED when it never will."""
        raise LookupError(f"{endpoint} is not counted")
