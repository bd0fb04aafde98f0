"""Wrong clocks: a worker's own does not matter; when the database's jumps, nothing leaves."""

import pytest
from django.db import connection

from orgs.clock import database_now
from schedules.models import Delivery, Installation
from tests.faults.clocks import wrong_by
from tests.processes.machine import database_url, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("hours", [-2, 2])
@pytest.mark.usefixtures("own_server")
def test_a_workers_clock_is_wrong_by_hours(hours, workers, bookings, vendors):
    workers.worker_that_is_up_under(wrong_by(hours))
    bookings.once(vendors.rooms(3, 0))
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert len(vendors.accepted) == 3
    assert max(Delivery.objects.values_list("lateness_ms", flat=True)) < 3000


@pytest.mark.usefixtures("own_server")
def test_right_and_wrong_clocks_work_together(workers, bookings, vendors):
    members = [workers.worker_that_is_up_under(wrong_by(hours)) for hours in (-2, 2)]
    workers.wait_until_up(workers.worker())
    for _ in range(5):
        bookings.once(vendors.rooms(6, 0), 3)
    members[0].kill()
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert len(vendors.accepted) == 30


@pytest.mark.parametrize(("jump", "reason"), [("+3h", "clock_jump"), ("-3h", "clock_back")])
def test_the_databases_clock_jumps(jump, reason, shifted_clock, workers, bookings):
    worker = workers.worker_under({"TEIJI_DATABASE_URL": database_url()})
    workers.wait_until_up(worker)
    bookings.once(bookings.vendors.rooms(2, 2))
    bookings.wait_until_settled()
    # Due in five minutes and in three hours: by the new time at once, if it were believed.
    for seconds in (300, 3 * 3600 - 5):
        bookings.once(bookings.vendors.rooms(2, 2), seconds)
    before = database_now()
    shifted_clock.write_text(jump)
    assert abs((database_now() - before).total_seconds()) > 10_000, "libfaketime does nothing"
    fenced = Installation.objects.filter(fenced_at__isnull=False)
    wait_until(fenced.exists, 60, "the fence")
    assert fenced.get().reason == reason
    worker.terminate()
    assert len(bookings.vendors.accepted) == 4
    assert not Delivery.objects.exclude(state="sent").exists()
    connection.close()
