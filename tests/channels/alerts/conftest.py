"""Places to tell, and alerts to raise."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from channels import alerts
from channels.alerts import AlertKind
from channels.alerts.gather import gather
from channels.alerts.places import tell
from channels.alerts.tell import note, take
from channels.apprise.call import load
from channels.models import AlertTarget
from orgs.clock import database_now
from orgs.models import Unit
from tests.fakes.discord import URL, DiscordFake
from tests.fakes.serving import in_thread


@pytest.fixture
def discord(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    settings.TEIJI_OUTGOING_ALLOW = ["127.0.0.0/8"]
    fake = DiscordFake()
    with in_thread(fake) as url:
        monkeypatch.setattr(load().plugins.N_MGR["discord"], "notify_url", f"{url}/api/webhooks")
        yield fake


@pytest.fixture
def start(db: None) -> datetime:
    return database_now()


@pytest.fixture
def add_target() -> Callable[..., AlertTarget]:
    def add(unit: Unit, **values: Any) -> AlertTarget:
        target = AlertTarget(unit=unit, name=values.pop("name", f"Ops of {unit.code}"))
        target.url = values.pop("url", "" if values.get("member") else URL)
        for name, value in values.items():
            setattr(target, name, value)
        target.save()
        return target

    return add


def raise_one(unit: Unit, now: datetime, key: str = "1", **values: Any) -> None:
    facts = {"kind": AlertKind.FAILED, "subject": "account:1", "name": "LINE", "text": f"No. {key}"}
    facts |= values
    kind, subject = facts.pop("kind"), facts.pop("subject")
    alerts.raise_(kind, subject, unit.path, key=key, now=now, **facts)


def tell_all(now: datetime) -> int:
    """What a worker does in a turn."""
    gather(now)
    calls = take(now)

    async def ask() -> list[Any]:
        return [await tell(call.url, call.title, call.body) for call in calls]

    for call, said in zip(calls, asyncio.run(ask()), strict=True):
        note(call, said, now)
    return len(calls)
