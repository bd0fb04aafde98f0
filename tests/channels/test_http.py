"""Sessions to the channels, and adapters made from accounts."""

import asyncio
import gzip
from typing import Any

import pytest

from channels.adapters.line import LineAdapter
from channels.adapters.webhook import WebhookAdapter
from channels.http import allowed_networks, open_adapter, open_session
from channels.outgoing import UnsafeUrl, networks
from tests.fakes.faults import Faults
from tests.fakes.serving import serving
from tests.fakes.wire import Answer, Request


class Echo:
    """Answers with a cookie and a bomb, and keeps the requests' headers."""

    def __init__(self) -> None:
        self.latency = 0.0
        self.faults = Faults()
        self.log: list[Any] = []

    def handle(self, request: Request) -> Answer:
        self.log.append(request.headers)
        headers = {"Set-Cookie": "a=b", "Content-Encoding": "gzip"}
        return Answer(200, gzip.compress(b"0" * 10_000_000), headers)


def test_a_session_keeps_no_cookies_unpacks_no_bombs_and_knows_no_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    echo = Echo()

    async def scenario() -> None:
        async with serving(echo) as url, open_session(guarded=False) as http:
            for _ in range(2):
                async with http.get(url) as response:
                    assert len(await response.read()) < 20_000

    asyncio.run(scenario())
    assert [headers.get("cookie") for headers in echo.log] == [None, None]
    assert {headers["accept-encoding"] for headers in echo.log} == {"identity"}


def test_only_a_guarded_session_is_held_to_public_addresses() -> None:
    echo = Echo()

    async def scenario() -> None:
        async with serving(echo) as url:
            async with open_session(guarded=True) as http:
                with pytest.raises(UnsafeUrl):
                    await http.get(url)
            async with open_session(guarded=True, allowed=networks(["127.0.0.1"])) as http:
                await http.get(url)
            async with open_session(guarded=False) as http:
                await http.get(url)

    asyncio.run(scenario())
    assert len(echo.log) == 2


def test_an_account_becomes_its_adapter_and_line_is_where_the_operator_says(settings: Any) -> None:
    settings.TEIJI_LINE_API_HOST = "http://127.0.0.1:9000"
    adapter = open_adapter("line", {"channel_id": "1", "gone": "x"}, account_id=7)
    assert isinstance(adapter, LineAdapter)
    assert adapter.host == "http://127.0.0.1:9000"
    assert adapter.account_id == 7
    assert adapter.config.channel_id == "1"
    assert isinstance(open_adapter("webhook", {}), WebhookAdapter)
    with pytest.raises(KeyError):
        open_adapter("carrier pigeon", {})


def test_the_operators_networks_are_read_from_the_settings(settings: Any) -> None:
    settings.TEIJI_OUTGOING_ALLOW = ["10.0.0.0/8", "fd00::/8"]
    assert allowed_networks() == networks(["10.0.0.0/8", "fd00::/8"])
