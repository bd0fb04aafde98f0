"""A receiver of signed webhooks, as a customer would write one.

As a process: `python -m tests.fakes.webhook --port 9001`, which prints `ready 9001`.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from tests.fakes.faults import FaultKind, Faults
from tests.fakes.misbehaviour import misbehave
from tests.fakes.serving import port_argument, run_until_terminated
from tests.fakes.wire import Answer, Request, json_answer

SECRET = "a secret that both sides know"


@dataclass(frozen=True, slots=True)
class Accepted:
    """One acceptance, with its arrival time (wall clock, seconds)."""

    key: str
    to: str
    messages: list[dict[str, Any]]
    at: float


class WebhookFake:
    """Believes what is signed with SECRET; `honours_key`: accepts each key once."""

    def __init__(self, *, latency: float = 0.0, honours_key: bool = False) -> None:
        self.latency = latency
        self.honours_key = honours_key
        self.status = 200  # of an acceptance; anything else than 2xx accepts nothing
        self.headers: dict[str, str] = {}  # of every usual answer
        self.connections: set[Any] = set()
        self.faults = Faults()
        self.log: list[Accepted] = []
        self._keys: set[str] = set()

    def handle(self, request: Request) -> Answer | Coroutine[Any, Any, Answer | None]:
        """Answer one request."""
        self.connections.add(request.transport)
        if not _is_signed(request):
            return json_answer({"error": "bad signature"}, status=401)
        body = json.loads(request.body)
        if body["key"] != request.headers["idempotency-key"]:
            return json_answer({"error": "two different keys"}, status=400)

        def accept() -> Answer:
            return self._accept(body, request.at)

        fault = self.faults.take(body["room"])
        if fault is not None:
            return misbehave(
                request, fault, accept=accept, limited=_limited, accepts_behind_html=True
            )
        return accept()

    def _accept(self, body: dict[str, Any], at: float) -> Answer:
        is_repeat = self.honours_key and body["key"] in self._keys
        if 200 <= self.status < 300 and not is_repeat:
            self._keys.add(body["key"])
            self.log.append(Accepted(body["key"], body["room"], body["messages"], at))
        if self.status == 204:
            return Answer(204)
        return json_answer({"ok": True}, status=self.status, headers=self.headers)


def _is_signed(request: Request) -> bool:
    timestamp = request.headers.get("teiji-timestamp", "0")
    signed = f"{timestamp}.".encode() + request.body
    wanted = hmac.new(SECRET.encode(), signed, hashlib.sha256)
    given = request.headers.get("teiji-signature", "")
    is_fresh = abs(time.time() - int(timestamp)) < 300
    return is_fresh and hmac.compare_digest(given, f"v1={wanted.hexdigest()}")


def _limited(kind: FaultKind) -> Answer:
    headers = {"Retry-After": "7"} if kind == FaultKind.RATE_LIMIT else {}
    return json_answer({"error": "slow down"}, status=429, headers=headers)


def main() -> None:
    """The command line."""
    parser = port_argument("A receiver of signed webhooks.")
    parser.add_argument("--honours-key", action="store_true")
    options = parser.parse_args()
    fake = WebhookFake(latency=options.latency_ms / 1000, honours_key=options.honours_key)
    run_until_terminated(fake, options.port)


if __name__ == "__main__":
    main()
