"""What LINE's answers mean."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp

from channels.adapters.base import (
    Place,
    Receipt,
    SendError,
    later,
    refused,
    unknown,
)
from channels.adapters.wire import read_answer

RATE_LIMIT_SECONDS = 1.0  # LINE names no time; its buckets fill by the second
MESSAGE = re.compile(r"messages\[(\d{1,3})\]")  # how it names the property at fault
LARGEST = 2**31 - 1  # of what is told in numbers: what the tables hold
MONTHLY_LIMIT = "monthly limit"  # the only sign that tells it from the rate limit

# What an answer to a validation may be beside a refusal.
SAID = (HTTPStatus.OK, HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)


@dataclass(frozen=True)
class Answer:
    """What LINE said. `data` is None where that was no JSON object."""

    status: int
    headers: Mapping[str, str]
    data: dict[str, Any] | None = None

    @property
    def request_id(self) -> str:
        return self.headers.get("x-line-request-id", "")

    @property
    def message(self) -> str:
        """LINE's own words; with the details, which name the faulty property."""
        data = self.data or {}
        words = data.get("message") or data.get("error_description") or f"HTTP {self.status}"
        named = [": ".join(filter(None, detail)) for detail in self._details]
        return f"{words} ({'; '.join(named)})" if named else str(words)

    @property
    def places(self) -> tuple[Place, ...]:
        """The messages that LINE finds fault with. It names a property of one, as in
        `messages[1].originalContentUrl`, or none."""
        found = [(MESSAGE.match(name), why) for name, why in self._details]
        return tuple(Place(int(match[1]), why) for match, why in found if match)

    @property
    def _details(self) -> list[tuple[str, str]]:
        """Of each detail the property and the message, either "" where LINE leaves it out."""
        details = (self.data or {}).get("details")
        rows = (
            [row for row in details if isinstance(row, dict)] if isinstance(details, list) else []
        )
        named = [(str(row.get("property") or ""), str(row.get("message") or "")) for row in rows]
        return [detail for detail in named if any(detail)]

    @property
    def evidence(self) -> dict[str, Any]:
        return {"status": self.status, "request_id": self.request_id, "answer": self.data or {}}


async def take_in(response: aiohttp.ClientResponse) -> Answer:
    body = await read_answer(response)
    try:
        data = json.loads(body)
    except ValueError:
        data = None
    return Answer(response.status, response.headers, data if isinstance(data, dict) else None)


def receipt(answer: Answer) -> Receipt:
    """What a push's answer means. Raises SendError for all but an acceptance."""
    status = answer.status
    accepted_as = answer.headers.get("x-line-accepted-request-id", "")
    if status == 409 and accepted_as:
        return Receipt(status, accepted_as, answer.data or {}, already=True)
    if status == 429:
        raise _limited(answer)
    if 200 <= status < 300 and answer.data is not None and answer.request_id:
        return Receipt(status, answer.request_id, answer.data)
    if status == 401:
        raise refused(
            f"LINE does not accept the access token: {answer.message}",
            account_wide=True,
            **answer.evidence,
        )
    if 400 <= status < 500 and status not in (408, 409):
        raise refused(f"LINE refused: {answer.message}", places=answer.places, **answer.evidence)
    # 5xx; and what LINE would not say, such as the page of a captive portal.
    raise _uncertain(answer)


def verdict(answer: Answer) -> None:
    """What the answer to a validation means. Raises SendError: that the messages are refused is
    only what LINE itself has said in so many words, and not a proxy on the way."""
    if answer.status == HTTPStatus.FORBIDDEN:
        raise refused(
            f"LINE does not let this account send: {answer.message}",
            account_wide=True,
            **answer.evidence,
        )
    is_own = answer.data is not None and "message" in answer.data
    is_refused = answer.status == HTTPStatus.BAD_REQUEST and is_own
    if not is_refused and answer.status not in SAID:
        raise _uncertain(answer)
    receipt(answer)


def count_in(answer: Mapping[str, Any], name: str) -> int:
    """A number that LINE told by this name. Raises SendError(UNKNOWN) where it is none."""
    value = answer.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST:
        return value
    raise unknown(f"LINE's answer has no number “{name}”.", answer=dict(answer))


def _uncertain(answer: Answer) -> SendError:
    words = f"LINE's answer says nothing certain (HTTP {answer.status})."
    return unknown(words, **answer.evidence)


def _limited(answer: Answer) -> SendError:
    if MONTHLY_LIMIT in answer.message:
        return refused(
            f"This LINE account has reached its monthly limit: {answer.message}",
            account_wide=True,
            spent=True,
            **answer.evidence,
        )
    return later(f"LINE: {answer.message}", after=RATE_LIMIT_SECONDS, **answer.evidence)
