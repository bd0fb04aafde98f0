"""Poster: the part of a worker that tells other systems what happened. It has a thread of its own,
and endpoints that hang hold up neither each other nor anything that is sent."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import aiohttp

from channels.http import allowed_networks, open_session
from channels.webhooks.note import note
from channels.webhooks.post import post
from channels.webhooks.spread import spread
from channels.webhooks.take import Call, take
from schedules.models import Installation

logger = logging.getLogger(__name__)

Database = Callable[..., Awaitable[Any]]
LOOK_AGAIN = 1.0  # seconds, while some are under way


class Poster:
    """Of one worker. `database` does database work in the thread for webhooks."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now
        self._under_way: dict[asyncio.Task[None], int] = {}  # with the endpoint of each
        self._http: aiohttp.ClientSession | None = None

    async def turn(self) -> None:
        """Until nothing is due and nothing is under way."""
        while True:
            await self._begin()
            if not self._under_way:
                return
            await asyncio.wait(
                self._under_way, timeout=LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED
            )

    async def close(self) -> None:
        """What is under way comes to its end: cut off, it would be told again."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if self._http:
            await self._http.close()

    async def _begin(self) -> None:
        calls = await self._database(_next, self._now(), Counter(self._under_way.values()))
        for call in calls:
            task = asyncio.create_task(self._post(call))
            self._under_way[task] = call.webhook
            task.add_done_callback(self._under_way.pop)

    async def _post(self, call: Call) -> None:
        if self._http is None:
            self._http = open_session(guarded=True, allowed=allowed_networks())
        answer = await post(self._http, call, self._now())
        try:
            await self._database(note, call, answer, self._now())
        except Exception:  # its hold runs out, and it is tried again
            logger.exception("webhook delivery %s: its answer could not be written", call.delivery)


def _next(now: datetime, under_way: Counter[int]) -> list[Call]:
    """A copy of a database tells nothing: that is the business of the one it was made from."""
    if is_a_copy():
        return []
    while spread(now):
        pass
    return take(now, under_way)


def is_a_copy() -> bool:
    """Whether sending is stopped for that, and not by a person's wish."""
    row = Installation.objects.fenced()
    return row is not None and row.reason != Installation.Reason.BY_HAND
