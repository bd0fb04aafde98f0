"""What the health addresses say of an installation whose parts work, or not."""

import errno
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.test.utils import CaptureQueriesContext
from kombu import Connection

from config import health, patience
from config.processes import free_port
from orgs.clock import database_now
from schedules.actions.fence import own_installation
from schedules.models import Delivery, Heartbeat, Installation, Schedule
from schedules.runs.freeze import freeze
from schedules.runs.store import store
from tests.logs.attempts import accepted


@pytest.fixture(autouse=True)
def _nothing_hangs_from_before(monkeypatch: Any) -> None:
    monkeypatch.setattr(patience, "_asked", {})


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


@pytest.fixture
def mute() -> Iterator[socket.socket]:
    """The address of a database that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.timeout(120)
def test_a_database_that_says_nothing_is_waited_for_once(mute: socket.socket) -> None:
    address = f"postgres://teiji:x@127.0.0.1:{mute.getsockname()[1]}/teiji"
    script = (
        "import django; django.setup(); from django.test import Client\n"
        "answer = Client().get('/readyz'); print(answer.status_code, answer.content.decode())"
    )
    own = {**os.environ, "TEIJI_DATABASE_URL": address, "TEIJI_BROKER_URL": "filesystem://",
           "TEIJI_LOG_LEVEL": "CRITICAL", "DJANGO_SETTINGS_MODULE": "config.settings"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", script], env=own, check=True, capture_output=True, text=True,
        timeout=100,
    )  # fmt: skip
    status, body = done.stdout.split(" ", 1)
    parts, figures = (json.loads(body)[name] for name in ("parts", "figures"))
    assert figures.keys() == {"disk"}
    away = "the database does not answer (OperationalError)"
    assert (status, parts.pop("disk"), parts.pop("broker")) == ("503", "ok", "ok")
    assert set(parts.values()) == {away}
    mute.accept()[0].close()
    mute.setblocking(False)
    with pytest.raises(BlockingIOError):
        mute.accept()


@pytest.mark.usefixtures("beating")
def test_not_ready_while_a_migration_is_missing(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda self, targets: [("one", False)])
    missing = {"migrations": "1 missing: run manage.py migrate"}
    assert readyz(client) == (503, "unavailable", missing)


@pytest.mark.usefixtures("beating")
def test_not_ready_when_no_worker_was_ever_seen(client: Client) -> None:
    Heartbeat.objects.filter(kind=Heartbeat.Kind.LOOP).delete()
    assert readyz(client) == (503, "unavailable", {"dispatcher": "no sign of life"})


@pytest.mark.usefixtures("beating")
def test_not_ready_when_all_workers_are_silent(client: Client) -> None:
    before = database_now() - timedelta(seconds=60)
    Heartbeat.objects.filter(kind=Heartbeat.Kind.LOOP).update(at=before)
    status, said, wrong = readyz(client)
    assert (status, said, list(wrong)) == (503, "unavailable", ["dispatcher", "workers"])
    assert wrong["dispatcher"].startswith("silent for 6")


@pytest.mark.usefixtures("beating")
def test_one_worker_that_beats_is_enough(client: Client) -> None:
    gone = database_now() - timedelta(hours=1)
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
def test_beside_each_part_stand_its_numbers_and_no_names(
    client: Client, make_schedule: Callable[..., Schedule]
) -> None:
    now = database_now()
    schedule = make_schedule(title="canary-9b1f")
    store([freeze(schedule, now - timedelta(seconds=30), now=now)], now)
    accepted(schedule.unit, now - timedelta(minutes=20), 900)
    accepted(schedule.unit, now - timedelta(seconds=20), 140)
    answer = client.get("/readyz")
    figures = answer.json()["figures"]
    assert 30 <= figures["due"].pop("oldest_s") < 60
    assert figures["due"] == {"waiting": 1, "lately_sent": 1, "lately_latest_ms": 140}
    assert figures["workers"] == {"alive": 1} and figures["fence"] == {"age_s": None}
    assert all(0 <= figures[part]["age_s"] < 10 for part in ("dispatcher", "beat"))
    assert figures["disk"]["free_mb"] > 0 and abs(figures["database"]["clock_ahead_s"]) < 5
    assert figures.keys() <= answer.json()["parts"].keys()
    told = [value for numbers in figures.values() for value in numbers.values()]
    assert all(value is None or isinstance(value, int | float) for value in told)
    for name in ("canary-9b1f", schedule.unit.name, "Sandbox"):
        assert name not in answer.content.decode()


@pytest.mark.usefixtures("beating")
def test_the_fence_tells_for_how_long_it_is_up(client: Client) -> None:
    own_installation()
    before = database_now() - timedelta(minutes=5)
    Installation.objects.update(fenced_at=before, reason=Installation.Reason.BY_HAND)
    assert 300 <= client.get("/readyz").json()["figures"]["fence"]["age_s"] < 310


@pytest.mark.usefixtures("beating")
def test_a_silent_beat_only_degrades(client: Client) -> None:
    Heartbeat.objects.filter(kind=Heartbeat.Kind.TICK).delete()
    assert readyz(client) == (200, "degraded", {"beat": "no sign of life"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


@pytest.mark.usefixtures("beating")
def test_not_ready_while_all_sending_is_fenced(client: Client) -> None:
    own_installation()
    Installation.objects.update(fenced_at=database_now(), reason=Installation.Reason.BY_HAND)
    assert readyz(client) == (
        503,
        "unavailable",
        {"fence": "fenced (by_hand): see manage.py fence"},
    )


@pytest.mark.usefixtures("beating")
def test_not_ready_when_the_disk_is_full(client: Client, monkeypatch: Any) -> None:
    nearly_full = SimpleNamespace(free=health.DISK_LEAST - 1)
    monkeypatch.setattr(health.shutil, "disk_usage", lambda place: nearly_full)
    assert readyz(client) == (503, "unavailable", {"disk": "only 99 MB free"})


@pytest.mark.usefixtures("beating")
def test_not_ready_when_a_folder_cannot_be_looked_at(client: Client, monkeypatch: Any) -> None:
    def stale(place: Path) -> Path:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(health, "existing", stale)
    assert readyz(client) == (
        503,
        "unavailable",
        {"disk": "it cannot be looked at (Stale file handle)"},
    )


@pytest.fixture
def held() -> Iterator[Event]:
    """What waits for it goes on at the end of the test."""
    waits = Event()
    yield waits
    waits.set()


@pytest.mark.usefixtures("beating")
def test_a_mount_that_hangs_is_named_within_seconds_and_waited_for_by_one_thread(
    client: Client, monkeypatch: Any, held: Event
) -> None:
    """As NFS does whose server is gone: statvfs never comes back."""
    asked: list[Path] = []

    def hangs(place: Path) -> Any:
        asked.append(place)
        held.wait()
        return SimpleNamespace(free=0)

    monkeypatch.setattr(health, "PATIENCE", 0.1)
    monkeypatch.setattr(health.shutil, "disk_usage", hangs)
    for _ in range(3):
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
        assert answer.json()["parts"]["disk"] == "it does not answer within 0 s"
        assert "disk" not in answer.json()["figures"]
    assert len(asked) == 1


@pytest.mark.usefixtures("beating")
def test_a_broker_that_takes_connections_and_says_nothing_only_degrades(
    client: Client, monkeypatch: Any, mute: socket.socket
) -> None:
    url = f"redis://:secret@127.0.0.1:{mute.getsockname()[1]}/0"
    monkeypatch.setattr(health.current_app, "connection_for_write", partial(Connection, url))
    monkeypatch.setattr(health, "PATIENCE", 1.0)
    said = readyz(client)
    assert said[:2] == (200, "degraded")
    assert said[2]["broker"].startswith("it does not answer")


def test_a_database_that_was_reached_and_answers_no_more_is_hung_up_on(
    transactional_db: None, monkeypatch: Any, client: Client
) -> None:
    """As one that another session has locked, or whose packets are lost."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server")
    monkeypatch.setattr(health, "DATABASE_PATIENCE", 0.2)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE schedules_heartbeat IN ACCESS EXCLUSIVE MODE")
    try:
        status, said, wrong = readyz(client)
    finally:
        other.close()
    assert (status, said) == (503, "unavailable")
    assert wrong.keys() >= {"dispatcher", "fence", "due", "workers", "beat"}
    assert wrong["dispatcher"] == "the database does not answer (OperationalError)"
    connection.close_if_unusable_or_obsolete()  # as at the end of each request
    assert readyz(client)[2]["dispatcher"] == "no sign of life"


