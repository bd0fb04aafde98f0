"""How each adapter is put before its fake. A new adapter joins the contract by one Case here."""

from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from channels.adapters.base import Adapter, Target
from channels.adapters.iris import IrisAdapter, IrisConfig
from channels.adapters.kakao import KakaoAdapter, KakaoConfig
from channels.adapters.line import LineAdapter, LineConfig
from channels.adapters.webhook import WebhookAdapter, WebhookConfig
from tests.channels.adapters.solapi_stage import solapi_adapter
from tests.fakes import iris, kakao, line, solapi, webhook
from tests.fakes.wire import Fake

GROUP = "C" + "0" * 31 + "1"


@dataclass(frozen=True)
class Case:
    """One way of using an adapter, with the fake that it speaks to."""

    kind: str
    make_fake: Callable[[], Fake]
    make_adapter: Callable[[str, aiohttp.ClientSession | None], Adapter]
    target: Target
    carries_key: bool = True  # its requests do, so the fake can log it


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


def iris_adapter(url: str, http: aiohttp.ClientSession | None) -> IrisAdapter:
    """To a device with Iris."""
    return IrisAdapter(IrisConfig(url), http)


def iris_lite_adapter(url: str, http: aiohttp.ClientSession | None) -> IrisAdapter:
    """To a device with IrisLite."""
    return IrisAdapter(IrisConfig(url, "irislite"), http)


def kakao_adapter(url: str, http: aiohttp.ClientSession | None) -> KakaoAdapter:
    """With an app whose client secret is switched off, as most are."""
    config = KakaoConfig(kakao.CLIENT_ID, "", kakao.REFRESH_TOKEN, "https://ops.example/")
    adapter = KakaoAdapter(config, http)
    adapter.host = url
    return adapter


def generous_kakao() -> kakao.KakaoFake:
    """A Kakao where one friend may be sent more in a day."""
    fake = kakao.KakaoFake()
    fake.most_of_pair = 100
    return fake


CASES = {
    "iris": Case("iris", iris.IrisFake, iris_adapter, Target("18398338829933617")),
    "iris lite": Case(
        "iris",
        lambda: iris.IrisFake(is_lite=True),
        iris_lite_adapter,
        Target("18398338829933617"),
    ),
    "kakao to me": Case("kakao", kakao.KakaoFake, kakao_adapter, Target("me"), carries_key=False),
    "kakao to a friend": Case(
        "kakao", generous_kakao, kakao_adapter, Target(kakao.FRIEND), carries_key=False
    ),
    "line": Case("line", line.LineFake, line_adapter, Target(GROUP)),
    "solapi": Case("solapi", solapi.SolapiFake, solapi_adapter, Target("01012345678")),
    "webhook": Case("webhook", webhook.WebhookFake, webhook_adapter, Target("lobby")),
    "webhook with keys": Case(
        "webhook",
        lambda: webhook.WebhookFake(honours_key=True),
        keyed_webhook_adapter,
        Target("lobby"),
    ),
}

# Adapters that call nobody, or say yes or no only, and where they are tested instead.
WITHOUT_WIRE = {
    "apprise": "tests/channels/adapters/test_apprise.py",
    "messengerbot": "tests/channels/adapters/test_messengerbot.py",
    "sandbox": "tests/channels/adapters/test_sandbox.py",
}
