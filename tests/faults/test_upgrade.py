"""An upgrade under way: this code is the older one, and what the next release leaves meanwhile
must not disturb it. That migrations do no more than this is held by tests/test_migrations.py."""

from collections.abc import Iterator

import pytest
from celery import Celery
from django.apps import apps
from django.db import connection

from schedules.models import Delivery
from tests.processes.machine import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

OURS = ("orgs", "logs", "channels", "schedules")
ADD = 'ALTER TABLE "{}" ADD COLUMN of_the_next_release integer NOT NULL DEFAULT 7'
DROP = 'ALTER TABLE "{}" DROP COLUMN IF EXISTS of_the_next_release'


@pytest.fixture
def tables(own_server) -> Iterator[list[str]]:
    """Ours; what a test adds to them is taken away again."""
    models = [model for app in OURS for model in apps.get_app_config(app).get_models()]
    found = [model._meta.db_table for model in models]
    yield found
    on_each(DROP, found)


def on_each(statement: str, tables: list[str]) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(statement.format(table))


def test_columns_of_the_next_release_appear_while_workers_send(workers, tables, bookings, vendors):
    members = [workers.worker(), workers.worker()]
    workers.wait_until_up(*members)
    rooms = vendors.rooms(3, 3)
    for _ in range(2):  # each statement was asked often, and is prepared by the server
        bookings.once(rooms)
    bookings.wait_until_settled()
    bookings.once(rooms, 3)
    on_each(ADD, tables)
    bookings.once(rooms, 4)
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
    assert [member.name for member in members if member.ended is not None] == []


@pytest.mark.usefixtures("own_server")
def test_messages_of_another_release_are_dropped(workers, bookings, vendors, redis_server):
    worker = workers.worker_that_is_up()
    with Celery(broker=redis_server.url) as other:
        for _ in range(3):
            other.send_task("schedules.tasks.no_longer_there", args=[[1, 2, 3]])
            other.send_task("schedules.tasks.tick", args=[7], kwargs={"shard": 2})
    bookings.once(vendors.rooms(3, 3))
    bookings.wait_until_settled()
    with redis_server.client() as client:
        wait_until(lambda: not client.llen("celery"), 20, "the other release's messages")
    assert worker.ended is None
    assert bookings.violations() == []
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
