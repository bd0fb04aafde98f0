"""Database work off the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection

from orgs.clock import database_now
from schedules.dispatch.threads import DATABASE_AWAY, MOST_IDLE_SECONDS, DatabaseThreads
from schedules.models import Heartbeat
from schedules.tasks import tick
from tests.schedules.at_once import on_postgresql

pytestmark = pytest.mark.django_db(transaction=True)


def idle_limit() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        return str(cursor.fetchone()[0])


@on_postgresql
def test_a_worker_that_stands_still_in_a_transaction_cannot_hold_its_rows_for_ever():
    async def ask() -> str:
        threads = DatabaseThreads("claim")
        try:
            return await threads.call("claim", idle_limit)
        finally:
            await threads.close()

    assert asyncio.run(ask()) == f"{MOST_IDLE_SECONDS}s"


@on_postgresql
def test_a_connection_that_takes_no_writes_is_not_kept(world):
    """As to a server that another has replaced, or whose disk was full when it was opened."""

    def turn() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")

    now = database_now()

    async def main() -> None:
        threads = DatabaseThreads("settle")
        beat = partial(Heartbeat.beat, Heartbeat.Kind.LOOP, "one", now)
        try:
            await threads.call("settle", turn)
            with pytest.raises(DATABASE_AWAY):
                await threads.call("settle", beat)
            await threads.call("settle", beat)
        finally:
            await threads.close()

    asyncio.run(main())
    assert Heartbeat.objects.get().name == "one"


@on_postgresql
def test_neither_can_one_that_stands_still_in_a_tick(world, settings, tmp_path):
    settings.TEIJI_DATA_DIR = tmp_path

    def tick_and_ask() -> str:
        try:
            tick()
            return idle_limit()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as celery:
        assert celery.submit(tick_and_ask).result() == f"{MOST_IDLE_SECONDS}s"
