"""Hear: takes in what channels told us, and asks about what a room has just shown."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from channels import hearing
from channels.adapters.base import EventKind, SendError
from channels.models import InboundEvent
from schedules.dispatch.confirm import ask, due_questions, write_answers
from schedules.dispatch.send import Senders
from schedules.models import Delivery
from schedules.states import DeliveryState

Database = Callable[..., Awaitable[Any]]


class Listener:
    """Of one worker. `database` does database work in a thread for this alone: a channel that
    does not answer holds up neither plans nor signs of life."""

    def __init__(self, database: Database, senders: Senders) -> None:
        self._database, self._senders = database, senders

    async def turn(self) -> None:
        """Ask what is to be asked now, and take in what was told."""
        clock = self._senders.clock
        questions = await self._database(due_questions, clock.now())
        if questions:
            answers = await ask(questions, self._senders)
            await self._database(write_answers, answers, clock.now())
        events = await self._database(hearing.due_events, clock.now())
        if events:
            names = await names_of(events, self._senders)
            await self._database(take_in, events, names, clock.now())


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
