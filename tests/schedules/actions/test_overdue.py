"""What was due while no worker ran, and is changed before one runs again, is not lost."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from channels.models import Alert
from logs.models import Counter
from orgs.clock import database_now
from schedules.actions import (
    Refused,
    begin_edit,
    cancel,
    change,
    delete,
    pause,
    register,
    shift,
)
from schedules.dispatch.plan import plan
from schedules.models import Run, Schedule
from tests.schedules.conftest import plan_at

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def person(world):
    return world.people["xinyi"]


@pytest.fixture
def overdue(make_schedule, person):
    """Makes a daily one whose time came so long ago, with nobody there to plan it."""

    def make(ago: timedelta = timedelta(minutes=2)) -> Schedule:
        due_at = (database_now() - ago).replace(second=0, microsecond=0)
        zone = f"Etc/GMT{due_at.hour - 12:+d}"  # where it is about noon, far from another day
        time = due_at.astimezone(ZoneInfo(zone)).time()
        timing = {"timing_kind": "daily", "time": time, "date": None, "zone": zone}
        row = register(make_schedule(**timing), by=person)
        Schedule.objects.filter(pk=row.pk).update(next_due_at=due_at)
        row.refresh_from_db()
        return row

    return make


def edit(row: Schedule, person, **values) -> Schedule:
    copy = begin_edit(row, by=person)
    Schedule.objects.filter(pk=copy.pk).update(**values)
    copy.refresh_from_db()
    return change(copy, by=person)


def test_it_goes_late_as_it_was_when_its_text_is_edited(overdue, person):
    row = overdue()
    due_at = row.next_due_at
    edited = edit(row, person, text="New")
    run = Run.objects.get()
    assert (run.due_at, run.state, run.content["text"]) == (due_at, "planned", "Good morning")
    assert edited.next_due_at == due_at + timedelta(days=1)


def test_it_goes_late_when_its_schedule_is_shifted_to_an_earlier_hour(overdue, person):
    row = overdue()
    due_at = row.next_due_at
    moved = shift(row, by=person, span=-HOUR)
    assert Run.objects.get().due_at == due_at
    assert moved.next_due_at == due_at - HOUR + timedelta(days=1)


def test_to_a_later_hour_of_the_day_it_is_not_shifted_while_it_may_still_leave(overdue, person):
    row = overdue()
    with pytest.raises(Refused, match="at this moment"):
        shift(row, by=person, span=HOUR / 4)
    assert not Run.objects.exists()  # nothing of the refused act stays
    row.refresh_from_db()
    assert row.next_due_at < database_now()


def test_what_is_too_late_to_leave_says_that_it_was_missed(
    overdue, person, settings, django_capture_on_commit_callbacks
):
    row = overdue(timedelta(seconds=settings.TEIJI_GRACE_SECONDS) + HOUR / 10)
    due_at = row.next_due_at
    with django_capture_on_commit_callbacks(execute=True):
        moved = shift(row, by=person, span=-HOUR / 60)
    run = Run.objects.get()
    assert (run.due_at, run.state, run.reason) == (due_at, "skipped", "missed")
    assert moved.next_due_at > database_now()
    assert [alert.kind for alert in Alert.objects.all()] == ["missed"]
    assert Counter.objects.get(name=Counter.Name.MISSED).value == 1


@pytest.mark.parametrize("act", [pause, cancel, delete])
def test_who_stops_it_sees_what_did_not_leave(overdue, person, act):
    row = overdue()
    due_at = row.next_due_at
    act(row, by=person)
    assert list(Run.objects.values_list("due_at", "state")) == [(due_at, "cancelled")]


def test_the_planner_does_not_plan_it_once_more(overdue, person):
    row = overdue()
    edit(row, person, text="New")
    plan(database_now())
    assert Run.objects.count() == 1
    plan_at(row, row.next_due_at)
    assert Run.objects.count() == 1


def test_all_of_a_long_outage_are_written(make_schedule, person):
    grid = {"timing_kind": "interval", "every_minutes": 5, "date": None, "time": None}
    row = register(make_schedule(**grid), by=person)
    began = row.next_due_at - timedelta(days=1)
    Schedule.objects.filter(pk=row.pk).update(next_due_at=began)
    pause(row, by=person)
    assert Run.objects.count() == 24 * 12
    assert Run.objects.order_by("due_at").first().due_at == began
