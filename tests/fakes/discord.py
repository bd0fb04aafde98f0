"""Discord's webhooks, as far as Apprise uses them: a stand-in for what Apprise calls."""

import json
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from channels.apprise import call as calling
from tests.fakes.faults import FaultKind, Faults
from tests.fakes.misbehaviour import misbehave
from tests.fakes.wire import Answer, Request, json_answer

PATH = "/api/webhooks/4174216298/s3cret"
URL = "discord://4174216298/s3cret"


@dataclass(frozen=True, slots=True)
class Accepted:
    """One acceptance, with its arrival time (wall clock, seconds). No request names a room or
    carries a key."""

    content: str
    at: float
    key: str = ""
    to: str = ""

    @property
    def messages(self) -> list[dict[str, str]]:
        """As the adapter packs it."""
        return [{"kind": "text", "text": self.content, "url": ""}]


class DiscordFake:
    """Accepts messages to one webhook, as often as they come."""

    def __init__(self, *, latency: float = 0.0) -> None:
        self.latency = latency
        self.status = 204  # of the usual answer; anything but 2xx accepts nothing
        self.headers: dict[str, str] = {}
        self.faults = Faults()
        self.log: list[Accepted] = []

    def handle(self, request: Request) -> Answer | Coroutine[Any, Any, Answer | None]:
        """Answer one request."""
        if request.path != PATH:
            return json_answer({"message": "Unknown Webhook"}, status=404)

        def accept() -> Answer:
            if 200 <= self.status < 300:
                self.log.append(Accepted(json.loads(request.body)["content"], request.at))
            return Answer(self.status, headers=self.headers)

        fault = self.faults.take("")
        if fault is not None:
            return misbehave(
                request, fault, accept=accept, limited=_limited, accepts_behind_html=True
            )
        return accept()


@contextmanager
def called_by_apprise(url: str) -> Iterator[None]:
    """Apprise's Discord is the one that is served at this URL."""
    plugin = calling.load().plugins.N_MGR["discord"]
    with patch.object(plugin, "notify_url", f"{url}/api/webhooks"):
        yield


def _limited(_kind: FaultKind) -> Answer:
    return json_answer({"message": "You are being rate limited."}, status=429)
