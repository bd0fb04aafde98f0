"""The room bot's adapter before a device: what its tests share."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from channels.adapters.base import Picture, Receipt, SendError, Target
from channels.adapters.iris import IrisAdapter, IrisConfig
from channels.http import open_session
from channels.outgoing import networks
from tests.fakes.faults import Faults
from tests.fakes.serving import serving
from tests.fakes.wire import Answer, Fake, Request

KEY = UUID("5f0c1a52-7a63-5f9e-9d6b-0f6f2f0c9a11")
ROOM = Target("18398338829933617")
TEXT = {"messages": [{"type": "text", "text": "時間です 😀"}]}
IMAGES = {
    "messages": [
        {"type": "image", "url": "https://media.example/m/1.png"},
        {"type": "image", "url": "https://media.example/m/2.png"},
    ]
}
NOW = 1_767_225_600.4
HTML = "<html>Sign in to the network</html>"
SUCCESS = '{"success":true,"message":"success"}'


class Script:
    """A device that gives one answer to everything."""

    def __init__(self, status: int, body: str) -> None:
        self.status, self.body = status, body
        self.latency = 0.0
        self.faults = Faults()
        self.log: list[Request] = []

    def handle(self, request: Request) -> Answer:
        self.log.append(request)
        return Answer(self.status, self.body.encode())


def picture(number: int) -> Picture:
    """The image of this number."""
    return Picture(
        f"https://media.example/m/{number}.png", f"https://media.example/m/{number}s.jpg"
    )


def guarded_session() -> Any:
    """As accounts with a host of their own get it, with this machine allowed."""
    return open_session(guarded=True, allowed=networks(["127.0.0.0/8"]))


def with_adapter(device: Fake, scenario: Callable[[IrisAdapter], Awaitable[Any]]) -> None:
    """Run the scenario with an adapter before this device."""

    async def run() -> None:
        async with serving(device) as url, guarded_session() as http:
            adapter = IrisAdapter(IrisConfig(f"{url}/"), http)
            await scenario(adapter)

    asyncio.run(run())


def outcome_of(
    device: Fake,
    *,
    payload: dict[str, Any] = TEXT,
    files: dict[str, bytes] | None = None,
    read: Callable[[str], Awaitable[bytes]] | None = None,
    timeout: float = 5.0,
    variant: str = "iris",
) -> Receipt | SendError:
    """What one send to this device comes to."""

    async def from_files(url: str) -> bytes:
        assert files is not None
        return files[url]

    async def run() -> Receipt | SendError:
        async with serving(device) as url, guarded_session() as http:
            adapter = IrisAdapter(IrisConfig(url, variant), http)
            adapter.timeout = timeout
            adapter.read_picture = read or from_files
            try:
                return await adapter.send(ROOM, payload, KEY)
            except SendError as error:
                return error

    return asyncio.run(run())
