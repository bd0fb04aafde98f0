"""The sender beside a Celery worker lives as long as the worker does."""

import logging

import pytest

from schedules.dispatch import resident
from schedules.dispatch.resident import Resident


class Full(logging.Handler):
    """A log that cannot be written."""

    def emit(self, record):
        raise OSError(30, "Read-only file system")


@pytest.fixture
def full_log():
    resident.logger.addHandler(full := Full())
    yield
    resident.logger.removeHandler(full)


@pytest.mark.usefixtures("full_log")
def test_a_sender_that_dies_is_started_again_though_no_log_can_be_written(monkeypatch, caplog):
    one, lives = Resident(), []

    class Mortal:
        name = "worker"

        def __init__(self):
            lives.append(self)
            if len(lives) == 1:
                raise RuntimeError("it dies of something unforeseen")

        async def run(self):
            one.stop()

    monkeypatch.setattr(resident, "Loop", Mortal)
    monkeypatch.setattr(resident, "RESTART_SECONDS", 0)
    caplog.set_level(logging.ERROR, resident.logger.name)  # its start is told at INFO
    one._run()
    assert len(lives) == 2


def test_what_it_dies_of_again_and_again_is_told_at_length_once(monkeypatch, caplog):
    one, lives = Resident(), []

    class Mortal:
        def __init__(self):
            lives.append(self)
            if len(lives) == 4:
                one._is_stopped = True
            raise LookupError("there is no such table" if len(lives) < 4 else "of something else")

    monkeypatch.setattr(resident, "Loop", Mortal)
    monkeypatch.setattr(resident, "RESTART_SECONDS", 0)
    one._run()
    assert [bool(record.exc_info) for record in caplog.records] == [True, False, False, True]
    assert "(LookupError: there is no such table)" in caplog.records[1].getMessage()


def test_a_worker_can_be_asked_to_end_while_its_sender_has_died(monkeypatch):
    one, lives = Resident(), []

    class Mortal:
        name = "worker"

        def __init__(self):
            lives.append(self)

        async def run(self):
            raise LookupError("there is no such table")

        def stop(self):
            raise AssertionError("it has died")

    monkeypatch.setattr(resident, "Loop", Mortal)
    monkeypatch.setattr(resident.time, "sleep", lambda _seconds: one.stop())
    one.start()
    one.wait()
    assert len(lives) == 1 and not one._thread.is_alive()