@pytest.mark.usefixtures("beating")
def test_each_thing_is_asked_once(client: Client) -> None:
    tables = ("schedules_delivery", "schedules_installation")
    with CaptureQueriesContext(connection) as asked:
        client.get("/readyz")
    statements = [query["sql"] for query in asked]
    for table in tables:
        assert sum(f'FROM "{table}"' in sql for sql in statements) == 1, table
    assert sum('FROM "schedules_heartbeat"' in sql for sql in statements) == 4, "each its own"


@pytest.mark.usefixtures("beating")
def test_a_worker_that_hangs_beside_others_only_degrades(client: Client) -> None:
    gone = database_now() - timedelta(seconds=30)
    Heartbeat.objects.create(kind=Heartbeat.Kind.LOOP, name="another", at=gone)
    assert readyz(client) == (200, "degraded", {"workers": "1 silent: hung, or killed"})


@pytest.mark.usefixtures("beating")
def test_a_worker_that_has_stopped_as_it_should_is_not_missed(client: Client) -> None:
    Heartbeat.beat(Heartbeat.Kind.LOOP, "another", database_now() - timedelta(seconds=30))
    Heartbeat.end(Heartbeat.Kind.LOOP, "another")
    assert readyz(client) == (200, "ok", {})


@pytest.mark.usefixtures("beating")
def test_a_broker_that_is_away_only_degrades(client: Client, monkeypatch: Any) -> None:
    url = f"redis://:secret@127.0.0.1:{free_port()}/0"
    monkeypatch.setattr(health.current_app, "connection_for_write", partial(Connection, url))
    said = readyz(client)
    assert said[:2] == (200, "degraded")
    assert said[2]["broker"].startswith("it does not answer")
    assert "secret" not in said[2]["broker"]


def test_the_page_promises_what_is_asked() -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "operations.md").read_text()
    section = page.split("## Health")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(health.QUESTIONS)
