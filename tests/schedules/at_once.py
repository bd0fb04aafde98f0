"""Two at once: each a thread with a database connection of its own."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from django.db import connection, connections

PATIENCE = 60  # seconds that a test waits for what must come

on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)


def act_at(patch: pytest.MonkeyPatch, now: datetime) -> None:
    """From here on, `now` is the time at which people act."""
    for name, module in sys.modules.items():
        if name.startswith("schedules.actions.") and hasattr(module, "database_now"):
            patch.setattr(module, "database_now", lambda: now)


def start(work: Callable[..., Any], *args: Any, **kwargs: Any) -> "Future[Any]":
    """Run `work` beside this thread. Its result, or what it raised, is in the Future."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(work(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        finally:
            connections.close_all()

    threading.Thread(target=run, daemon=True).start()
    return future


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Do all of it at the same moment; the results in order, an exception as a value."""
    barrier = threading.Barrier(len(works))

    def one(work: Callable[[], Any]) -> Any:
        barrier.wait(PATIENCE)
        return work()

    return [outcome_of(future) for future in [start(one, work) for work in works]]


def outcome_of(future: "Future[Any]") -> Any:
    """The result, or the exception as a value."""
    return future.exception(PATIENCE) or future.result()


def wait_until_blocked(future: "Future[Any]") -> None:
    """Return when that thread waits for a lock of this one, or has ended. On SQLite, whose
    locks cannot be seen: at once within a transaction, else when it has ended."""
    if connection.vendor != "postgresql":
        if not connection.in_atomic_block:
            future.exception(PATIENCE)
        return
    end = time.monotonic() + PATIENCE
    while not (future.done() or _waiting()):
        assert time.monotonic() < end, "it neither ends nor waits for a lock"
        time.sleep(0.005)


@contextmanager
def before_statement(
    number: int, work: Callable[[], Any], among: str = ""
) -> Iterator[list["Future[Any]"]]:
    """Within, before this thread's statement of that number (`among` those with this text), do
    `work` beside it: until it has ended or waits for a lock. Yields its Future once it was begun.
    """
    begun: list[Future[Any]] = []
    counter = count()

    def watch(execute: Callable[..., Any], *args: Any) -> Any:
        if not begun and among in args[0] and next(counter) == number:
            begun.append(start(work))
            wait_until_blocked(begun[0])
        return execute(*args)

    with connection.execute_wrapper(watch):
        yield begun


def _waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted "
            "AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchone()[0])
