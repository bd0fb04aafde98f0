"""What a run would be billed for, and by whom."""

from collections.abc import Iterable

from schedules.models import Delivery
from schedules.runs.frozen import Frozen
from schedules.states import DeliveryState


def accounts_of(frozen: Frozen) -> set[int]:
    """The accounts that bill for this run."""
    if frozen.audience and frozen.audience.account.meters:
        return {frozen.audience.account_id}
    return {delivery.account_id for delivery in frozen.deliveries if delivery.billed}


def messages_of(deliveries: Iterable[Delivery]) -> dict[int, int]:
    """By account, how many messages it bills for what is planned of these."""
    found: dict[int, int] = {}
    for delivery in deliveries:
        if delivery.billed and delivery.state == DeliveryState.PLANNED:
            messages = delivery.billed * delivery.parts
            found[delivery.account_id] = found.get(delivery.account_id, 0) + messages
    return found
