"""What a run would be billed for, and whose months bear it."""

from collections.abc import Iterable
from datetime import datetime

from schedules.bookings.quota import Charge, Purse
from schedules.deliveries import wanted_at
from schedules.models import Delivery, Run
from schedules.runs.frozen import Frozen
from schedules.states import DeliveryState


def charges_of(frozen: Frozen) -> set[Charge]:
    """Whose months bear this run."""
    if frozen.audience and frozen.audience.account.meters:
        leaves_at = frozen.slot_at or wanted_at(frozen.run)
        return {_charge(frozen.run, frozen.audience.account_id, leaves_at)}
    return set(messages_of(frozen.deliveries))


def messages_of_audience(frozen: Frozen, purse: Purse) -> dict[Charge, int]:
    """How many messages its audience would be billed; counted only where something limits it."""
    charges = charges_of(frozen) if frozen.audience else set()
    if frozen.audience is None or not purse.limits(frozen.run, charges):
        return {}
    parts = len(frozen.run.payloads[str(frozen.audience.account_id)])
    return dict.fromkeys(charges, frozen.audience.count() * parts)


def messages_of(deliveries: Iterable[Delivery]) -> dict[Charge, int]:
    """How many messages are billed for what is planned of these."""
    found: dict[Charge, int] = {}
    for row in deliveries:
        if row.billed and row.state == DeliveryState.PLANNED:
            charge = _charge(row.run, row.account_id, row.next_try_at)
            found[charge] = found.get(charge, 0) + row.billed * row.parts
    return found


def _charge(run: Run, account_id: int, leaves_at: datetime) -> Charge:
    return Charge(account_id, max(leaves_at, run.planned_at))  # what is late goes now
