"""How each adapter is put before its fake. A new adapter joins the contract by one Case here."""

from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from channels.adapters.base import Adapter, Target
from channels.adapters.line import LineAdapter, LineConfig
from channels.adapters.webhook import WebhookAdapter, WebhookConfig
from tests.fakes import line, webhook
from tests.fakes.wire import Fake

GROUP = "C" + "0" * 31 + "1"


@dataclass(frozen=True)
class Case:
    """One way of using an adapter, with the fake that it speaks to."""

    kind: str
    make_fake: Callable[[], Fake]
    make_adapter: Callable[[str, aiohttp.ClientSession | None], Adapter]
    target: Target


def line_adapter(url: str, http: aiohttp.ClientSession | None) -> LineAdapter:
    """With an id and a secret, as most accounts have."""
    adapter = LineAdapter(LineConfig(line.CHANNEL_ID, line.CHANNEL_SECRET), http)
    adapter.host = url
    return adapter


def webhook_adapter(url: str, http: aiohttp.ClientSession | None) -> WebhookAdapter:
    """To a receiver that knows no keys."""
    return WebhookAdapter(WebhookConfig(f"{url}/hook", webhook.SECRET), http)


def keyed_webhook_adapter(url: str, http: aiohttp.ClientSession | None) -> WebhookAdapter:
    """To a receiver that accepts each key once."""
    return WebhookAdapter(WebhookConfig(f"{url}/hook", webhook.SECRET, honours_key="yes"), http)


CASES = {
    "line": Case("line", line.LineFake, line_adapter, Target(GROUP)),
    "webhook": Case("webhook", webhook.WebhookFake, webhook_adapter, Target("lobby")),
    "webhook with keys": Case(
        "webhook",
        lambda: webhook.WebhookFake(honours_key=True),
        keyed_webhook_adapter,
        Target("lobby"),
    ),
}

# Adapters that call nobody, and where they are tested instead.
WITHOUT_WIRE = {"sandbox": "tests/channels/adapters/test_sandbox.py"}
