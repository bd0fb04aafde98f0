"""Ahead of the second: the first messages wait for no token and no connection."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync

from channels.adapters.line import LineAdapter
from channels.models import Room
from schedules.dispatch.ahead import Ahead
from schedules.dispatch.claim import Claimed
from schedules.dispatch.clock import Clock
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.send import Senders
from tests.fakes.line import CHANNEL_ID, CHANNEL_SECRET, PUSH, LineFake
from tests.fakes.serving import serving
from tests.fakes.wire import Connection
from tests.schedules.conftest import claim_at
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db

ROOMS = 5
TOKEN = "/oauth2/v3/token"
AHEAD = timedelta(seconds=2)


@pytest.fixture
def connections(monkeypatch) -> list[Connection]:
    """Those that the fakes were ever asked for."""
    made: list[Connection] = []
    connection_made = Connection.connection_made

    def count(self, transport) -> None:
        made.append(self)
        connection_made(self, transport)

    monkeypatch.setattr(Connection, "connection_made", count)
    return made


@pytest.fixture
def claimed(world, line_account, planned):
    """One message to each of five LINE rooms, of an account with id and secret."""
    line_account.config = {"channel_id": CHANNEL_ID}
    line_account.secrets = {"channel_secret": CHANNEL_SECRET}
    line_account.save()
    add = Room.objects.create
    rooms = [
        add(unit=world.xinyi, account=line_account, name=f"{n}", address=f"C{n:032x}", **UNLIMITED)
        for n in range(ROOMS)
    ]
    (first, *_) = planned(rooms=rooms)
    return claim_at(first.due_at)


async def hand_over(senders: Senders, delivery: Claimed) -> Outcome | None:
    """As if its second had come."""
    now = senders.clock.now()
    return await senders.hand_over(delivery, now, now + timedelta(minutes=1))


@pytest.fixture
def get_ready(settings):
    """Let a worker get ready at this time for these, and then do what comes after."""

    def run(fake: LineFake, claimed, now, after=None) -> None:
        async def main() -> None:
            async with serving(fake) as url:
                settings.TEIJI_LINE_API_HOST = url
                senders = Senders(Clock())
                ahead = Ahead(senders)
                ahead.get_ready(claimed, now)
                await ahead.done()
                if after:
                    await after(senders)
                await senders.close()

        async_to_sync(main)()

    return run


def test_token_and_connections_are_there_before_the_second(claimed, get_ready, connections):
    fake = LineFake()

    async def send_all(senders: Senders) -> None:
        opened = len(connections)
        assert opened >= ROOMS
        await asyncio.gather(*(hand_over(senders, delivery) for delivery in claimed))
        assert len(fake.log) == ROOMS
        assert len(connections) == opened, "they used those that were open"

    get_ready(fake, claimed, claimed[0].next_try_at - AHEAD, after=send_all)
    assert fake.requests == {TOKEN: 1, PUSH: ROOMS}


def test_what_is_due_at_once_is_not_made_ready(claimed, get_ready, connections):
    fake = LineFake()
    get_ready(fake, claimed, claimed[0].next_try_at)
    assert fake.requests == {}
    assert connections == []


def test_twice_opens_nothing_more(claimed, get_ready, connections):
    fake, past = LineFake(), claimed[0].next_try_at - AHEAD

    async def again(senders: Senders) -> None:
        opened = len(connections)
        ahead = Ahead(senders)
        ahead.get_ready(claimed, past)
        await ahead.done()
        assert len(connections) == opened

    get_ready(fake, claimed, past, after=again)
    assert fake.requests == {TOKEN: 1}


def test_no_connection_is_opened_ahead_where_no_key_would_tell_of_a_lost_answer(
    claimed, get_ready, connections, monkeypatch
):
    monkeypatch.setattr(LineAdapter, "takes_key", False)
    get_ready(LineFake(), claimed, claimed[0].next_try_at - AHEAD)
    assert len(connections) == 1, "that of the token"


def test_who_cannot_be_made_ready_meets_it_when_it_sends(claimed, get_ready, caplog):
    claimed[0].account.secrets = {"channel_secret": "another"}

    async def send(senders: Senders) -> None:
        outcome = await hand_over(senders, claimed[0])
        assert "ID and secret" in str(outcome.error)

    get_ready(LineFake(), claimed, claimed[0].next_try_at - AHEAD, after=send)
    assert "was not ready" in caplog.text
