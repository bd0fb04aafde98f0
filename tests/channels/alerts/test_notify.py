"""Alerts to administrators: the same URLs as for accounts, a yes or a no, and no exception."""

from typing import Any

import pytest

from channels.alerts import notify
from channels.apprise.call import load
from tests.fakes.discord import URL, DiscordFake
from tests.fakes.serving import in_thread


@pytest.fixture
def discord(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    settings.TEIJI_OUTGOING_ALLOW = ["127.0.0.0/8"]
    fake = DiscordFake()
    with in_thread(fake) as url:
        monkeypatch.setattr(load().plugins.N_MGR["discord"], "notify_url", f"{url}/api/webhooks")
        yield fake


def test_an_alert_arrives_with_its_title(discord: DiscordFake) -> None:
    assert notify(URL, "Teiji", "Nothing is sent any more.")
    [entry] = discord.log
    assert "Teiji" in entry.content
    assert "Nothing is sent any more." in entry.content


def test_a_refusal_is_a_no(discord: DiscordFake) -> None:
    discord.status = 404
    assert not notify(URL, "Teiji", "Nothing is sent any more.")


def test_a_place_inside_is_not_told(discord: DiscordFake, settings: Any) -> None:
    settings.TEIJI_OUTGOING_ALLOW = []
    assert not notify(URL, "Teiji", "Nothing is sent any more.")
    assert discord.log == []


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "json://127.0.0.1/", f"{URL}?verify=no"])
def test_a_url_that_is_not_allowed_is_a_no(url: str) -> None:
    assert not notify(url, "Teiji", "Nothing is sent any more.")
