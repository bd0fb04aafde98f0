"""What a worker does beside sending: other systems and people hear how runs ended."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from channels import facts
from channels.actions import webhooks as acts
from channels.models import FactKind, OwnNotice, Webhook, WebhookAttempt, WebhookDelivery
from orgs.clock import database_now
from schedules.actions import register
from schedules.dispatch.poster import Poster
from schedules.dispatch.threads import DatabaseThreads
from tests.conftest import World
from tests.fakes.receiver import Receiver
from tests.fakes.serving import in_thread
from tests.schedules.fencing import fenced_by_the_machine

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receive(world: World, settings: Any) -> Iterator[Callable[[], tuple[Receiver, Webhook]]]:
    """A new receiver, and an endpoint of headquarters that leads to it."""
    settings.TEIJI_OUTGOING_ALLOW = ["127.0.0.0/8"]
    with ExitStack() as stack:

        def add() -> tuple[Receiver, Webhook]:
            fake = Receiver()
            values = {"unit": world.hq, "name": f"No. {Webhook.objects.count()}"}
            values |= {"url": stack.enter_context(in_thread(fake)), "events": [FactKind.SENT]}
            webhook = acts.add(values, by=world.people["hq"], url_problem="")
            webhook.told_from -= timedelta(minutes=1)
            webhook.save()
            fake.secrets.append(webhook.secrets["secret"])
            return fake, webhook

        yield add


def post() -> None:
    """One turn of one worker."""

    async def run() -> None:
        threads = DatabaseThreads("post")
        poster = Poster(partial(threads.call, "post"), partial(datetime.now, UTC))
        try:
            await poster.turn()
        finally:
            await poster.close()
            await threads.close()

    asyncio.run(run())


def happen(world: World, count: int) -> None:
    for number in range(count):
        facts.note(FactKind.SENT, world.xinyi.path, {"title": str(number)}, database_now())


def test_a_run_that_was_sent_is_told_to_systems_and_to_its_owner(
    world: World, make_schedule: Any, dispatch: Callable[[], int], receive: Any
) -> None:
    receiver, _webhook = receive()
    by = world.people["xinyi"]
    draft = make_schedule(timing_kind="now", date=None, time=None, registered_by=by)
    schedule = register(draft, by=by)
    dispatch()
    [heard] = receiver.log
    assert (heard.body["type"], heard.body["data"]["schedule"]) == ("run.sent", schedule.pk)
    notice = OwnNotice.objects.get()
    assert (notice.user, notice.kind) == (by, "run.sent")


def test_all_of_many_are_told_in_one_turn(world: World, receive: Any) -> None:
    receiver, _webhook = receive()
    happen(world, 30)
    post()
    assert {heard.body["data"]["title"] for heard in receiver.log} == set(map(str, range(30)))
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_an_endpoint_that_is_slow_holds_up_no_other(world: World, receive: Any) -> None:
    (slow, one), (_fast, other) = receive(), receive()
    slow.latency = 2.0
    happen(world, 4)
    post()
    of_one = WebhookAttempt.objects.filter(delivery__webhook=one)
    of_other = WebhookAttempt.objects.filter(delivery__webhook=other)
    assert of_one.count() == of_other.count() == 4
    assert max(row.at for row in of_other) < min(row.at for row in of_one)


def test_a_copy_of_a_database_tells_nobody(world: World, receive: Any) -> None:
    receiver, _webhook = receive()
    happen(world, 1)
    fenced_by_the_machine()
    post()
    assert receiver.requests == 0
    assert not WebhookDelivery.objects.exists()
