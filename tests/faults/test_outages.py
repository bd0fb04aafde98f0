"""Beat, broker and database away over the due time; and everything down for long."""

import contextlib
import os
import time
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection

from orgs.clock import database_now
from schedules.models import Delivery, Run, Schedule
from tests.faults.fleet import Fleet
from tests.processes.machine import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

GRACE = timedelta(seconds=600)
SECONDS = float(os.environ.get("OUTAGE_SECONDS", "0"))  # longer than the tests' own, if given


def pass_over(schedule: Schedule) -> None:
    """Wait until its time has come and gone."""
    due = schedule.next_due_at
    assert due
    wait_until(lambda: datetime.now(UTC) > due + timedelta(seconds=1), 60, "the due second")


def lateness() -> list[int]:
    return [ms or 0 for ms in Delivery.objects.values_list("lateness_ms", flat=True)]


@pytest.mark.usefixtures("own_server")
def test_beat_and_broker_are_dead_and_messages_leave_on_time(
    workers, bookings, vendors, redis_server
):
    worker = workers.worker_that_is_up()
    beat = workers.beat()
    redis_server.crash()
    try:
        beat.kill()
        schedule = bookings.once(vendors.rooms(3, 3), 3)
        pass_over(schedule)
        bookings.wait_until_settled()
        assert worker.ended is None
    finally:
        redis_server.start()
    assert bookings.violations() == []
    assert max(lateness()) < 2000


@pytest.mark.timeout(300 + 2 * SECONDS)
@pytest.mark.usefixtures("own_server")
def test_the_broker_is_away_for_long(workers, bookings, vendors, redis_server):
    members = [workers.worker(), workers.worker()]
    workers.wait_until_up(*members)
    members += [workers.beat(), workers.beat()]
    schedules = [bookings.once(vendors.rooms(2, 2), 5 * number) for number in range(1, 8)]
    redis_server.crash()
    try:
        time.sleep(max(25, SECONDS))  # the outage itself: several of them are due within it
    finally:
        redis_server.start()
    pass_over(schedules[-1])
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert [member.name for member in members if member.ended is not None] == []
    assert max(lateness()) < 3000


@pytest.mark.usefixtures("own_server")
def test_a_worker_starts_while_the_broker_is_away(workers, bookings, vendors, redis_server):
    redis_server.crash()
    try:
        workers.worker_that_is_up()
        bookings.once(vendors.rooms(2, 2))
        bookings.wait_until_settled()
    finally:
        redis_server.start()
    assert bookings.violations() == []


@pytest.mark.usefixtures("own_server")
def test_a_worker_ends_when_asked_while_its_broker_says_nothing(workers, redis_server):
    worker = workers.worker_that_is_up()
    wait_until(lambda: redis_server.waiting > 0, 30, "the worker at its broker")
    with redis_server.hanging():
        time.sleep(5)  # the outage itself: with Celery's own signs of life it stands still by then
        assert worker.terminate() == 0


@pytest.mark.usefixtures("own_server")
def test_beat_hangs_and_another_ticks(workers, bookings, vendors):
    workers.worker_that_is_up()
    first = workers.beat()
    first.stop()
    workers.beat()
    bookings.once(vendors.rooms(2, 2))
    bookings.wait_until_settled()
    first.resume()
    bookings.once(vendors.rooms(2, 2))
    bookings.wait_until_settled()
    assert bookings.violations() == []


@pytest.mark.parametrize("seconds", [0, max(10, SECONDS)])
def test_the_database_crashes_over_the_due_second(seconds, workers, bookings, vendors, own_server):
    members = [workers.worker(), workers.worker()]
    workers.wait_until_up(*members)
    vendors.line.faults.add("hang_then_accept", times=3, seconds=0.7)
    vendors.webhook.faults.add("hang_then_accept", times=3, seconds=0.7)
    first = bookings.once(vendors.rooms(3, 3))
    bookings.once(vendors.rooms(3, 3), 5)
    on_the_wire = Delivery.objects.filter(wire_at__isnull=False)
    wait_until(lambda: on_the_wire.count() >= 6, 20, "the hand-over")
    assert first.next_due_at
    while datetime.now(UTC) < first.next_due_at + timedelta(seconds=0.2):
        time.sleep(0.01)
    connection.close()
    own_server.crash()
    time.sleep(seconds)
    own_server.start()
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert [member.name for member in members if member.ended is not None] == []
    # The first answers came while it was down; they were kept and written afterwards.
    assert len(vendors.accepted) == 12


