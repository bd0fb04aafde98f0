"""Any HTTP endpoint: each part is one signed POST of JSON.

The request, for those who write a receiver:

    POST <the account's URL>
    Content-Type: application/json
    Idempotency-Key: 5f0c…            the same for every try of one part
    Teiji-Timestamp: 1767225600       Unix seconds, of this try
    Teiji-Signature: v1=<hex of HMAC-SHA256(secret, timestamp + "." + body)>

    {"key": "5f0c…", "room": "lobby", "messages": [
        {"type": "text", "text": "…"}, {"type": "image", "url": "https…", "preview_url": "https…"}]}

`verify` below is all that a receiver has to do before it believes the body. Any 2xx accepts;
429 and 503 with Retry-After ask to come back; any other 4xx refuses.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

import aiohttp
from django.utils.translation import gettext_lazy as _

from channels.adapters.base import (
    Adapter,
    Bubble,
    Config,
    Limits,
    Message,
    Part,
    Payload,
    Receipt,
    SendError,
    Target,
    Text,
    later,
    option,
    refused,
    unknown,
)
from channels.adapters.wire import MAYBE_SENT, read_answer, wire_failures, within

SKEW_SECONDS = 300  # a signature is good for so long, before and after
KEPT_ANSWER = 2000  # characters of an answer that are kept
LONGEST_WAIT = 3600.0  # of what a receiver may ask for with Retry-After
LONGEST_ROOM = 200


@dataclass(frozen=True)
class WebhookConfig(Config):
    """Where to post, and the secret that signs it."""

    url: str = option(
        _("URL"), _("Each message is posted to it. It must begin with https://."), url=True
    )
    secret: str = option(
        _("Signing secret"),
        _("At least 16 characters that the receiver knows too: it proves that we are the sender."),
        secret=True,
    )
    honours_key: str = option(
        _("Recognises repeats"),
        _("Yes: the receiver accepts each Idempotency-Key once, so a lost answer may be retried."),
        default="no",
        choices=[("yes", _("yes")), ("no", _("no"))],
    )

    def problems(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if not self.url:
            found["url"] = _("Give the URL to post to.")
        if len(self.secret) < 16:
            found["secret"] = _("Give a secret of at least 16 characters.")
        return found


class WebhookAdapter(Adapter):
    """Posts to a URL of the tenant's, so its session must be a guarded one."""

    kind = "webhook"
    label = _("Webhook")
    config_class = WebhookConfig
    limits = Limits(text_length=10_000, images=10, messages_per_part=100)
    address_help = _("A name that the receiver understands; it is sent along as “room”.")

    @property
    def takes_key(self) -> bool:  # type: ignore[override]
        return bool(self.config.honours_key == "yes")

    def pack(self, messages: Sequence[Message], *, spaced: bool) -> list[Part]:
        size = 1 if spaced else self.limits.messages_per_part
        groups = [messages[start : start + size] for start in range(0, len(messages), size)]
        return [_part(group) for group in groups]

    def preview(self, payload: Payload) -> list[Bubble]:
        return [
            Bubble(message["type"], text=message.get("text", ""), url=message.get("url", ""))
            for message in payload["messages"]
        ]

    async def send(self, target: Target, payload: Payload, key: UUID) -> Receipt:
        body = _canonical({"key": str(key), "room": target.address, **payload})
        timestamp = str(int(self.now()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": str(key),
            "Teiji-Timestamp": timestamp,
            "Teiji-Signature": sign(self.config.secret, timestamp, body),
        }
        with wire_failures():
            async with self.http.post(
                self.config.url,
                data=body,
                headers=headers,
                timeout=within(self.timeout),
                allow_redirects=False,
            ) as response:
                answer = await _kept(response)
                if 200 <= response.status < 300:
                    return Receipt(response.status, answer=answer)
                raise self._failure(response, answer)

    def address_problem(self, address: str) -> Any | None:
        if 0 < len(address) <= LONGEST_ROOM and address.isprintable():
            return None
        return _("A room's name has 1 to 200 characters, all printable.")

    def _failure(self, response: aiohttp.ClientResponse, answer: dict[str, Any]) -> SendError:
        status = response.status
        evidence: dict[str, Any] = {"status": status, "answer": answer}
        after = _seconds(response.headers.get("Retry-After", ""), self.now())
        if status == 429 or (status == 503 and after is not None):
            return later(
                f"The receiver asked to come back (HTTP {status}).", after=after, **evidence
            )
        if 300 <= status < 400:
            return refused(
                f"The receiver redirects (HTTP {status}), which is not followed:"
                " give the final URL.",
                **evidence,
            )
        # 409 says that another try of the same key is still in progress.
        if status == 408 or status >= 500 or (status == 409 and self.takes_key):
            return unknown(f"The receiver failed (HTTP {status}).", **evidence)
        return refused(f"The receiver refused (HTTP {status}).", **evidence)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The value of Teiji-Signature."""
    signed = timestamp.encode() + b"." + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def verify(secret: str, timestamp: str, body: bytes, signature: str, now: float) -> bool:
    """Whether these headers and this raw body came from whom the secret was shared with,
    within five minutes of `now` (Unix seconds)."""
    if not (timestamp.isascii() and timestamp.isdigit() and signature.isascii()):
        return False
    is_fresh = abs(now - int(timestamp[:20])) <= SKEW_SECONDS
    return hmac.compare_digest(sign(secret, timestamp, body), signature) and is_fresh


def _part(messages: Sequence[Message]) -> Part:
    return Part({"messages": [_body(message) for message in messages]})


def _body(message: Message) -> dict[str, str]:
    if isinstance(message, Text):
        return {"type": "text", "text": message.text}
    return {"type": "image", "url": message.url, "preview_url": message.preview_url}


def _canonical(value: dict[str, Any]) -> bytes:
    """The same bytes for the same value, at every try."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


async def _kept(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The beginning of the answer, as evidence. The status counts even if the rest is lost."""
    try:
        body = await read_answer(response)
    except MAYBE_SENT:
        return {}
    text = body.decode(errors="replace")[:KEPT_ANSWER].replace("\0", "")
    return {"body": text} if text else {}


def _seconds(retry_after: str, now: float) -> float | None:
    """Retry-After is a number of seconds or a date. None: there was none to be read."""
    try:
        if retry_after.isascii() and retry_after.isdigit():
            wait = float(retry_after)
        else:
            moment = parsedate_to_datetime(retry_after)
            wait = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return min(max(wait, 0.0), LONGEST_WAIT)
