"""Beat says that it goes round, also while nothing can be sent; its container goes by that."""

import ast
import os
import runpy
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from celery import Celery
from celery.beat import ScheduleEntry
from django.conf import settings
from kombu import Connection
from kombu.exceptions import OperationalError

from config import beat
from config.processes import free_port
from orgs.clock import database_now
from schedules.models import Heartbeat

HEARTBEAT = runpy.run_path(str(Path(settings.BASE_DIR) / "deploy" / "heartbeat.py"))

# AMQP 0-9-1: class, method, arguments of what a broker says while it lets somebody in.
START = struct.pack(">HHBBLL5sL5s", 10, 10, 0, 9, 0, 5, b"PLAIN", 5, b"en_US")
TUNE = struct.pack(">HHHLH", 10, 30, 0, 131_072, 0)
OPEN_OK = struct.pack(">HHB", 10, 41, 0)


@pytest.fixture
def alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(beat, "ALIVE", tmp_path / "teiji-beat")
    monkeypatch.setitem(HEARTBEAT["main"].__globals__, "BEAT", beat.ALIVE)
    return beat.ALIVE


@pytest.fixture
def scheduler() -> Any:
    """Of a beat whose broker is away."""
    app = Celery("teiji", broker=f"redis://:secret@127.0.0.1:{free_port()}/0", set_as_current=False)
    app.conf.broker_connection_max_retries = 1
    return beat.Scheduler(app=app, lazy=True)


def is_alive() -> bool:
    return bool(HEARTBEAT["main"]("tick"))


def test_both_sides_name_one_file() -> None:
    assert HEARTBEAT["BEAT"] == beat.ALIVE


def test_beat_that_goes_round_is_alive_though_no_worker_takes_its_tick(
    alive: Path, scheduler: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beat.DatabaseScheduler, "tick", lambda self: 1.0)
    assert not is_alive()
    scheduler.tick()
    assert is_alive()


@pytest.mark.django_db
def test_beat_that_stands_still_is_not_alive_though_another_ticks(alive: Path) -> None:
    alive.touch()
    os.utime(alive, (0, 0))
    Heartbeat.beat(Heartbeat.Kind.TICK, "beat", database_now())
    assert not is_alive()


def test_beat_that_waits_for_its_broker_is_alive(
    alive: Path, scheduler: Any, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    monkeypatch.setattr("kombu.utils.functional.sleep", lambda seconds: None)
    with pytest.raises(OperationalError):
        scheduler._ensure_connected()
    assert is_alive()
    assert "secret" not in caplog.text


@pytest.fixture
def mute() -> Iterator[socket.socket]:
    """The address of a broker that takes connections and says nothing, as when packets are lost."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.django_db
@pytest.mark.parametrize(("url", "seconds"), [
    ("redis://:secret@127.0.0.1:{}/0", settings.REDIS_SECONDS),
    ("amqp://teiji:secret@127.0.0.1:{}//", settings.AMQP_SECONDS),
])  # fmt: skip
def test_beat_goes_round_though_its_broker_says_nothing(
    alive: Path, mute: socket.socket, caplog: pytest.LogCaptureFixture, url: str, seconds: Any
) -> None:
    app = Celery("teiji", broker=url.format(mute.getsockname()[1]), set_as_current=False)
    app.conf.broker_transport_options = dict.fromkeys(seconds, 0.05)
    app.conf.broker_connection_timeout = 0.05
    entry = ScheduleEntry(name="tick", task="schedules.tasks.tick", schedule=1, app=app)
    beat.Scheduler(app=app, lazy=True).apply_entry(entry)
    assert is_alive()
    assert "Couldn't apply scheduled task tick" in caplog.text and "secret" not in caplog.text


@pytest.fixture
def mute_later() -> Iterator[int]:
    """The port of an AMQP broker that lets one in, and says nothing from then on."""

    def serve(server: socket.socket) -> None:
        line, _ = server.accept()
        with line:
            for said in (START, TUNE, OPEN_OK):
                line.recv(4096)
                line.sendall(struct.pack(">BHL", 1, 0, len(said)) + said + b"\xce")
            while line.recv(4096):
                pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=serve, args=[server], daemon=True).start()
        yield server.getsockname()[1]


@pytest.mark.timeout(30)
def test_an_amqp_broker_that_falls_silent_is_given_up(mute_later: int) -> None:
    """Without the setting whoever asks it for something waits for ever."""
    options = dict.fromkeys(settings.AMQP_SECONDS, 2.0)
    url = f"amqp://teiji:secret@127.0.0.1:{mute_later}//"
    broker = Connection(url, connect_timeout=10, transport_options=options)
    broker.connect()
    with pytest.raises(TimeoutError):
        broker.channel()
    broker.connection.collect()


@pytest.mark.parametrize(("url", "seconds"), [
    ("redis://127.0.0.1/0", settings.REDIS_SECONDS),
    ("amqp://guest@127.0.0.1//", settings.AMQP_SECONDS),
])  # fmt: skip
def test_every_broker_is_given_up_after_some_seconds(url: str, seconds: dict[str, float]) -> None:
    """Until a round of beat is over it tries for several times as long: its container has 60 s."""
    own = {**os.environ, "TEIJI_BROKER_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    script = "from django.conf import settings as s; print(s.CELERY_BROKER_TRANSPORT_OPTIONS)"
    done = subprocess.run(
        [sys.executable, "-c", script], env=own, check=True, capture_output=True, text=True
    )
    assert ast.literal_eval(done.stdout).items() >= seconds.items()
    assert 1 < max(seconds.values()) <= HEARTBEAT["BEAT_SILENT_SECONDS"] / 12


def test_a_full_disk_does_not_stop_beat(alive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat, "ALIVE", alive / "no folder" / "teiji-beat")
    beat.say_alive()
