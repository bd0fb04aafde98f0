"""Tokens: an account's access token, fetched when it is needed and kept while it is good."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from channels.adapters.base import Failure, SendError, later

MARGIN = 60.0  # seconds before its end at which a token is no longer used


class Token(NamedTuple):
    """What a vendor gave out, and how many seconds it is good for."""

    value: str
    seconds: float


class Tokens:
    """Whoever needs a new one while one is being fetched waits for the same request: a second
    one could spend what the first has renewed."""

    def __init__(self, vendor: str, fetch: Callable[[], Awaitable[Token]]) -> None:
        self._no_token = f"{vendor} gave no access token in time."
        self._fetch = fetch
        self._token = ""
        self._good_until = 0.0
        self._fetching: asyncio.Task[str] | None = None

    async def get(self, until: float, rejected: str = "") -> str:
        """A token to use now, other than the one that was `rejected`. Waits until that time of
        the loop's clock. Raises SendError."""
        loop = asyncio.get_running_loop()
        if self._token not in ("", rejected) and loop.time() < self._good_until:
            return self._token
        if self._fetching is None or self._fetching.done():
            self._fetching = loop.create_task(self._renew())
            self._fetching.add_done_callback(_heard)
        try:
            async with asyncio.timeout_at(until):
                # One sender that gives up must not take the token from the others.
                return await asyncio.shield(self._fetching)
        except TimeoutError as error:
            raise later(self._no_token) from error

    async def _renew(self) -> str:
        try:
            token = await self._fetch()
        except SendError as error:
            if error.failure is Failure.UNKNOWN:  # of the token's request: no message was sent
                raise later(self._no_token) from error
            raise
        self._good_until = asyncio.get_running_loop().time() + token.seconds - MARGIN
        self._token = token.value
        return token.value


def _heard(fetching: asyncio.Task[str]) -> None:
    """Take note of how it ended: with nobody waiting any more, asyncio would complain."""
    if not fetching.cancelled():
        fetching.exception()
