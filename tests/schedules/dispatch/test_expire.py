"""The time has come and nobody has answered: it is not sent, never late, and everybody is told."""

from datetime import timedelta

import pytest

from channels.models import Alert
from logs.models import History
from schedules.actions import Refused, register
from schedules.dispatch.expire import LONGEST, expire
from schedules.dispatch.plan import plan
from schedules.models import Delivery, Run, Schedule
from tests.schedules.approving import agency_of, approved

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def agency(world):
    return agency_of(world)


def test_a_single_message_expires_at_its_time_and_not_before(agency, make_schedule):
    schedule = register(make_schedule(), by=agency.clerk)
    due = schedule.next_due_at
    assert expire(due - SECOND) == 0
    assert expire(due) == 1 and expire(due + SECOND) == 0
    schedule.refresh_from_db()
    assert (schedule.state, schedule.next_due_at) == ("expired", None)
    run = Run.objects.get()
    assert (run.due_at, run.state, run.reason) == (due, "skipped", "unapproved")
    assert History.objects.filter(verb="expired", object_id=schedule.pk).exists()
    told = Alert.objects.get(kind="missed")
    assert told.unit_path == schedule.unit.path and "nobody approved" in told.lines[0][1]
    with pytest.raises(Refused):
        approved(schedule, agency.chief)


def test_of_a_recurring_one_that_time_is_left_out_and_the_next_can_be_approved(
    agency, make_schedule
):
    values = {"timing_kind": "daily", "date": None}
    schedule = register(make_schedule(**values), by=agency.clerk)
    due = schedule.next_due_at
    expire(due)
    schedule.refresh_from_db()
    assert (schedule.state, schedule.next_due_at) == ("waiting", due + timedelta(days=1))
    schedule = approved(schedule, agency.chief)
    plan(due + timedelta(days=1))
    assert list(Run.objects.order_by("due_at").values_list("state", flat=True)) == [
        "skipped",
        "planned",
    ]
    assert Delivery.objects.get().due_at == due + timedelta(days=1)


def test_after_its_time_it_is_too_late_for_a_yes(agency, make_schedule):
    schedule = register(make_schedule(), by=agency.clerk)
    Schedule.objects.filter(pk=schedule.pk).update(next_due_at=schedule.registered_at)
    with pytest.raises(Refused, match="time has come"):
        approved(schedule, agency.chief)


def test_what_was_to_go_at_once_waits_for_a_day(agency, make_schedule):
    values = {"timing_kind": "now", "date": None, "time": None}
    schedule = register(make_schedule(**values), by=agency.clerk)
    asked_at = schedule.approval.asked_at
    assert expire(asked_at + LONGEST - SECOND) == 0
    assert expire(asked_at + LONGEST) == 1
    schedule.refresh_from_db()
    assert schedule.state == "expired" and Run.objects.get().reason == "unapproved"
