"""The sign of life that somebody outside hears."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async

from orgs.clock import database_now
from schedules.dispatch import pulse
from schedules.dispatch.tell import Teller
from schedules.models import Delivery, Installation
from tests.fakes.faults import Faults
from tests.fakes.serving import in_thread
from tests.fakes.wire import Answer

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


class Ear:
    """Hears who calls, and answers with this status."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.heard: list[str] = []

        self.latency, self.faults = 0.0, Faults()

    def handle(self, request) -> Answer:
        self.heard.append(request.path)
        return Answer(self.status, b"", {"location": "http://127.0.0.1:1/"})


@pytest.mark.parametrize(("status", "is_heard"), [(200, True), (302, False), (500, False)])
def test_it_is_heard_where_the_answer_says_so(status, is_heard):
    ear = Ear(status)
    with in_thread(ear) as url:
        assert asyncio.run(pulse.call(f"{url}/ping/secret")) is is_heard
    assert ear.heard == ["/ping/secret"], "once, and nowhere else"


def test_an_address_where_nobody_is_disturbs_nothing_and_is_not_logged(caplog):
    assert asyncio.run(pulse.call("http://127.0.0.1:1/secret")) is False
    assert "secret" not in caplog.text


def test_it_stops_when_something_has_been_due_for_long_or_all_is_fenced(planned):
    (row,) = planned()
    assert pulse.is_well(row.due_at + MINUTE / 2)
    assert not pulse.is_well(row.due_at + 2 * MINUTE)
    Delivery.objects.all().delete()
    Installation.objects.create(fenced_at=database_now(), reason="by_hand")
    assert not pulse.is_well(row.due_at)


@pytest.mark.django_db(transaction=True)
def test_a_worker_calls_once_a_minute(settings):
    ear = Ear()
    moments = [database_now() + MINUTE / 4 * turn for turn in range(6)]
    teller = Teller(lambda work, *args: sync_to_async(work)(*args), database_now)

    async def turns() -> None:
        for moment in moments:
            teller._now = lambda moment=moment: moment
            await teller.turn()

    with in_thread(ear) as settings.TEIJI_HEARTBEAT_URL:
        asyncio.run(turns())
    assert len(ear.heard) == 2
