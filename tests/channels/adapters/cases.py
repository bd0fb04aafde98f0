"""How each adapter is put before its fake. A new adapter joins the contract by one Case here."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from channels.adapters.apprise import AppriseAdapter, AppriseConfig
from channels.adapters.base import Adapter, Target
from channels.adapters.iris import IrisAdapter, IrisConfig
from channels.adapters.kakao import KakaoAdapter, KakaoConfig
from channels.adapters.line import LineAdapter, LineConfig
from channels.adapters.messengerbot import MessengerBotAdapter, MessengerBotConfig
from channels.adapters.sandbox import SandboxAdapter, SandboxConfig
from channels.adapters.webhook import WebhookAdapter, WebhookConfig
from tests.channels.adapters.solapi_stage import solapi_adapter
from tests.fakes import discord, in_house, iris, kakao, line, solapi, webhook
from tests.fakes.wire import Fake

GROUP = "C" + "0" * 31 + "1"


@dataclass(frozen=True)
class Crowd:
    """People of an audience: the vendor knows them all, and not the stranger."""

    name_of: Callable[[int], str]
    stranger: str

    def people(self, count: int) -> tuple[str, ...]:
        return tuple(self.name_of(number) for number in range(count))

    def batch(self, *members: str) -> Target:
        return Target("", "Everybody", members)


@dataclass(frozen=True)
class Case:
    """One way of using an adapter, with the fake that it speaks to. `standing_in`: what must be
    so, beside the address, for the fake to be the vendor."""

    kind: str
    make_fake: Callable[[], Fake]
    make_adapter: Callable[[str, aiohttp.ClientSession | None], Adapter]
    target: Target
    crowd: Crowd | None = None  # where it takes audiences
    carries_key: bool = True  # its requests do, so the fake can log it
    names_room: bool = True  # its requests do; else the account is the place
    standing_in: Callable[[Any, str], AbstractContextManager[None]] = lambda _fake, _url: (
        nullcontext()
    )
    is_in_house: bool = False  # the vendor is our own database

    @property
    def marks(self) -> list[Any]:
        return [pytest.mark.django_db(transaction=True)] if self.is_in_house else []


def each(cases: dict[str, Case]) -> Any:
    """A test for each of these."""
    params = [pytest.param(case, id=name, marks=case.marks) for name, case in cases.items()]
    return pytest.mark.parametrize("case", params)


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


def apprise_adapter(_url: str, _http: aiohttp.ClientSession | None) -> AppriseAdapter:
    """To Discord, where Apprise thinks that it is."""
    return AppriseAdapter(AppriseConfig(discord.URL))


def phone_adapter(_url: str, _http: aiohttp.ClientSession | None) -> MessengerBotAdapter:
    """To a phone’s queue."""
    return MessengerBotAdapter(MessengerBotConfig(), account_id=in_house.ACCOUNT)


def sandbox_adapter(_url: str, _http: aiohttp.ClientSession | None) -> SandboxAdapter:
    """As a new one is: it recognises repeats."""
    return SandboxAdapter(SandboxConfig(strangers="gone-"), account_id=in_house.ACCOUNT)


def unkeyed_sandbox_adapter(_url: str, _http: aiohttp.ClientSession | None) -> SandboxAdapter:
    """One that does not."""
    config = SandboxConfig(strangers="gone-", honours_key="no")
    return SandboxAdapter(config, account_id=in_house.ACCOUNT)


LINE_USERS = Crowd("U{:032x}".format, "U" + "f" * 32)
NUMBERS = Crowd("010{:08}".format, "01099999999")
SANDBOX_PEOPLE = Crowd("person-{:04}".format, in_house.STRANGER)


def line_with_a_stranger() -> line.LineFake:
    """A LINE that refuses one id, without limits on how often it is asked."""
    fake = line.LineFake(rates={})
    fake.strangers = {LINE_USERS.stranger}
    return fake


def solapi_with_a_stranger() -> solapi.SolapiFake:
    """A Solapi that takes nothing for one number."""
    fake = solapi.SolapiFake()
    fake.blocked = {NUMBERS.stranger}
    return fake


CASES = {
    "apprise": Case(
        "apprise",
        discord.DiscordFake,
        apprise_adapter,
        Target("Lobby"),
        carries_key=False,
        names_room=False,
        standing_in=lambda _fake, url: discord.called_by_apprise(url),
    ),
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
    "line": Case("line", line_with_a_stranger, line_adapter, Target(GROUP), LINE_USERS),
    "messengerbot": Case(
        "messengerbot",
        in_house.PhoneFake,
        phone_adapter,
        Target("손님방", "Guests"),
        standing_in=lambda fake, _url: fake.standing_in(),
        is_in_house=True,
    ),
    "sandbox": Case(
        "sandbox",
        in_house.SandboxFake,
        sandbox_adapter,
        Target("lobby", "Lobby"),
        SANDBOX_PEOPLE,
        standing_in=lambda fake, _url: fake.standing_in(),
        is_in_house=True,
    ),
    "sandbox without keys": Case(
        "sandbox",
        in_house.SandboxFake,
        unkeyed_sandbox_adapter,
        Target("lobby", "Lobby"),
        SANDBOX_PEOPLE,
        standing_in=lambda fake, _url: fake.standing_in(),
        is_in_house=True,
    ),
    "solapi": Case(
        "solapi", solapi_with_a_stranger, solapi_adapter, Target("01012345678"), NUMBERS
    ),
    "webhook": Case("webhook", webhook.WebhookFake, webhook_adapter, Target("lobby")),
    "webhook with keys": Case(
        "webhook",
        lambda: webhook.WebhookFake(honours_key=True),
        keyed_webhook_adapter,
        Target("lobby"),
    ),
}
