"""Beat says that it goes round, also while nothing can be sent; its container goes by that."""

import os
import runpy
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError

from config import beat
from config.processes import free_port
from orgs.clock import database_now
from schedules.models import Heartbeat

HEARTBEAT = runpy.run_path(str(Path(settings.BASE_DIR) / "deploy" / "heartbeat.py"))


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


def test_a_full_disk_does_not_stop_beat(alive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat, "ALIVE", alive / "no folder" / "teiji-beat")
    beat.say_alive()
