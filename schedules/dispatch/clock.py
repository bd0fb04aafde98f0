"""A worker's view of the database's clock, without asking it for every step."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from orgs.clock import database_now

FAR_BEHIND = timedelta(seconds=0.5)


def counter() -> float:
    """Seconds that have passed, a suspend of this machine included where the system counts it."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


class Clock:
    """The database's time, carried on by this machine's counter, through a suspend as well.

    It runs at most a round trip behind the database and never ahead of it, so that nothing
    leaves early. This machine's own wall clock may be wrong by hours.
    """

    def __init__(self, counter: Callable[[], float] = counter) -> None:
        self._counter = counter
        self._offset = 0.0

    def set_by_database(self) -> None:
        """Ask the database once. For what sends nothing by itself: a worker's clock goes by what
        its fence has looked at."""
        self.go_by(database_now(), self._counter())

    def go_by(self, moment: datetime, counted: float) -> None:
        """The database has said `moment` when the counter stood at `counted`, or before."""
        self._offset = moment.timestamp() - counted

    def is_far_behind(self) -> bool:
        """Ask the database once: a machine that was paused from outside counted nothing
        meanwhile, by no counter of its own."""
        return database_now() - self.now() > FAR_BEHIND

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._offset + self._counter(), UTC)

    async def wait_until(self, moment: datetime) -> None:
        """Return at `moment` or just after it."""
        while (left := (moment - self.now()) / timedelta(seconds=1)) > 0:
            await asyncio.sleep(left)
