"""Tell: the part of a worker that tells administrators. It has a thread of its own, so that a
place that hangs holds up nothing that is sent."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from channels.alerts import AlertKind
from channels.alerts.gather import gather
from channels.alerts.places import tell
from channels.alerts.tell import Call, note, take
from schedules.dispatch import invariants, pulse, stalled
from schedules.dispatch.silence import Silence
from schedules.models import Installation

LOOK_EVERY = timedelta(minutes=1)

Database = Callable[..., Awaitable[Any]]


class Teller:
    """Of one worker. `database` does database work in the thread for alerts."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now
        self._looked_at: datetime | None = None
        self._silence = Silence()

    async def turn(self) -> int:
        """Look, gather, tell; returns how many were told or tried."""
        now = self._now()
        if self._looked_at is None or abs(now - self._looked_at) >= LOOK_EVERY:
            self._looked_at = now
            await self._database(self._look, now)
            await self._say_that_all_is_well(now)
        telling = asyncio.ensure_future(self._tell(now))
        try:
            return await asyncio.shield(telling)
        except asyncio.CancelledError:
            await telling  # it is short: cut off, it would be told again by another worker
            raise

    def _look(self, now: datetime) -> None:
        stalled.look(now)
        invariants.look(now)
        self._silence.look(now)

    async def _say_that_all_is_well(self, now: datetime) -> None:
        url = settings.TEIJI_HEARTBEAT_URL
        if url and await self._database(pulse.is_well, now):
            await pulse.call(url)

    async def _tell(self, now: datetime) -> int:
        calls: list[Call] = await self._database(_next, now)
        said = await asyncio.gather(*(tell(call.url, call.title, call.body) for call in calls))
        for call, answer in zip(calls, said, strict=True):
            await self._database(note, call, answer, self._now())
        return len(calls)


def _next(now: datetime) -> list[Call]:
    only = _only()
    gather(now, only=only)
    return take(now, only=only)


def _only() -> Collection[str] | None:
    """A copy of a database tells that it is one, and nothing else: the rest is the business of
    the database from which it was made."""
    row = Installation.objects.fenced()
    is_free = row is None or row.reason == Installation.Reason.BY_HAND
    return None if is_free else [AlertKind.FENCED]
