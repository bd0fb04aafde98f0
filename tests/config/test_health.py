"""What the health addresses say of an installation whose parts work, or not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from config import health
from orgs.clock import database_now
from schedules.models import Delivery, Heartbeat, Schedule
from schedules.runs import freeze, store


@pytest.fixture
def beating(db: None) -> None:
    Heartbeat.beat(Heartbeat.Kind.LOOP, "worker", database_now())
    Heartbeat.beat(Heartbeat.Kind.TICK, "beat", database_now())


def readyz(client: Client) -> tuple[int, str, dict[str, str]]:
    answer = client.get("/readyz")
    body = answer.json()
    wrong = {name: said for name, said in body["parts"].items() if said != "ok"}
    return answer.status_code, body["status"], wrong


def test_alive_asks_no_other_part(client: Client) -> None:
    # Without the database fixture a query would fail.
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.usefixtures("beating")
def test_ready_when_every_part_is_well(client: Client) -> None:
    assert readyz(client) == (200, "ok", {})


@pytest.mark.usefixtures("beating")
def test_not_ready_without_the_database(client: Client, monkeypatch: Any) -> None:
    def fail() -> None:
        raise DatabaseError

    monkeypatch.setattr(health, "database_now", fail)
    status, said, wrong = readyz(client)
    assert (status, said) == (503, "unavailable")
    assert wrong["database"] == "the database does not answer (DatabaseError)"


@pytest.mark.usefixtures("beating")
def test_not_ready_while_a_migration_is_missing(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda self, targets: [("one", False)])
    missing = {"migrations": "1 missing: run manage.py migrate"}
    assert readyz(client) == (503, "unavailable", missing)


@pytest.mark.usefixtures("beating")
def test_not_ready_when_no_worker_was_ever_seen(client: Client) -> None:
    Heartbeat.objects.filter(kind=Heartbeat.Kind.LOOP).delete()
    assert readyz(client) == (503, "unavailable", {"dispatcher": "never seen"})


@pytest.mark.usefixtures("beating")
def test_not_ready_when_all_workers_are_silent(client: Client) -> None:
    before = database_now() - timedelta(seconds=60)
    Heartbeat.objects.filter(kind=Heartbeat.Kind.LOOP).update(at=before)
    status, said, wrong = readyz(client)
    assert (status, said, list(wrong)) == (503, "unavailable", ["dispatcher"])
    assert wrong["dispatcher"].startswith("silent for 6")


@pytest.mark.usefixtures("beating")
def test_one_worker_that_beats_is_enough(client: Client) -> None:
    gone = database_now() - timedelta(minutes=5)
    Heartbeat.objects.create(kind=Heartbeat.Kind.LOOP, name="another", at=gone)
    assert readyz(client) == (200, "ok", {})


@pytest.mark.usefixtures("beating")
@pytest.mark.parametrize(
    ("seconds", "expected"), [(30, {}), (90, {"due": "deliveries are overdue"})]
)
def test_not_ready_when_something_planned_is_long_due(
    client: Client, make_schedule: Callable[..., Schedule], seconds: int, expected: dict[str, str]
) -> None:
    now = database_now()
    due_at = now - timedelta(seconds=seconds)
    store([freeze(make_schedule(), due_at, now=now)], now)
    assert Delivery.objects.count() == 1
    status, _said, wrong = readyz(client)
    assert (status, wrong) == (503 if expected else 200, expected)


@pytest.mark.usefixtures("beating")
def test_a_silent_beat_only_degrades(client: Client) -> None:
    Heartbeat.objects.filter(kind=Heartbeat.Kind.TICK).delete()
    assert readyz(client) == (200, "degraded", {"beat": "never seen"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
