"""What /readyz promises, shown on a web process by really breaking one part after the other."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from config import processes
from config.processes import free_port
from tests.faults.servers import Postgres, Redis, own_postgres, own_redis
from tests.processes.machine import ROOT, wait_until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.any_database,  # it has a PostgreSQL of its own, to crash it
    pytest.mark.enable_socket,
    pytest.mark.timeout(600),
]

SOON = 60.0  # seconds, on a machine that may be busy
NAME = "health"


class Site:
    """A web process, a worker and a beat, on servers of their own."""

    def __init__(self, folder: Path, postgres: Postgres, redis: Redis) -> None:
        self.postgres, self.redis = postgres, redis
        self.port = free_port()
        own = {name: value for name, value in os.environ.items() if not name.startswith("TEIJI_")}
        environment = own | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "TEIJI_DATA_DIR": str(folder),
            "TEIJI_DATABASE_URL": postgres.url(NAME),
            "TEIJI_BROKER_URL": redis.url,
        }
        self.environment = environment
        self.family = processes.Family(environment, folder / "logs")

    def start(self) -> None:
        with self.postgres.connect() as session:
            session.execute(f"CREATE DATABASE {NAME}")
        self.manage("migrate")
        self.family.start("web", processes.web(self.port))
        self.family.start("worker", processes.worker())
        self.family.start("beat", processes.beat())
        self.wait_for("ok")

    def manage(self, *words: str) -> None:
        subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment, check=True,
            capture_output=True, timeout=300,
        )  # fmt: skip

    def send(self, name: str, number: signal.Signals) -> None:
        os.kill(self.family.children[name].process.pid, number)

    def ask(self) -> tuple[int, dict[str, Any]]:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=30) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)
        except OSError:
            return 0, {"status": "no answer", "parts": {}, "figures": {}}

    def wait_for(self, status: str, *wrong: str) -> dict[str, Any]:
        """Until it says so, and that these parts are wrong and no others; what it says then."""
        said: list[Any] = []

        def is_so() -> bool:
            code, body = self.ask()
            said[:] = [code, body]
            found = {name for name, words in body["parts"].items() if words != "ok"}
            return bool(body["status"] == status and found == set(wrong))

        try:
            wait_until(is_so, SOON, f"{status} {wrong}")
        except AssertionError as error:
            raise AssertionError(f"{error}: {said}") from error
        assert said[0] == (503 if status == "unavailable" else 200)
        return dict(said[1])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with own_postgres() as postgres, own_redis() as redis:
        running = Site(tmp_path_factory.mktemp("site"), postgres, redis)
        try:
            running.start()
            yield running
        finally:
            running.family.stop()


def test_a_database_that_is_away_is_said_and_comes_back(site: Site) -> None:
    site.postgres.crash()
    try:
        parts = {"database", "migrations", "dispatcher", "fence", "due", "workers", "beat"}
        found = site.wait_for("unavailable", *parts)
        assert found["parts"]["database"].startswith("the database does not answer")
        assert set(found["figures"]) == {"disk"}
    finally:
        site.postgres.start()
    site.wait_for("ok")


def test_a_broker_that_is_away_only_degrades(site: Site) -> None:
    site.redis.crash()
    try:
        code, _body = site.ask()
        assert code == 200
        wait_until(lambda: site.ask()[1]["parts"]["broker"] != "ok", SOON, "no broker")
        assert site.ask()[1]["status"] == "degraded"
    finally:
        site.redis.start()
    site.wait_for("ok")


def test_a_beat_that_stands_still_only_degrades(site: Site) -> None:
    site.send("beat", signal.SIGSTOP)
    try:
        found = site.wait_for("degraded", "beat")
        assert found["figures"]["beat"]["age_s"] >= 10
    finally:
        site.send("beat", signal.SIGCONT)
    site.wait_for("ok")


def test_the_only_worker_stands_still_and_nothing_can_leave(site: Site) -> None:
    site.send("worker", signal.SIGSTOP)
    try:
        # Whose loop stands still, and who also takes no tick of beat.
        found = site.wait_for("unavailable", "dispatcher", "workers", "beat")
        assert found["parts"]["dispatcher"].startswith("silent for")
        assert found["figures"]["dispatcher"]["age_s"] >= 10
        assert found["figures"]["workers"]["alive"] == 0
    finally:
        site.send("worker", signal.SIGCONT)
    site.wait_for("ok")


def test_the_fence_is_up(site: Site) -> None:
    site.manage("fence", "--up", "shown")
    try:
        assert site.wait_for("unavailable", "fence")["figures"]["fence"]["age_s"] >= 0
    finally:
        site.manage("fence", "--lift")
    site.wait_for("ok")


def test_a_migration_is_missing(site: Site) -> None:
    with site.postgres.connect(NAME) as session:
        row = session.execute(
            "DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations"
            " WHERE name NOT LIKE '%\\_squashed\\_%')"  # of those the steps count
            " RETURNING id, app, name, applied"
        ).fetchone()
        try:
            site.wait_for("unavailable", "migrations")
        finally:
            session.execute("INSERT INTO django_migrations VALUES (%s, %s, %s, %s)", row)
    site.wait_for("ok")
