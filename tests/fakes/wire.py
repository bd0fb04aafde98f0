"""As much of an HTTP server as the fakes need, bare, so that measuring does not measure it.

Requests with Content-Length, one at a time on a connection. What is accepted is accepted when
the request has arrived; `latency` only holds the answer back.
"""

import asyncio
import json
import time
from collections.abc import Coroutine
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

from tests.fakes.faults import Faults

TLS_HELLO = b"\x16\x03"


@dataclass(slots=True)
class Request:
    """One request, whole. Header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    transport: asyncio.Transport
    at: float = field(default_factory=time.time)  # when it had arrived


@dataclass(slots=True)
class Answer:
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} -", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()


def json_answer(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """An answer of JSON."""
    more = {"Content-Type": "application/json", **(headers or {})}
    return Answer(status, json.dumps(value).encode(), more)


class Fake(Protocol):
    """What can be served: it answers requests, now or later, and logs what it accepted.

    A coroutine that gives None has dealt with the connection itself.
    """

    latency: float
    faults: Faults

    @property
    def log(self) -> list[Any]: ...

    def handle(self, request: Request) -> Answer | Coroutine[Any, Any, Answer | None]: ...


class Connection(asyncio.Protocol):
    """One client's connection. `open_ones` and `tasks` are the server's, to end with it."""

    def __init__(self, fake: Fake, open_ones: set[asyncio.Transport], tasks: set[Any]) -> None:
        self.fake = fake
        self.open_ones = open_ones
        self.tasks = tasks
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.open_ones.add(self.transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self.open_ones.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if self.received.startswith(TLS_HELLO):
            self.transport.write(Answer(400).head())
            self.transport.close()
            return
        head, found, rest = self.received.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _colon, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self.received = rest[length:]
        self._answer(_request(first, headers, rest[:length], self.transport))

    def _answer(self, request: Request) -> None:
        loop = asyncio.get_running_loop()
        if request.path.startswith("/_fake/"):
            self._write(request, _control(self.fake, request))
            return
        answer = self.fake.handle(request)
        if not isinstance(answer, Answer):
            task = loop.create_task(self._answer_later(request, answer))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        elif self.fake.latency:
            loop.call_later(self.fake.latency, self._write, request, answer)
        else:
            self._write(request, answer)

    async def _answer_later(
        self, request: Request, coming: Coroutine[Any, Any, Answer | None]
    ) -> None:
        answer = await coming
        if answer is not None:
            self._write(request, answer)

    def _write(self, request: Request, answer: Answer) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(answer.head() + answer.body)
        if request.headers.get("connection", "").lower() == "close":
            self.transport.close()


def _request(
    first: str, headers: dict[str, str], body: bytes, transport: asyncio.Transport
) -> Request:
    method, target, _version = first.split(" ")
    path, _mark, query = target.partition("?")
    return Request(
        method, unquote(path), dict(parse_qsl(query)) if query else {}, headers, body, transport
    )


def _control(fake: Fake, request: Request) -> Answer:
    """`/_fake/…`, for tests in other processes.

    GET log[?from=N], GET stats, GET requests, DELETE faults, and POST faults
    {kind, times, to, seconds, prefix}.
    """
    match request.method, request.path:
        case "GET", "/_fake/log":
            start = int(request.query.get("from", "0"))
            return json_answer([asdict(entry) for entry in fake.log[start:]])
        case "GET", "/_fake/stats":
            keys = {entry.key for entry in fake.log}
            return json_answer({"accepted": len(fake.log), "keys": len(keys)})
        case "GET", "/_fake/requests":
            return json_answer(getattr(fake, "requests", {}))
        case "POST", "/_fake/faults":
            fake.faults.add(**json.loads(request.body))
        case "DELETE", "/_fake/faults":
            fake.faults.clear()
        case _:
            return json_answer({"message": "Not found"}, status=404)
    return json_answer({})
