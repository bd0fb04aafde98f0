"""Solapi's adapter before its fake: what its tests share."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import aiohttp

from channels.adapters.base import HandedOver, Receipt, SendError, Target
from channels.adapters.solapi import SolapiAdapter, SolapiConfig
from channels.http import open_session
from tests.fakes.serving import serving
from tests.fakes.solapi import API_KEY, API_SECRET, CHANNEL, SENDER, TEMPLATE, SolapiFake

T = TypeVar("T")
KEY = UUID("5f0c1a52-7a63-5f9e-9d6b-0f6f2f0c9a11")
NUMBER = "01012345678"
ROOM = Target(NUMBER)
BATCH = Target("", "Everybody", tuple(f"010{number:08}" for number in range(300)))
HELLO = {"messages": [{"text": "hello"}]}
PLAIN = SolapiConfig(API_KEY, API_SECRET, SENDER)
ALIMTALK = SolapiConfig(API_KEY, API_SECRET, SENDER, CHANNEL, TEMPLATE)


def solapi_adapter(url: str, http: aiohttp.ClientSession | None) -> SolapiAdapter:
    """With plain messages."""
    adapter = SolapiAdapter(PLAIN, http)
    adapter.host = url
    return adapter


def handed_over(target: Target) -> HandedOver:
    """As the engine asks: of a batch it knows no numbers."""
    asked = target if target.address else Target("", target.name)
    return HandedOver(asked, HELLO, KEY, at=time.time())


def outcome_of(
    fake: SolapiFake,
    *,
    config: SolapiConfig = PLAIN,
    target: Target = ROOM,
    payload: dict[str, Any] = HELLO,
    timeout: float = 5.0,
) -> Receipt | SendError:
    """What one send to this vendor comes to."""

    async def scenario(adapter: SolapiAdapter) -> Receipt:
        adapter.config, adapter.timeout = config, timeout
        return await adapter.send(target, payload, KEY)

    outcome = with_adapter(fake, scenario)
    assert outcome is not None
    return outcome


def with_adapter(
    fake: SolapiFake, scenario: Callable[[SolapiAdapter], Awaitable[T]]
) -> T | SendError:
    """What the scenario comes to with an adapter before this fake."""

    async def run() -> T | SendError:
        async with serving(fake) as url, open_session(guarded=False) as http:
            try:
                return await scenario(solapi_adapter(url, http))
            except SendError as error:
                return error

    return asyncio.run(run())
