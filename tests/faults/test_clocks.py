"""Wrong clocks: a worker's own does not matter; when the database's jumps, nothing leaves. And
the clocks of the people: they go forward and back, and each day's message leaves once."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

import pytest
from django.db import connection

from orgs.clock import database_now
from schedules.models import Delivery, Installation
from tests.faults.checker import violations
from tests.processes.machine import database_url, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("minutes", [-120, -7, 7, 120])
@pytest.mark.usefixtures("own_server")
def test_a_workers_and_beats_clock_is_wrong(minutes, workers, bookings, vendors):
    workers.worker_that_is_up(minutes_ahead=minutes)
    workers.beat(minutes_ahead=minutes)
    bookings.once(vendors.rooms(3, 3))
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert len(vendors.accepted) == 6
    assert max(Delivery.objects.values_list("lateness_ms", flat=True)) < 3000


@pytest.mark.usefixtures("own_server")
def test_right_and_wrong_clocks_work_together(workers, bookings, vendors):
    members = [workers.worker(minutes_ahead=minutes) for minutes in (-120, 120, 0)]
    workers.wait_until_up(*members)
    for _ in range(5):
        bookings.once(vendors.rooms(3, 3), 3)
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


class Change(NamedTuple):
    """A daily message at one of the two moments of the year; times without a zone are UTC."""

    now: str
    daily_at: time
    due_at: str
    next_due_at: str


# The clocks go from 1:59:59 to 3:00:00.
FORWARD = Change(
    "2027-03-14T06:59:45", time(2, 30), "2027-03-14T07:00:00", "2027-03-15T06:30:00"
)  # fmt: skip
# It is 1:59:57 twice.
BACK = Change(
    "2027-11-07T05:59:42", time(1, 59, 57), "2027-11-07T05:59:57", "2027-11-08T06:59:57"
)  # fmt: skip


@pytest.mark.parametrize("change", [FORWARD, BACK], ids=["forward", "back"])
def test_the_clocks_of_new_york_change(change, shifted_clock, workers, bookings):
    ahead = round((utc(change.now) - datetime.now(UTC)).total_seconds())
    shifted_clock.write_text(f"+{ahead}s")
    assert abs(database_now() - utc(change.now)) < timedelta(seconds=5), "libfaketime does nothing"
    schedule = bookings.once(
        bookings.vendors.rooms(4, 0), timing_kind="daily", date=None, time=change.daily_at,
        zone="America/New_York",
    )  # fmt: skip
    assert schedule.next_due_at == utc(change.due_at)
    workers.wait_until_up(workers.worker_under({"TEIJI_DATABASE_URL": database_url()}))
    bookings.wait_until_settled()
    schedule.refresh_from_db()
    assert schedule.next_due_at == utc(change.next_due_at)
    arrived = [replace(entry, at=entry.at + ahead) for entry in bookings.vendors.accepted]
    assert violations(arrived, expected=bookings.expected) == []
    assert len(arrived) == 4


def utc(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)
