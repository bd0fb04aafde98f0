"""Post: one message to one endpoint. Touches no table."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp

from channels.adapters.base import SendError
from channels.adapters.wire import wire_failures, within
from channels.webhooks.signing import headers_of
from channels.webhooks.take import Call

SECONDS = 10.0
LONGEST_WAIT = timedelta(days=1)  # of what an endpoint may ask for


@dataclass(frozen=True)
class Answer:
    """What an endpoint said; `status` None: nothing that was heard."""

    took_ms: int
    status: int | None = None
    why: str = ""
    wait: timedelta | None = None

    @property
    def is_accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


async def post(http: aiohttp.ClientSession, call: Call, now: datetime) -> Answer:
    """Raises nothing that has to do with the endpoint. `http` is a guarded session."""
    started = time.monotonic()

    def answer(status: int | None = None, why: str = "", wait: timedelta | None = None) -> Answer:
        return Answer(int((time.monotonic() - started) * 1000), status, why, wait)

    headers = headers_of(call.secrets, call.message_id, int(now.timestamp()), call.body)
    try:
        with wire_failures():
            async with http.post(
                call.url,
                data=call.body,
                headers=headers,
                timeout=within(SECONDS),
                allow_redirects=False,
            ) as response:
                wait = waited(response.headers.get("Retry-After", ""), now)
                return answer(response.status, "", wait)
    except SendError as error:
        return answer(why=str(error))


def waited(retry_after: str, now: datetime) -> timedelta | None:
    """Retry-After is a number of seconds or a date. None: there was none to be read."""
    try:
        if retry_after.isascii() and retry_after.isdigit():
            wait = timedelta(seconds=min(int(retry_after), LONGEST_WAIT.total_seconds()))
        else:
            at = parsedate_to_datetime(retry_after)
            wait = at.replace(tzinfo=at.tzinfo or UTC) - now
    except (ValueError, OverflowError):
        return None
    return min(max(wait, timedelta()), LONGEST_WAIT)
