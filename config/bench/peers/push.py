"""One push from a thread: urllib3, the fastest synchronous client, one kept connection each."""

import threading

from urllib3 import HTTPConnectionPool, connection_from_url

from .base import told
from .message import PATH, body, headers

SECONDS = 10.0

_of_this_thread = threading.local()


def push(room: str) -> None:
    """Send it; raises when the channel did not accept."""
    answer = _connection().request(
        "POST", PATH, body=body(room), headers=headers(), retries=False, timeout=SECONDS
    )
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} {answer.data!r}")


def _connection() -> HTTPConnectionPool:
    if not hasattr(_of_this_thread, "connection"):
        _of_this_thread.connection = connection_from_url(told("LINE_URL"), maxsize=1)
    connection: HTTPConnectionPool = _of_this_thread.connection
    return connection
