"""Turn: the part of a worker that looks at runs before their time."""

from collections.abc import Awaitable, Callable
from typing import Any

from schedules.dispatch import meter
from schedules.dispatch.preflight.ask import Inquiry
from schedules.dispatch.preflight.look import look
from schedules.dispatch.preflight.pictures import Pictures, close_links, open_links
from schedules.dispatch.preflight.take import SCHEDULES_A_TURN, take
from schedules.dispatch.preflight.write import write
from schedules.dispatch.send import Senders

Database = Callable[..., Awaitable[Any]]


class Lookout:
    """Of one worker. `database` does database work in a thread for this alone."""

    def __init__(self, database: Database, senders: Senders) -> None:
        self._database, self._senders = database, senders

    async def turn(self) -> None:
        """Look at all that is to be looked at now."""
        while await self._look() == SCHEDULES_A_TURN:
            pass

    async def _look(self) -> int:
        """At some runs; returns how many."""
        clock = self._senders.clock
        rows = await self._database(take, clock.now())
        if not rows:
            return 0
        flights = await self._database(look, rows, clock.now())
        links = await self._database(open_links, flights, clock.now())
        try:
            inquiry = Inquiry(self._senders, Pictures(links))
            await inquiry.ask(flights)
        finally:
            await self._database(close_links, links)
        await self._database(write, flights, clock.now())
        await self._database(meter.write, meter.Answers(people=inquiry.people), clock.now())
        return len(flights)
