"""A passage: what one thread may do on the network while Apprise runs in it.

Python reports every connect() with the very address, and every request before its bytes leave,
to audit hooks, which may refuse. So the rule for outgoing URLs holds for the connection
itself, whatever was looked up before, in whichever library; and it is known afterwards
whether anything was handed over.
"""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from ipaddress import ip_address
from typing import Any

from django.utils.translation import gettext as _

from channels.outgoing import Network, UnsafeUrl, check_url

_thread = threading.local()


class Passage:
    """What one call may do and has done. Made for one thread; closed by any."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self.refusal = ""  # why a connection was not allowed, for people
        self.wait: float | None = None  # seconds that a service asked to be left alone
        self._allowed = allowed
        self._is_used = False
        self._is_closed = False
        self._lock = threading.Lock()

    def close(self) -> bool:
        """Let nothing pass any more. Whether a request, or a mail, had begun to leave."""
        with self._lock:
            self._is_closed = True
            return self._is_used

    def connect(self, address: Any) -> None:
        """Raise PermissionError unless this socket address is public or allowed."""
        self._refuse_when_closed()
        try:
            host = ip_address(address[0]) if isinstance(address, tuple) else None
            in_url = f"[{host}]" if host and host.version == 6 else host
            check_url(f"https://{in_url}/" if host else "", self._allowed)
        except (UnsafeUrl, ValueError) as error:
            self.refusal = _("This URL does not lead to a public address.")
            raise PermissionError(self.refusal) from error

    def hand_over(self) -> None:
        """Note that bytes are leaving. Raises PermissionError when it is too late for that."""
        with self._lock:
            self._refuse_when_closed()
            self._is_used = True

    def throttle(self, last_io: Any = None, wait: float | None = None) -> None:
        """In place of Apprise's, which sleeps: who sends can wait better."""
        if wait:
            self.wait = wait
            raise PermissionError("There is no waiting within a call.")

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            raise PermissionError("The time for this call is over.")


@contextmanager
def through(passage: Passage) -> Iterator[None]:
    """Within, this thread connects and sends by the passage's leave only."""
    _install()
    _thread.passage = passage
    try:
        yield
    finally:
        _thread.passage = None


@cache
def _install() -> None:
    # For good: Python removes no audit hook. For all other threads it is one look.
    sys.addaudithook(_watch)


def _watch(event: str, args: tuple[Any, ...]) -> None:
    passage = getattr(_thread, "passage", None)
    if passage is None:
        return
    if event == "socket.connect":
        passage.connect(args[1])
    elif event == "http.client.send" or (event == "smtplib.send" and _is_data(args[1])):
        passage.hand_over()


def _is_data(command: bytes) -> bool:
    """Of SMTP's commands, that after which the mail itself leaves."""
    return command[:4].lower() == b"data"
