"""Mark: "from here on it may be sent", written before the wire. Who may is asked here, at last."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Model

from channels.models import Account, Audience, Room
from schedules.dispatch import fence
from schedules.dispatch.claim import Claimed
from schedules.dispatch.standing import Place, against, inactive_units
from schedules.dispatch.stops import stopped_among
from schedules.models import Delivery, Run, Schedule
from schedules.states import RunState, ScheduleState, move


def mark_wire(
    claimed: Sequence[Claimed], now: datetime
) -> tuple[set[int], dict[int, str], datetime]:
    """Note that these are handed over from now on. Reach is asked here, at the last moment.

    Returns the ids that may go, for each that may not the reason, and the end of the lease. An
    id in neither is no longer this worker's: it must be dropped.
    """
    by_token: dict[UUID, list[int]] = defaultdict(list)
    for delivery in claimed:
        by_token[delivery.token].append(delivery.id)
    barred = _present(_barred(claimed))
    barred |= _missed([delivery for delivery in claimed if delivery.is_missed(now)])
    # Runs before deliveries: of a run that is still planned nothing has left.
    runs = {delivery.run_id for delivery in claimed if delivery.id not in barred}
    starting = Run.objects.filter(id__in=runs, state=RunState.PLANNED).filter(fence.is_down())
    if starting.exists():
        move(starting, RunState.SENDING, started_at=now)
    marked: set[int] = set()
    lease = now + timedelta(seconds=settings.TEIJI_WIRE_SECONDS)
    for token, ids in by_token.items():
        free = set(ids) - barred.keys()
        mine = Delivery.objects.filter(id__among=free, claim=token)
        open_ = mine.filter(lease_until__gt=now).filter(fence.is_down())
        count = open_.update(wire_at=now, lease_until=lease)
        # Asked which ones only when some were lost.
        all_mine = count == len(free)
        marked |= free if all_mine else set(mine.filter(wire_at=now).values_list("id", flat=True))
    return marked, barred, lease


def _present(barred: dict[int, str]) -> dict[int, str]:
    """Without those that a person has withdrawn meanwhile: nothing is left to say of them."""
    if not barred:
        return barred
    present = Delivery.objects.filter(id__in=barred).values_list("id", flat=True)
    return {id_: barred[id_] for id_ in present}


def _missed(claimed: Sequence[Claimed]) -> dict[int, str]:
    stopped = stopped_among(claimed) if claimed else set()
    reason = Delivery.Reason
    return {d.id: reason.STOPPED if d.account.pk in stopped else reason.MISSED for d in claimed}


def _barred(claimed: Sequence[Claimed]) -> dict[int, str]:
    """Of these deliveries, those that may not be sent now, with the reason."""
    active = set(
        Account.objects.filter(id__in={d.account.pk for d in claimed}, is_active=True).values_list(
            "id", flat=True
        )
    )
    inactive = inactive_units()
    schedules = _facts(Schedule, {d.schedule_id for d in claimed}, "unit__path", "state")
    rooms = _facts(Room, {d.room_id for d in claimed}, "unit__path", "is_active", "left_at")
    audiences = _facts(Audience, {d.audience_id for d in claimed}, "unit__path", "is_active")
    barred: dict[int, str] = {}
    for delivery in claimed:
        facts = rooms.get(delivery.room_id) or audiences.get(delivery.audience_id)
        if delivery.schedule_id not in schedules or facts is None:
            continue  # deleted, and the delivery with it: nothing is left to mark
        owner, state = schedules[delivery.schedule_id]
        is_active = delivery.account.pk in active
        if state == ScheduleState.CANCELLED:
            barred[delivery.id] = Delivery.Reason.CANCELLED
        elif reason := against(
            owner, Place(*facts), account_is_active=is_active, inactive=inactive
        ):
            barred[delivery.id] = reason
    return barred


def _facts(
    model: type[Model], ids: Collection[int | None], *names: str
) -> dict[int | None, tuple[Any, ...]]:
    known = [id_ for id_ in ids if id_ is not None]
    if not known:
        return {}
    rows = model._default_manager.filter(id__among=known).values_list("id", *names)
    return {id_: tuple(facts) for id_, *facts in rows}
