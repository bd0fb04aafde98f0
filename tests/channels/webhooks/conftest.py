"""A receiver that listens, endpoints that lead to it, and what a worker does."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from channels import facts
from channels.actions import webhooks as acts
from channels.http import allowed_networks, open_session
from channels.models import FactKind, Webhook
from channels.webhooks.note import note
from channels.webhooks.post import Answer, post
from channels.webhooks.spread import spread
from channels.webhooks.take import Call, take
from orgs.models import Unit
from tests.conftest import World
from tests.fakes.receiver import Receiver
from tests.fakes.serving import in_thread


@pytest.fixture
def receiver(settings: Any) -> Iterator[Any]:
    settings.TEIJI_OUTGOING_ALLOW = ["127.0.0.0/8"]
    fake = Receiver()
    with in_thread(fake) as url:
        fake.url = url  # type: ignore[attr-defined]
        yield fake


@pytest.fixture
def add(world: World, receiver: Any) -> Callable[..., Webhook]:
    """An endpoint of this unit, told from a minute ago."""

    def make(unit: Unit, **values: Any) -> Webhook:
        given = {"unit": unit, "name": f"CRM {Webhook.objects.count()}", "url": receiver.url}
        given |= {"events": [FactKind.SENT, FactKind.FAILED], "is_active": True} | values
        webhook = acts.add(given, by=world.people["hq"], url_problem="")
        webhook.told_from -= timedelta(minutes=1)
        webhook.save()
        receiver.secrets.append(webhook.secrets["secret"])
        return webhook

    return make


def happen(unit: Unit, now: datetime, kind: FactKind = FactKind.SENT, **data: Any) -> None:
    facts.note(kind, unit.path, data, now)


def call_all(now: datetime) -> list[Answer]:
    """What a worker does in a turn."""
    spread(now)
    calls = take(now, Counter())
    answers = asyncio.run(_post_all(calls, now))
    for call, answer in zip(calls, answers, strict=True):
        note(call, answer, now)
    return answers


async def _post_all(calls: list[Call], now: datetime) -> list[Answer]:
    async with open_session(guarded=True, allowed=allowed_networks()) as http:
        return [await post(http, call, now) for call in calls]
