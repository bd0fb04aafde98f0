"""A freeze in the middle of a large run, while thousands wait marked for a slow channel."""

import time

import pytest

from schedules.actions.freeze import freeze, unfreeze
from schedules.models import Delivery
from tests.processes.machine import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

ROOMS = 2400
ANSWER = 1.2  # seconds; at most 300 of one account are on the wire of each worker
LOOK = 2.0  # seconds at most until a worker knows of it, on a busy machine; all take twice as long


@pytest.mark.usefixtures("own_server")
def test_a_freeze_lets_nothing_more_go_though_it_was_marked(workers, bookings, vendors, world):
    vendors.line.latency = ANSWER
    for _ in range(2):
        workers.worker_that_is_up(TEIJI_WIRE_SECONDS=30.0)
    bookings.once(vendors.rooms(ROOMS, 0), 5)
    wait_until(lambda: len(vendors.accepted) > 0, 30, "the first messages")
    row = freeze(vendors.keyed, by=world.people["hq"], why="wrong prices")
    frozen_at = time.time()
    open_ = Delivery.objects.filter(state="sending")
    wait_until(lambda: not open_.exists(), 30, "the end of what was on the wire")
    assert [e for e in vendors.accepted if e.at > frozen_at + LOOK] == []
    assert len(vendors.accepted) < ROOMS
    unfreeze(row, by=world.people["hq"], why="mended")
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert len(vendors.accepted) == ROOMS
