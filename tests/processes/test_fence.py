"""Copies of a database that works, with real workers on them: each message once, ever."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import F

from orgs.clock import database_now
from schedules.actions import register
from schedules.models import Heartbeat, Installation, Run, Schedule
from tests.fakes.line import PUSH
from tests.processes.copies import copied, put_back, url_of
from tests.processes.machine import ROOT, Machine, wait_until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
    pytest.mark.enable_socket,
    pytest.mark.timeout(300),
]

START = 60  # seconds that a worker may need to start on a busy machine
FENCED = "all sending is fenced"
ASK_READYZ = """
import django; django.setup()
from django.test import Client
print(Client().get("/readyz").content.decode())
"""


@pytest.fixture
def send_in(world, make_schedule, line_room):
    """A schedule that is due once, so many seconds from now."""

    def make(seconds: float, text: str) -> Schedule:
        due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
        values = {"date": due.date(), "time": due.time(), "rooms": [line_room], "text": text}
        return register(make_schedule(**values), by=world.people["hq"])

    return make


def start(running: Machine, **environment: str) -> subprocess.Popen[bytes]:
    Heartbeat.objects.all().delete()
    worker = running.worker(**environment)
    if "TEIJI_DATABASE_URL" not in environment:
        wait_until(a_worker_is_up, START, "a worker")
    return worker


def a_worker_is_up() -> bool:
    return Heartbeat.age(Heartbeat.Kind.LOOP, database_now()) is not None


def stop(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    worker.wait(60)


def is_settled(schedule: Schedule) -> bool:
    return Run.objects.filter(schedule=schedule, completed_at__isnull=False).exists()


def python(running: Machine, *command: str, **environment: str) -> tuple[int, str]:
    """A Python process of this machine: its exit status, and what it said."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "config.settings"}
        | running.environment
        | environment,
        capture_output=True,
        text=True,
        timeout=START,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def manage_fence(running: Machine, *arguments: str, **environment: str) -> tuple[int, str]:
    return python(running, "manage.py", "fence", *arguments, **environment)


@pytest.mark.parametrize("knows", ["what the machine knew", "nothing"])
def test_a_copy_of_the_database_sends_nothing_and_says_why(send_in, fake, running, tmp_path, knows):
    worker = start(running)
    first = send_in(3, "Once")
    wait_until(lambda: is_settled(first), 60, "the first message")
    second = send_in(12, "Once more")
    due_at = second.next_due_at
    stop(worker)
    other = tmp_path / "other"
    other.mkdir()
    with copied(other) as copy:
        there = {"TEIJI_DATABASE_URL": url_of(copy)}
        if knows == "nothing":
            there["TEIJI_DATA_DIR"] = str(other)
        before = fake.requests[PUSH]
        worker = start(running, **there)
        wait_until(lambda: FENCED in running.log(), START, "the fence")
        wait_until(lambda: database_now() > due_at + timedelta(seconds=4), 60, "the due time")
        status, said = manage_fence(running, **there)
        assert status == 1
        assert "copied or moved" in said
        assert '"fence": "fenced (clone)' in python(running, "-c", ASK_READYZ, **there)[1]
        assert fake.requests[PUSH] == before
        running.kill(worker)
        connection.close()
    start(running)
    wait_until(lambda: is_settled(second), 60, "the second message, of the original")
    assert [message.messages[0]["text"] for message in fake.log] == ["Once", "Once more"]
    assert manage_fence(running)[0] == 0


def test_an_older_state_put_back_sends_not_one_message_again(send_in, fake, running, tmp_path):
    worker = start(running)
    schedules = [send_in(15, f"Number {number}") for number in range(5)]
    stop(worker)
    with copied(tmp_path) as copy:
        worker = start(running)
        wait_until(lambda: all(map(is_settled, schedules)), 90, "the messages")
        stop(worker)
        put_back(copy)
    assert not any(map(is_settled, schedules))
    assert len(fake.log) == 5
    fake._by_key.clear()  # a channel without keys would take them again
    start(running)
    wait_until(Installation.objects.fenced, START, "the fence")
    assert Installation.objects.fenced().reason == "restored"
    status, said = manage_fence(running, "--lift", "--note", "restored on purpose")
    assert status == 0, said
    assert "schedules not planned: 5" in said
    wait_until(lambda: all(map(is_settled, schedules)), 60, "the word on what was skipped")
    assert set(Run.objects.values_list("state", "reason")) == {("skipped", "fenced")}
    again = send_in(3, "From now on")
    wait_until(lambda: is_settled(again), 60, "a new message")
    assert len(fake.log) == 6
    assert Installation.objects.fenced() is None


def test_a_clock_that_is_set_back_under_a_running_worker_stops_it(send_in, fake, running):
    start(running)
    Installation.objects.update(clock_at=F("clock_at") + timedelta(hours=3))
    wait_until(Installation.objects.fenced, 30, "the fence")
    schedule = send_in(3, "Not now")
    due_at = schedule.next_due_at
    wait_until(lambda: database_now() > due_at + timedelta(seconds=3), 30, "the due time")
    assert Installation.objects.fenced().reason == "clock_back"
    assert PUSH not in fake.requests
    assert manage_fence(running, "--lift", "--send-due", "--note", "the clock is right")[0] == 0
    wait_until(lambda: is_settled(schedule), 60, "the message, within its grace")
    assert len(fake.log) == 1


def test_two_workers_that_start_at_once_on_a_new_database_send(send_in, fake, running):
    for _number in range(2):
        running.worker()
    wait_until(lambda: Heartbeat.objects.filter(kind="loop").count() == 2, 2 * START, "two workers")
    schedule = send_in(3, "Good morning")
    wait_until(lambda: is_settled(schedule), 60, "the message")
    assert len(fake.log) == 1
    assert FENCED not in running.log()


def test_a_data_folder_that_is_copied_as_a_whole_starts_fenced(running, tmp_path: Path):
    """As the demo's: everything in one folder."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    at_home = {"TEIJI_DATA_DIR": str(home), "TEIJI_DATABASE_URL": f"sqlite:///{home}/teiji.sqlite3"}
    assert python(running, "manage.py", "migrate", "-v", "0", **at_home)[0] == 0
    for _start in range(2):
        assert python(running, "manage.py", "dispatch", "--once", **at_home)[0] == 0
    assert manage_fence(running, **at_home)[0] == 0
    subprocess.run(["cp", "-r", home, elsewhere], check=True)
    there = {
        "TEIJI_DATA_DIR": str(elsewhere),
        "TEIJI_DATABASE_URL": f"sqlite:///{elsewhere}/teiji.sqlite3",
    }
    status, said = manage_fence(running, **there)
    assert status == 1
    assert "copied or moved" in said
    home.rename(tmp_path / "moved")
    moved = {
        "TEIJI_DATA_DIR": str(tmp_path / "moved"),
        "TEIJI_DATABASE_URL": f"sqlite:///{tmp_path}/moved/teiji.sqlite3",
    }
    assert manage_fence(running, **moved)[0] == 0
