"""Database work off the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import (
    InterfaceError,
    InternalError,
    OperationalError,
    close_old_connections,
    connection,
    connections,
)

# The last one: a transaction stood idle for too long, as with a worker that was stopped.
DATABASE_AWAY = (OperationalError, InterfaceError, InternalError)
MOST_IDLE_SECONDS = 15  # between two statements of one transaction; as a rule milliseconds

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThreads:
    """One thread, and so one connection, for each kind of work: none waits for another."""

    def __init__(self, *kinds: str) -> None:
        self._threads = {kind: ThreadPoolExecutor(1, f"teiji-{kind}") for kind in kinds}

    async def call(self, kind: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in the thread of this kind. Raises what it raises."""

        def run() -> T:
            connect()
            try:
                return work(*args, **kwargs)
            except DATABASE_AWAY:
                # It may answer and yet be of no use: one to a server that takes no writes any
                # more, or took none when it was opened, would be kept for ever.
                connection.close()
                raise

        return await asyncio.get_running_loop().run_in_executor(self._threads[kind], run)

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        for thread in self._threads.values():
            await loop.run_in_executor(thread, connections.close_all)
            thread.shutdown()


def connect() -> None:
    """Open this thread's connection where it has none. A worker that stands still within a
    transaction would hold its rows from all others for as long: the server ends such a one."""
    close_old_connections()  # one that the server dropped is opened again
    if connection.connection is not None:
        return
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{MOST_IDLE_SECONDS}s'")
