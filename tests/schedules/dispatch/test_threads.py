"""Database work off the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from schedules.dispatch.threads import MOST_IDLE_SECONDS, DatabaseThreads
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
