"""Herald: the part of a worker that tells people how their runs ended, beside all that is sent."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from channels.alerts.places import tell
from channels.told.telling import Call, note, take
from schedules.dispatch.poster import is_a_copy

Database = Callable[..., Awaitable[Any]]


class Herald:
    """Of one worker. `database` does database work in the thread for what others are told."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now

    async def turn(self) -> None:
        """Tell whoever is to be told something now."""
        telling = asyncio.ensure_future(self._tell())
        try:
            await asyncio.shield(telling)
        except asyncio.CancelledError:
            await telling  # it is short: cut off, it would be told again by another worker
            raise

    async def _tell(self) -> None:
        calls: list[Call] = await self._database(_next, self._now())
        said = await asyncio.gather(*(tell(call.url, call.title, call.body) for call in calls))
        for call, answer in zip(calls, said, strict=True):
            await self._database(note, call, answer, self._now())


def _next(now: datetime) -> list[Call]:
    return [] if is_a_copy() else take(now)
