"""What LINE's answers mean."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from channels.adapters.base import (
    Receipt,
    SendError,
    later,
    refused,
    unknown,
)
from channels.adapters.wire import read_answer

RATE_LIMIT_SECONDS = 1.0  # LINE names no time; its buckets fill by the second
MONTHLY_LIMIT = "monthly limit"  # the only sign that tells it from the rate limit


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
        details = data.get("details")
        if not isinstance(details, list):
            return str(words)
        named = [f"{d.get('property')}: {d.get('message')}" for d in details if isinstance(d, dict)]
        return f"{words} ({'; '.join(named)})" if named else str(words)

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
        raise refused(f"LINE refused: {answer.message}", **answer.evidence)
    # 5xx; and what LINE would not say, such as the page of a captive portal.
    raise unknown(f"LINE's answer says nothing certain (HTTP {status}).", **answer.evidence)


def count_in(answer: Mapping[str, Any], name: str) -> int:
    """A number that LINE told by this name. Raises SendError(UNKNOWN) where it is none."""
    value = answer.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise unknown(f"LINE's answer has no number “{name}”.", answer=dict(answer))


def _limited(answer: Answer) -> SendError:
    if MONTHLY_LIMIT in answer.message:
        return refused(
            f"This LINE account has reached its monthly limit: {answer.message}",
            account_wide=True,
            spent=True,
            **answer.evidence,
        )
    return later(f"LINE: {answer.message}", after=RATE_LIMIT_SECONDS, **answer.evidence)
