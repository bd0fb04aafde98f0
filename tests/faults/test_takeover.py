"""Workers that die and are replaced, with the settings of production, and measured."""

import signal
import sys
import time
from datetime import timedelta

import psutil
import pytest
from django.db.models import F

from orgs.clock import database_now
from schedules.models import Delivery
from tests.faults.bookings import states, wait_for_leases
from tests.faults.fleet import QUICK_TIMEOUT
from tests.processes.machine import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

A_DAY = timedelta(hours=24)
PRODUCTION = {
    "TEIJI_POLL_SECONDS": 0.5,
    "TEIJI_LEAD_SECONDS": 2.0,
    "TEIJI_HORIZON_SECONDS": 10.0,
    "TEIJI_LEASE_SECONDS": 5.0,
    "TEIJI_WIRE_SECONDS": 30.0,
}


@pytest.mark.usefixtures("own_server")
def test_what_was_not_on_the_wire_is_taken_over_soon(workers, bookings, vendors, capsys):
    victim = workers.worker_that_is_up("mark.before:kill", **PRODUCTION)
    bookings.once(vendors.rooms(5, 5))
    victim.wait_for_the_failpoint()
    killed_at = time.time()
    workers.worker(**PRODUCTION)
    wait_until(lambda: len(vendors.accepted) == 10, 30, "the messages")
    took = max(entry.at for entry in vendors.accepted) - killed_at
    with capsys.disabled():
        sys.stdout.write(f"\ntakeover: {took:.1f} s from kill -9 to the last of 10 messages\n")
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert took < 10


@pytest.mark.usefixtures("own_server")
def test_a_delivery_that_kills_its_workers_is_parked_after_three(workers, bookings, vendors):
    bookings.once(vendors.rooms(1, 0))
    for _ in range(3):
        victim = workers.worker("wire.before:kill")
        victim.wait_for_the_failpoint()
        wait_for_leases()
    workers.worker()
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert states("line") == ["unconfirmed"]
    assert Delivery.objects.get().crashes == 3
    assert vendors.accepted == []


@pytest.mark.parametrize(
    "failpoint", ["settle.after_commit:kill", "claim.after_commit:kill:2", "mark.after:kill:2"]
)
@pytest.mark.usefixtures("own_server")
def test_who_dies_between_two_parts_repeats_and_skips_none(
    failpoint, workers, bookings, vendors, picture
):
    victim = workers.worker_that_is_up(failpoint)
    bookings.once(vendors.rooms(2, 2), images=[picture], interval_seconds=1)
    victim.wait_for_the_failpoint()
    workers.worker()
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert states("line") == ["sent"] * 2
    for room in vendors.rooms(2, 0):
        seen = [entry.messages[0]["type"] for entry in vendors.line.log if entry.to == room.address]
        assert seen == ["text", "image"]


@pytest.mark.usefixtures("own_server")
def test_who_dies_while_taking_over_is_taken_over_too(workers, bookings, vendors):
    victim = workers.worker_that_is_up("wire.written:kill:4")
    bookings.once(vendors.rooms(2, 2))
    victim.wait_for_the_failpoint()
    for point in ("sweep.before_commit", "sweep.after_commit"):
        workers.worker(f"{point}:kill").wait_for_the_failpoint()
    workers.worker()
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert states("line") == ["sent"] * 2
    assert states("webhook") == ["unconfirmed"] * 2
    assert len(vendors.accepted) == 4


@pytest.mark.usefixtures("own_server")
def test_the_channel_accepts_although_nobody_waits_any_more(workers, bookings, vendors):
    for fake in (vendors.line, vendors.webhook):
        fake.faults.add("hang_then_accept", times=2, seconds=QUICK_TIMEOUT - 0.5)
    victim = workers.worker_that_is_up("wire.written:kill:4")
    bookings.once(vendors.rooms(2, 2))
    victim.wait_for_the_failpoint()
    assert vendors.accepted == []
    wait_until(lambda: len(vendors.accepted) == 4, 20, "the channels' acceptance")
    workers.worker()
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert states("line") == ["sent"] * 2
    assert states("webhook") == ["unconfirmed"] * 2


def test_a_worker_that_is_asked_to_end_finishes_what_is_in_flight(workers, bookings, vendors):
    for fake in (vendors.line, vendors.webhook):
        fake.faults.add("hang_then_accept", times=5, seconds=1.0)
    worker = workers.worker_that_is_up()
    schedule = bookings.once(vendors.rooms(5, 5))
    later = bookings.once(vendors.rooms(5, 5), 4)
    assert schedule.next_due_at
    due_at = schedule.next_due_at
    wait_until(lambda: database_now() > due_at, 20, "the due second")
    wait_until(
        lambda: Delivery.objects.filter(wire_at__isnull=False).count() == 10, 20, "the hand-over"
    )
    assert worker.terminate() == 0
    first = Delivery.objects.filter(run__schedule=schedule)
    assert set(first.values_list("state", flat=True)) == {"sent"}
    assert not Delivery.objects.filter(run__schedule=later, state="sending").exists()
    workers.worker()
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert len(vendors.accepted) == 20


@pytest.mark.usefixtures("own_server")
def test_half_of_the_workers_are_killed_in_the_due_second(workers, bookings, vendors):
    members = [workers.worker() for _ in range(4)]
    workers.wait_until_up(*members)
    schedules = [bookings.once(vendors.rooms(6, 6), 3) for _ in range(10)]
    due_at = schedules[0].next_due_at
    assert due_at
    wait_until(lambda: database_now() > due_at, 20, "the due second")
    for member in members[:2]:
        member.send(signal.SIGKILL)
    bookings.wait_until_settled()
    assert bookings.violations() == []


@pytest.mark.usefixtures("own_server")
def test_the_children_of_a_forking_worker_are_killed_in_the_due_second(workers, bookings, vendors):
    worker = workers.forking_worker()
    workers.wait_until_up(worker)
    beat = workers.beat()
    schedules = [bookings.once(vendors.rooms(6, 6), seconds) for seconds in (3, 4, 5)]
    for schedule in schedules:
        due_at = schedule.next_due_at
        wait_until(lambda due_at=due_at: database_now() > due_at, 20, "the due second")
        for child in psutil.Process(worker.pid).children():
            child.kill()
    bookings.wait_until_settled()
    assert (worker.ended, beat.ended) == (None, None)
    assert bookings.violations() == []
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
    assert max(Delivery.objects.values_list("lateness_ms", flat=True)) < 2000


@pytest.mark.usefixtures("own_server")
def test_a_key_that_the_channel_has_forgotten_by_now_is_not_used_again(workers, bookings, vendors):
    victim = workers.worker_that_is_up("wire.written:kill:2")
    bookings.once(vendors.rooms(2, 0))
    victim.wait_for_the_failpoint()
    wait_until(lambda: len(vendors.line.log) == 2, 20, "the channel's acceptance")
    Delivery.objects.update(wire_at=F("wire_at") - A_DAY, lease_until=F("lease_until") - A_DAY)
    vendors.line.now = lambda: time.time() + A_DAY.total_seconds()
    workers.worker()
    bookings.wait_until_settled()
    assert states("line") == ["unconfirmed"] * 2
    assert len(vendors.line.log) == 2