def test_the_database_has_no_connection_left(workers, bookings, vendors, own_server):
    workers.worker_that_is_up()
    schedule = bookings.once(vendors.rooms(3, 3), 4)
    name = str(connection.settings_dict["NAME"])
    with contextlib.ExitStack() as held:
        own_server.throw_out(name)
        connection.close()
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                held.enter_context(own_server.connect(name))
        pass_over(schedule)
    bookings.wait_until_settled()
    assert bookings.violations() == []


def had_been_down(schedule: Schedule, outage: timedelta) -> None:
    """Move what was registered into the past, as if nothing had run since its time."""
    since = (database_now() - outage).replace(microsecond=0)
    columns = {"next_due_at": since, "registered_at": since - timedelta(seconds=1)}
    if schedule.timing_kind == "once":
        columns |= {"date": since.date(), "time": since.time()}
    Schedule.objects.filter(pk=schedule.pk).update(**columns)


def wait_for_the_catch_up(workers: Fleet) -> None:
    workers.worker()
    now = database_now()
    active = Schedule.objects.filter(next_due_at__lt=now + timedelta(seconds=1))
    wait_until(lambda: not active.exists(), 60, "the planner")
    is_open = Run.objects.filter(state__in=["planned", "sending"], due_at__lt=now)
    wait_until(lambda: not is_open.exists(), 60, "the end of what is due")


def test_a_minute_of_outage_makes_it_late(workers, bookings, vendors):
    schedule = bookings.once(vendors.rooms(2, 2), 3600)
    had_been_down(schedule, timedelta(minutes=1))
    bookings.expected.clear()
    bookings.remember(schedule)
    workers.worker()
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert min(lateness()) >= 60_000
    assert len(vendors.accepted) == 4


@pytest.mark.parametrize("outage", [timedelta(hours=3), timedelta(days=2)])
def test_a_long_outage_is_not_followed_by_a_burst(outage, workers, bookings, vendors):
    once = bookings.once(vendors.rooms(2, 2), 3600, text="Once")
    often = bookings.once(
        vendors.rooms(1, 1), 3600, text="Often", timing_kind="interval", every_minutes=5
    )
    for schedule in (once, often):
        had_been_down(schedule, outage)
    since = database_now()
    wait_for_the_catch_up(workers)
    assert Run.objects.get(schedule=once).state == "skipped"
    runs = Run.objects.filter(schedule=often, due_at__lte=since)
    slots = outage // timedelta(minutes=5)
    assert slots - 1 <= runs.count() <= slots + 1
    missed = runs.filter(due_at__lt=since - GRACE - timedelta(minutes=1))
    assert set(missed.values_list("state", "reason")) == {("skipped", "missed")}
    sent = set(runs.filter(state="sent").values_list("due_at", flat=True))
    assert 1 <= len(sent) <= 3
    assert min(sent) > since - GRACE - timedelta(minutes=1)
    # Each of those once to each room, none of the others; and what came due since then.
    gone = Run.objects.filter(schedule=often, state="sent")
    wait_until(lambda: len(vendors.accepted) == 2 * gone.count(), 20, "all to be settled")


def test_a_daily_schedule_of_two_days_ago_waits_for_its_next_day(workers, bookings, vendors):
    at = (database_now() - timedelta(hours=2)).replace(microsecond=0)
    daily = bookings.once(vendors.rooms(2, 2), 3600, timing_kind="daily", time=at.time(), date=None)
    had_been_down(daily, timedelta(hours=50))
    Schedule.objects.filter(pk=daily.pk).update(next_due_at=at - timedelta(days=2))
    wait_for_the_catch_up(workers)
    assert list(Run.objects.order_by("due_at").values_list("due_at", "state", "reason")) == [
        (at - timedelta(days=days), "skipped", "missed") for days in (2, 1, 0)
    ]
    daily.refresh_from_db()
    assert daily.next_due_at == at + timedelta(days=1)
    assert vendors.accepted == []
