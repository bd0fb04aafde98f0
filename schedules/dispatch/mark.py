"""Mark: "from here on it may be sent", written before the wire. Who may is asked here, at last."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Model

from channels.models import Account, Audience, Room
from schedules.dispatch import fence
from schedules.dispatch.claim import Claimed, postpone
from schedules.dispatch.frozen import Frozen, frozen_now, none_newer_than
from schedules.dispatch.standing import Place, against, inactive_units
from schedules.dispatch.stops import stopped_among
from schedules.holds import LOOKED_AT_EVERY
from schedules.models import Delivery, Run, Schedule
from schedules.states import RunState, ScheduleState, move


def mark_wire(
    claimed: Sequence[Claimed], now: datetime
) -> tuple[set[int], dict[int, str], datetime]:
    """Note that these are handed over from now on. Reach is asked here, at the last moment.

    Returns the ids that may go, for each that may not the reason, and the end of the lease. An
    id in neither is no longer this worker's: it must be dropped.
    """
    places, frozen = places_of(claimed), frozen_now()
    barred = _present(_barred(claimed, places))
    barred |= _missed([delivery for delivery in claimed if delivery.is_missed(now)], frozen)
    held = frozen_among(claimed, frozen, places, barred) if frozen else {}
    barred |= _hold_back(held, now)
    given_back = held.keys() - barred.keys()
    claimed = [delivery for delivery in claimed if delivery.id not in given_back]
    by_token: dict[UUID, list[int]] = defaultdict(list)
    for delivery in claimed:
        by_token[delivery.token].append(delivery.id)
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
        is_let_go = (fence.is_down(), none_newer_than(frozen))
        open_ = mine.filter(lease_until__gt=now).filter(*is_let_go)
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


def _missed(claimed: Sequence[Claimed], frozen: Frozen) -> dict[int, str]:
    stopped = stopped_among(claimed) if claimed else set()

    def why(delivery: Claimed) -> str:
        held = frozen.reason(delivery.account.pk, delivery.unit_path, delivery.run_id)
        is_stopped = delivery.account.pk in stopped
        return held or (Delivery.Reason.STOPPED if is_stopped else Delivery.Reason.MISSED)

    return {delivery.id: why(delivery) for delivery in claimed}


def frozen_among(
    claimed: Sequence[Claimed],
    frozen: Frozen,
    places: Mapping[int, Place],
    barred: Collection[int],
) -> dict[int, tuple[Claimed, str]]:
    """With the reason; by their places, which may lie below the units of their schedules."""
    paths = {id_: place.unit_path for id_, place in places.items()}
    found = {}
    for delivery in claimed:
        path = paths.get(delivery.id, delivery.unit_path)
        reason = frozen.reason(delivery.account.pk, path, delivery.run_id)
        if reason and delivery.id not in barred:
            found[delivery.id] = delivery, reason
    return found


def _hold_back(held: Mapping[int, tuple[Claimed, str]], now: datetime) -> dict[int, str]:
    """Give these back; those that may not be so late are skipped."""
    again_at = now + LOOKED_AT_EVERY
    skipped: dict[int, str] = {}
    waiting: dict[str, list[tuple[Claimed, datetime]]] = defaultdict(list)
    for delivery, reason in held.values():
        if delivery.may_wait_until(again_at):
            waiting[reason].append((delivery, again_at))
        else:
            skipped[delivery.id] = reason
    for reason, some in waiting.items():
        postpone(some, reason)
    return skipped


def places_of(claimed: Sequence[Claimed]) -> dict[int, Place]:
    """Of each delivery its room or audience, where it still is there."""
    rooms = _facts(Room, {d.room_id for d in claimed}, "unit__path", "is_active", "left_at")
    audiences = _facts(Audience, {d.audience_id for d in claimed}, "unit__path", "is_active")
    found = {d.id: rooms.get(d.room_id) or audiences.get(d.audience_id) for d in claimed}
    return {id_: Place(*facts) for id_, facts in found.items() if facts}


def _barred(claimed: Sequence[Claimed], places: Mapping[int, Place]) -> dict[int, str]:
    """Of these deliveries, those that may not be sent now, with the reason."""
    active = set(
        Account.objects.filter(id__in={d.account.pk for d in claimed}, is_active=True).values_list(
            "id", flat=True
        )
    )
    inactive = inactive_units()
    schedules = _facts(Schedule, {d.schedule_id for d in claimed}, "unit__path", "state")
    barred: dict[int, str] = {}
    for delivery in claimed:
        place = places.get(delivery.id)
        if delivery.schedule_id not in schedules or place is None:
            continue  # deleted, and the delivery with it: nothing is left to mark
        owner, state = schedules[delivery.schedule_id]
        is_active = delivery.account.pk in active
        if state == ScheduleState.CANCELLED:
            barred[delivery.id] = Delivery.Reason.CANCELLED
        elif reason := against(owner, place, account_is_active=is_active, inactive=inactive):
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
