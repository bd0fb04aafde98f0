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
def test_a_sender_that_dies_is_started_again_though_no_log_can_be_written(monkeypatch):
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
    monkeypatch.setattr(resident.logger, "level", logging.ERROR)  # its start is told at INFO
    one._run()
    assert len(lives) == 2
