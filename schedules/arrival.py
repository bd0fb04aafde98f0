"""What follows when a part that was in doubt did arrive."""

from datetime import datetime, timedelta

from schedules.models import Delivery
from schedules.states import DeliveryState, move


def note_arrival(delivery: Delivery, now: datetime) -> int:
    """The part counts as sent; the next one is planned, if there is one. Moves only what still
    is unconfirmed, and returns whether it did."""
    pause = timedelta(seconds=delivery.run.interval_seconds)
    next_try_at = max((delivery.completed_at or now) + pause, now)
    # Of this part: the answer to an old question says nothing about a later one.
    row = Delivery.objects.filter(
        pk=delivery.pk, state=DeliveryState.UNCONFIRMED, part=delivery.part
    )
    after = {
        "part": delivery.part + 1,
        "confirm_at": None,
        "tries": 0,
        "in_doubt": False,
        "error": "",
    }
    if delivery.part + 1 < delivery.parts:
        return move(row, DeliveryState.PLANNED, **after, next_try_at=next_try_at, completed_at=None)
    return move(row, DeliveryState.SENT, **after, completed_at=now)
