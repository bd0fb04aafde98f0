"""Ahead of the second: tokens are fetched and connections opened, so that the first message waits
for no handshake."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import aiohttp
from django.core.exceptions import ImproperlyConfigured

from channels.adapters.base import Adapter
from channels.http import CONNECTIONS_PER_ACCOUNT, open_connections
from schedules.dispatch.claim import Claimed
from schedules.dispatch.send import Senders

logger = logging.getLogger(__name__)

SOON = timedelta(seconds=0.5)  # what leaves within it goes without: it would wait for this


class Ahead:
    """Of one worker. What fails here fails nobody: the send will meet it and say so."""

    def __init__(self, senders: Senders) -> None:
        self._senders = senders
        self._under_way: set[asyncio.Task[None]] = set()

    def get_ready(self, claimed: Sequence[Claimed], now: datetime) -> None:
        """Begin to, for those that are not due yet; not waited for."""
        coming = [delivery for delivery in claimed if delivery.next_try_at > now + SOON]
        if not coming:
            return
        task = asyncio.create_task(self._get_ready(coming))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def done(self) -> None:
        """Wait for what was begun."""
        await asyncio.gather(*self._under_way)

    def stop(self) -> None:
        for task in self._under_way:
            task.cancel()

    async def _get_ready(self, coming: Sequence[Claimed]) -> None:
        adapters = self._adapters(coming)
        hosts: Counter[tuple[aiohttp.ClientSession, str]] = Counter()
        for pk, count in Counter(delivery.account.pk for delivery in coming).items():
            adapter = adapters.get(pk)
            # One that is closed unused looks like a lost answer: only where a key tells.
            if adapter and adapter.takes_key and adapter.host and not adapter.guarded:
                hosts[adapter.http, adapter.host] += min(count, CONNECTIONS_PER_ACCOUNT)
        steps: list[Awaitable[None]] = [adapter.get_ready() for adapter in adapters.values()]
        for (http, host), count in hosts.items():
            steps.append(open_connections(http, host, count))
        for error in await asyncio.gather(*steps, return_exceptions=True):
            if isinstance(error, Exception):
                logger.info("a channel was not ready ahead of its second: %r", error)

    def _adapters(self, coming: Sequence[Claimed]) -> dict[int, Adapter]:
        """By account; without those that cannot be used, which is said when they are to send."""
        found: dict[int, Adapter] = {}
        for account in {delivery.account.pk: delivery.account for delivery in coming}.values():
            with suppress(KeyError, ImproperlyConfigured):
                found[account.pk] = self._senders.adapter(account)
        return found
