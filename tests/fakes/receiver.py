"""A receiver of Teiji's webhooks, as somebody would write one after docs/webhooks.md."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

from tests.fakes.faults import Faults
from tests.fakes.wire import Answer, Request


@dataclass(frozen=True, slots=True)
class Heard:
    """One message."""

    message_id: str
    body: dict[str, Any]
    raw: bytes
    signatures: list[str]
    timestamp: int


class Receiver:
    """Believes what is signed with one of `secrets`; answers with `status` and `headers`."""

    def __init__(self, *secrets: str) -> None:
        self.secrets = list(secrets)
        self.status = 204
        self.headers: dict[str, str] = {}
        self.latency = 0.0
        self.faults = Faults()
        self.log: list[Heard] = []  # of what was accepted
        self.requests = 0

    def handle(self, request: Request) -> Answer:
        self.requests += 1
        heard = _heard(request)
        wanted = {_sign(secret, heard) for secret in self.secrets}
        if abs(time.time() - heard.timestamp) > 300 or not wanted & set(heard.signatures):
            return Answer(401)
        if 200 <= self.status < 300:
            self.log.append(heard)
        return Answer(self.status, headers=self.headers)


def _heard(request: Request) -> Heard:
    headers = request.headers
    return Heard(
        headers["webhook-id"],
        json.loads(request.body),
        request.body,
        headers["webhook-signature"].split(" "),
        int(headers["webhook-timestamp"]),
    )


def _sign(secret: str, heard: Heard) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{heard.message_id}.{heard.timestamp}.".encode() + heard.raw
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
