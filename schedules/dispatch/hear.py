"""Hear: takes in what channels told us, and asks about what a room has just shown."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ImproperlyConfigured

from channels import hearing
from channels.adapters.base import EventKind, SendError
from channels.models import InboundEvent
from schedules.dispatch.send import Senders
from schedules.models import Delivery
from schedules.states import DeliveryState


async def names_of(events: Sequence[InboundEvent], senders: Senders) -> dict[int, str]:
    """What the channels call the rooms and people of these events, by the event's id."""

    async def one(event: InboundEvent) -> str:
        try:
            return await senders.adapter(event.account).describe(event.address)
        except (SendError, KeyError, ImproperlyConfigured):
            return ""  # people can give it one

    asked = [event for event in events if event.kind in hearing.NAMED]
    names = await asyncio.gather(*map(one, asked))
    return {event.pk: name for event, name in zip(asked, names, strict=True)}


def take_in(events: Sequence[InboundEvent], names: dict[int, str], now: datetime) -> None:
    """Do what follows from these. What a room has shown is asked about at once."""
    hearing.take_in(events, names, now)
    for event in events:
        if event.kind == EventKind.ECHO:
            asked = Delivery.objects.filter(
                state=DeliveryState.UNCONFIRMED,
                confirm_at__isnull=False,
                account=event.account,
                room__address=event.address,
            )
            asked.update(confirm_at=now)
