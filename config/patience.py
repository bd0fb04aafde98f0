"""Waits for what may never answer, and no longer than it may."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

import psycopg
from django.db import connections

AGAIN_SECONDS = 0.5


class Asked:
    """A question in a thread of its own: a call into a mount that hangs cannot be called off."""

    def __init__(self, question: Callable[[], Any]) -> None:
        self._since = monotonic()
        self._answer: Any = None
        self._error: Exception | None = None
        # A daemon: a process must end though it still waits.
        self._thread = Thread(target=self._ask, args=[question], daemon=True)
        self._thread.start()

    def _ask(self, question: Callable[[], Any]) -> None:
        try:
            self._answer = question()
        except Exception as error:  # whatever it is, who waits is told
            self._error = error

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    @property
    def seconds(self) -> float:
        return monotonic() - self._since

    def answer(self, within: float) -> Any:
        """What came of it. Raises TimeoutError so many seconds after it was asked."""
        self._thread.join(max(within - self.seconds, 0))
        if not self.is_over:
            raise TimeoutError
        if self._error:
            raise self._error
        return self._answer


_asked: dict[str, Asked] = {}
_lock = Lock()


def ask(name: str, question: Callable[[], Any]) -> Asked:
    """Ask it; of each name once at a time: who asks meanwhile waits for the same answer, and a
    thousand that ask what hangs do not leave a thousand threads."""
    with _lock:
        found = _asked.get(name)
        if found is None or found.is_over:
            found = _asked[name] = Asked(question)
        return found


@contextmanager
def hanging_up(after: float, alias: str = "default") -> Iterator[None]:
    """Hang up on a PostgreSQL that has not answered by then: who waits for it here gets an error,
    as from one that went away. To connect has a time limit of its own."""
    wrapper, is_over = connections[alias], Event()

    def watch() -> None:
        wait = after
        while not is_over.wait(wait):
            wait = AGAIN_SECONDS
            _hang_up(wrapper.connection)

    Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        is_over.set()


def _hang_up(connection: Any) -> None:
    """From another thread than the one that waits. What is closed already, is."""
    if isinstance(connection, psycopg.Connection):
        with (
            suppress(OSError, psycopg.Error),
            socket.socket(fileno=os.dup(connection.fileno())) as line,
        ):
            line.shutdown(socket.SHUT_RDWR)
