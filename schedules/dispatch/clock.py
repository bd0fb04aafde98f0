"""A worker's view of the database's clock, without asking it for every step."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from orgs.clock import database_now


class Clock:
    """The database's time, carried on by this machine's monotonic counter.

    It runs at most a round trip behind the database and never ahead of it, so that nothing
    leaves early. This machine's own wall clock may be wrong by hours.
    """

    def __init__(self) -> None:
        self._offset = 0.0

    def set_by_database(self) -> None:
        """Ask the database once. Called every few seconds: counters drift."""
        moment = database_now().timestamp()
        self._offset = moment - time.monotonic()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._offset + time.monotonic(), UTC)

    async def wait_until(self, moment: datetime) -> None:
        """Return at `moment` or just after it."""
        while (left := (moment - self.now()) / timedelta(seconds=1)) > 0:
            await asyncio.sleep(left)
