"""Real workers, a real beat and a stateful LINE: on time, once, whatever dies."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from logs.models import Attempt
from orgs.clock import database_now
from schedules.actions import register
from schedules.models import Delivery, Heartbeat, Run, Schedule
from tests.processes.machine import wait_until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
    pytest.mark.enable_socket,
]

START = 30  # seconds that a worker may need to start on a busy machine


def a_worker_is_up() -> bool:
    age = Heartbeat.age(Heartbeat.Kind.LOOP, database_now())
    return age is not None and age < 3


def register_at(world, make_schedule, room, seconds: float, **values) -> Schedule:
    """A schedule that is due once, about `seconds` from now, on a whole second."""
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
    values |= {"date": due.date(), "time": due.time(), "rooms": [room]}
    return register(make_schedule(**values), by=world.people["hq"])


def is_settled(schedule: Schedule) -> bool:
    return Run.objects.filter(schedule=schedule, completed_at__isnull=False).exists()


def test_beat_and_worker_send_at_the_appointed_second(
    world, make_schedule, line_room, fake, running
):
    running.beat()
    running.worker()
    wait_until(a_worker_is_up, START, "a worker")
    wait_until(
        lambda: Heartbeat.age(Heartbeat.Kind.TICK, database_now()) is not None, START, "a tick"
    )
    schedule = register_at(world, make_schedule, line_room, 4)
    wait_until(lambda: is_settled(schedule), 15, "the message")
    delivery = Delivery.objects.get()
    (message,) = fake.log
    assert delivery.state == "sent"
    assert delivery.request_id == message.request_id
    late = message.at - delivery.due_at.timestamp()
    assert 0 <= late < 1
    assert abs(delivery.lateness_ms / 1000 - late) < 0.5
    wait_until(lambda: Schedule.objects.get().state == "completed", 10, "the end of the schedule")


def test_a_worker_sends_on_time_with_beat_and_broker_dead(
    world, make_schedule, line_room, fake, running
):
    running.worker(TEIJI_BROKER_URL="redis://127.0.0.1:1/0")
    # Celery itself waits for its broker; the loop beside it must not.
    wait_until(a_worker_is_up, START, "a worker")
    schedule = register_at(world, make_schedule, line_room, 4)
    wait_until(lambda: is_settled(schedule), 15, "the message")
    assert len(fake.log) == 1
    assert Delivery.objects.get().lateness_ms < 1000


def test_a_worker_killed_after_the_request_was_written_leads_to_one_message(
    world, make_schedule, line_room, fake, running
):
    fake.faults.add("hang_then_accept", seconds=2.0)
    first = running.worker(TEIJI_WIRE_SECONDS="16")
    wait_until(a_worker_is_up, START, "a worker")
    schedule = register_at(world, make_schedule, line_room, 3)
    wait_until(lambda: Delivery.objects.filter(wire_at__isnull=False).exists(), 15, "the hand-over")
    due_at = Delivery.objects.get().due_at
    wait_until(lambda: database_now() > due_at + timedelta(seconds=0.5), 10, "the due second")
    running.kill(first)
    wait_until(lambda: len(fake.log) == 1, 10, "the channel's acceptance")
    assert Delivery.objects.get().state == "sending"
    running.worker()
    wait_until(lambda: is_settled(schedule), 60, "the second worker's answer")
    assert len(fake.log) == 1
    assert Delivery.objects.get().state == "sent"
    assert Attempt.objects.get().answer  # the proof is the channel's own, by its retry key


def test_a_worker_that_is_asked_to_stop_finishes_what_is_in_flight(
    world, make_schedule, line_room, fake, running
):
    fake.faults.add("hang_then_accept", seconds=1.0)
    worker = running.worker()
    wait_until(a_worker_is_up, START, "a worker")
    schedule = register_at(world, make_schedule, line_room, 3)
    wait_until(lambda: Delivery.objects.filter(wire_at__isnull=False).exists(), 15, "the hand-over")
    due_at = Delivery.objects.get().due_at
    wait_until(lambda: database_now() > due_at + timedelta(seconds=0.3), 10, "the due second")
    worker.terminate()
    worker.wait(20)
    assert is_settled(schedule)
    assert (Delivery.objects.get().state, len(fake.log)) == ("sent", 1)


def test_dispatch_that_is_asked_to_stop_finishes_what_is_in_flight_and_gives_back_the_rest(
    world, make_schedule, line_room, fake, running
):
    fake.faults.add("hang_then_accept", seconds=1.0)
    now = {"timing_kind": "now", "rooms": [line_room]}
    register(make_schedule(**now), by=world.people["hq"])
    later = register_at(world, make_schedule, line_room, 200)
    dispatch = running.dispatch(TEIJI_LEAD_SECONDS="300", TEIJI_HORIZON_SECONDS="600")
    held = Delivery.objects.filter(run__schedule=later)
    wait_until(held.filter(state="sending").exists, START, "a claim of what comes later")
    wait_until(lambda: fake.faults.waiting == [], START, "the request")
    dispatch.terminate()
    assert dispatch.wait(20) == 0
    assert Delivery.objects.exclude(run__schedule=later).get().state == "sent"
    assert (held.get().state, held.get().claim, len(fake.log)) == ("planned", None, 1)
    assert not Heartbeat.objects.filter(kind="loop").exists()


def test_two_workers_and_two_beats_send_once(world, make_schedule, line_room, fake, running):
    for _ in range(2):
        running.beat()
        running.worker()
    wait_until(
        lambda: Heartbeat.objects.filter(kind=Heartbeat.Kind.LOOP).count() == 2, START, "workers"
    )
    schedules = [
        register_at(world, make_schedule, line_room, 5, text=f"Text {number}")
        for number in range(20)
    ]
    wait_until(lambda: all(map(is_settled, schedules)), 20, "the messages")
    time.sleep(1)  # a second sender would have come by now
    assert len(fake.log) == 20
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
