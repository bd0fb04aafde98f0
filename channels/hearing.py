"""Hearing: what follows from what a channel told us, for rooms and recipients.

Events are taken in by the time at which they happened, not by that of their arrival: a group
that was left and joined again is one that we are in. What is told late, as after an outage of ours,
changes nothing that a later event has settled.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from channels.adapters.base import EventKind
from channels.models import InboundEvent, Recipient, Room
from channels.storable import storable
from logs import history

EVENTS_A_TURN = 200
KEPT = timedelta(days=90)
NAMED = (EventKind.JOINED, EventKind.FOLLOWED)
NAME_LENGTH = 100
# Of each pair the later one says how it stands.
PAIRS = ((EventKind.JOINED, EventKind.LEFT), (EventKind.FOLLOWED, EventKind.UNFOLLOWED))
SETTLED_BY: dict[str, tuple[str, ...]] = {kind: pair for pair in PAIRS for kind in pair}


def due_events(now: datetime) -> list[InboundEvent]:
    """What has not been taken in yet, the oldest first."""
    rows = InboundEvent.objects.filter(taken_in_at=None).order_by("happened_at", "id")
    return list(rows.select_related("account__unit")[:EVENTS_A_TURN])


def take_in(events: Sequence[InboundEvent], names: Mapping[int, str], now: datetime) -> None:
    """Do what follows from these, each once. `names`: of what the channel could name, by the
    event's id."""
    with transaction.atomic():
        ids = [event.pk for event in events]
        fresh = InboundEvent.objects.select_for_update().filter(pk__in=ids, taken_in_at=None)
        open_ = set(fresh.values_list("pk", flat=True))
        for event in events:
            if event.pk in open_ and not _is_settled(event):
                _act(event, storable(names.get(event.pk, ""))[:NAME_LENGTH], now)
        InboundEvent.objects.filter(pk__in=open_).update(taken_in_at=now)


def _is_settled(event: InboundEvent) -> bool:
    """Whether a later event of the same address, taken in before, says how it stands."""
    later = InboundEvent.objects.filter(
        account=event.account,
        address=event.address,
        kind__in=SETTLED_BY.get(event.kind, ()),
        happened_at__gt=event.happened_at,
        taken_in_at__isnull=False,
    )
    return later.exists()


def forget_old(now: datetime) -> int:
    """Remove what is older than anybody asks for."""
    old = InboundEvent.objects.filter(received_at__lt=now - KEPT, taken_in_at__isnull=False)
    return old.delete()[0]


def _act(event: InboundEvent, name: str, now: datetime) -> None:
    match event.kind:
        case EventKind.JOINED:
            _join(event, name, now)
        case EventKind.LEFT:
            _leave(event, now)
        case EventKind.FOLLOWED:
            _follow(event, name, now)
        case EventKind.UNFOLLOWED:
            _unfollow(event, now)


def _join(event: InboundEvent, name: str, now: datetime) -> None:
    room, is_new = Room.objects.get_or_create(
        account=event.account,
        address=event.address,
        defaults={"unit": event.account.unit, "name": name or _nameless(event)},
    )
    if is_new:
        history.record_machine("joined", [(room, room.unit.path)], now=now)
    elif room.left_at and room.left_at <= event.happened_at:
        Room.objects.filter(pk=room.pk).update(left_at=None)
        history.record_machine("joined", [(room, room.unit.path)], now=now)


def _leave(event: InboundEvent, now: datetime) -> None:
    rooms = Room.objects.filter(account=event.account, address=event.address, left_at=None)
    for room in rooms.select_related("unit"):
        Room.objects.filter(pk=room.pk).update(left_at=event.happened_at)
        history.record_machine("left", [(room, room.unit.path)], now=now)


def _follow(event: InboundEvent, name: str, now: datetime) -> None:
    person, _is_new = Recipient.objects.get_or_create(
        account=event.account,
        address=event.address,
        defaults={"unit": event.account.unit, "name": name},
    )
    gone = Recipient.objects.filter(opted_out_by_channel=True, opted_out_at__lte=event.happened_at)
    if gone.filter(pk=person.pk).update(opted_out_at=None, opted_out_by_channel=False):
        history.record_machine("followed", [(person, person.unit.path)], now=now)


def _unfollow(event: InboundEvent, now: datetime) -> None:
    people = Recipient.objects.filter(
        account=event.account, address=event.address, opted_out_at=None
    )
    for person in people.select_related("unit"):
        told = {"opted_out_at": event.happened_at, "opted_out_by_channel": True}
        if people.filter(pk=person.pk).update(**told):
            history.record_machine("unfollowed", [(person, person.unit.path)], now=now)


def _nameless(event: InboundEvent) -> str:
    return f"{event.account.name} · …{event.address[-6:]}"
