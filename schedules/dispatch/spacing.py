"""Spacing: no two messages of a room leave closer than it bears, whatever had made them late.

Planning gives each its slot; this is asked right before the hand-over. After an outage several
slots of one room have passed, and would leave together; a retry has none.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Q

from schedules.bookings.leaving import ids_leaving
from schedules.dispatch.claim import Claimed
from schedules.models import Delivery
from schedules.states import OPEN_DELIVERY, DeliveryState

UNDER_WAY = timedelta(hours=2)  # after its slot: a message that waits, and all its retries
ASK_AGAIN = timedelta(seconds=1)  # for one that is on the wire for longer than the interval


class Near(NamedTuple):
    """A message of the same room."""

    id: int
    room_id: int
    state: str
    next_try_at: datetime
    priority: int
    part: int
    parts: int
    tries: int
    in_doubt: bool
    wire_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    pause: int  # seconds between its parts

    @property
    def handed_at(self) -> datetime | None:
        """When its last part had been handed over at the latest; None: it was not."""
        if self.state in OPEN_DELIVERY:  # an earlier try may have arrived
            return self.started_at if self.in_doubt else None
        return self.started_at if self.parts == self.tries == 1 else self.completed_at

    def goes_before(self, mine: Claimed) -> bool:
        """Whether it is this one's turn first. Both workers say the same of two that meet."""
        if self.state not in OPEN_DELIVERY:
            return False
        order = (self.next_try_at, -self.priority, self.id)
        has_begun = self.part or self.wire_at
        return bool(has_begun) or order < (mine.next_try_at, -mine.priority, mine.id)


def free_from(batch: Sequence[Claimed], now: datetime) -> dict[int, datetime]:
    """By id, when the rooms of these can be written to again; nothing for what may leave."""
    limited = [delivery for delivery in batch if delivery.room_interval]
    if not limited:
        return {}
    near = _near(limited, now)
    found: dict[int, datetime] = {}
    for delivery in limited:
        # Between its parts nothing else is sent: the others wait for its end.
        others = [other for other in near[delivery.room_id] if other.id != delivery.id]
        if others and not delivery.part:
            moment = max(_free_after(other, delivery, now) for other in others)
            if moment > max(delivery.next_try_at, now):
                found[delivery.id] = moment
    return found


def _free_after(other: Near, mine: Claimed, now: datetime) -> datetime:
    if other.goes_before(mine):
        rest = timedelta(seconds=other.pause * (other.parts - other.part - 1))
        begins = max(other.next_try_at, other.wire_at or now)
        return max(begins + rest + mine.room_interval, now + ASK_AGAIN)
    return other.handed_at + mine.room_interval if other.handed_at else now


def _near(limited: Sequence[Claimed], now: datetime) -> dict[int | None, list[Near]]:
    """By room, all that may stand too close to one of these; of most rooms there is nothing."""
    found: dict[int | None, list[Near]] = defaultdict(list)
    for other in _others(limited, now):
        found[other.room_id].append(other)
    rooms = Counter(delivery.room_id for delivery in limited)
    for delivery in limited:
        if rooms[delivery.room_id] > 1:
            found[delivery.room_id].append(_as_near(delivery))
    return found


def _others(limited: Sequence[Claimed], now: datetime) -> Iterable[Near]:
    """What is in nobody's hands, in another's, or was handed over lately."""
    longest = max(delivery.room_interval for delivery in limited)
    rooms = {delivery.room_id for delivery in limited if delivery.room_id}
    around = ids_leaving(rooms, now - UNDER_WAY - longest, now + ASK_AGAIN)
    ids = set(around) - {delivery.id for delivery in limited}
    if not ids:
        return ()
    reaching = Q(state__in=OPEN_DELIVERY) | Q(completed_at__gt=now - longest)
    rows = Delivery.objects.filter(reaching, id__among=list(ids)).order_by()
    columns = (*Near._fields[:-1], "run__interval_seconds")
    return map(Near._make, rows.values_list(*columns))


def _as_near(claimed: Claimed) -> Near:
    facts: dict[str, Any] = {name: getattr(claimed, name, None) for name in Near._fields}
    return Near(**facts | {"state": DeliveryState.SENDING, "pause": claimed.interval_seconds})
