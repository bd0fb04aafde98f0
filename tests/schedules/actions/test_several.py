"""Several times that are to move are looked at: each is answered as its move would be, and nothing
is written."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.models import Room
from orgs.clock import database_now
from orgs.models import Unit
from schedules.actions import (
    Refused,
    Scope,
    change_one,
    foresee_moves,
    known_change,
    move,
    pause,
    register,
)
from schedules.models import Delivery, Run, Schedule
from schedules.recurrence import Change
from tests.schedules.approving import demand
from tests.schedules.at_once import act_at
from tests.schedules.conftest import plan_at

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def times_of(row, count):
    return [(row.pk, row.next_due_at + DAY * day) for day in range(count)]


def looked_at(times, span, by, now):
    answers = foresee_moves(times, span, by=by, now=now)
    return [str(answer) if isinstance(answer, Refused) else answer for answer in answers]


def carried_out(times, span, by):
    """What the moves themselves answer, one after the other."""
    found = []
    for pk, at in times:
        row = Schedule.objects.get(pk=pk)
        stands_at = (known_change(row, at).due_at or at).astimezone(ZoneInfo(row.zone))
        try:
            move(row, at, stands_at.replace(tzinfo=None) + span, scope=Scope.ONE, by=by)
            found.append(stands_at + span)
        except Refused as error:
            found.append(str(error))
    return found


@pytest.fixture
def world_of_it(world, clerk, make_schedule, monkeypatch):
    """What a change of the surroundings needs, with this as the time at which people act."""

    def at(now):
        act_at(monkeypatch, now)
        return {"world": world, "clerk": clerk, "make_schedule": make_schedule}

    return at


def quiet(row, **_rest):
    Room.objects.update(quiet_from=time(10), quiet_until=time(12))


def ended(row, **_rest):
    Schedule.objects.filter(pk=row.pk).update(valid_until=row.next_due_at + DAY * 2)


def demanded(row, world, **_rest):
    demand(world.xinyi)


def frozen_in_a_run(row, **_rest):
    plan_at(row, row.next_due_at - timedelta(seconds=5))


def begun(row, **_rest):
    plan_at(row, row.next_due_at - timedelta(seconds=5))
    Delivery.objects.update(started_at=database_now())


def run_by_hand(row, **_rest):
    at = row.next_due_at + HOUR * 2
    Run.objects.create(schedule=row, due_at=at, planned_at=at, zone=row.zone, trigger="hand",
                       unit_path=row.unit.path)  # fmt: skip


def twin(row, make_schedule, clerk, **_rest):
    values = {"timing_kind": "daily", "date": None, "zone": row.zone, "text": row.text}
    register(make_schedule(time=time(11), title="Twin", **values), by=clerk)


def changed(row, clerk, **_rest):
    change_one(row, row.next_due_at, Change(due_at=row.next_due_at + HOUR, text="Hi"), by=clerk)
    change_one(row, row.next_due_at + DAY, Change(skips=True), by=clerk)


def standing_in_the_way(row, clerk, **_rest):
    put = Change(due_at=row.next_due_at + DAY + HOUR * 2)
    change_one(row, row.next_due_at, put, by=clerk)


def paused(row, clerk, **_rest):
    pause(row, by=clerk)


def as_it_is(row, **_rest):
    pass


@pytest.mark.parametrize("span", [HOUR * 2, DAY, -DAY])
@pytest.mark.parametrize(
    "prepare",
    [as_it_is, quiet, ended, demanded, frozen_in_a_run, begun, run_by_hand, twin, changed,
     standing_in_the_way, paused],
)  # fmt: skip
def test_each_is_answered_as_its_move_would_be(prepare, span, daily, clerk, world_of_it):
    times = times_of(daily, 4)
    now = daily.next_due_at - timedelta(seconds=2)
    prepare(daily, **world_of_it(now))
    before = Schedule.objects.values().get(pk=daily.pk)
    found = looked_at(times, span, clerk, now)
    assert Schedule.objects.values().get(pk=daily.pk) == before
    assert found == carried_out(times, span, clerk)


@pytest.mark.parametrize("span", [HOUR * 2, -DAY * 3])
@pytest.mark.parametrize("prepare", [as_it_is, demanded, frozen_in_a_run, begun, twin, paused])
def test_a_message_that_goes_once_is_answered_as_its_move_would_be(
    prepare, span, once, clerk, world_of_it
):
    times = times_of(once, 1)
    now = once.next_due_at - timedelta(seconds=2)
    prepare(once, **world_of_it(now))
    assert looked_at(times, span, clerk, now) == carried_out(times, span, clerk)


def test_of_another_unit_there_is_no_such_schedule(daily, world):
    (answer,) = looked_at(times_of(daily, 1), HOUR, world.people["tainan"], database_now())
    assert answer == "There is no such schedule."


def test_many_are_looked_at_in_as_many_questions_as_one(make_schedule, clerk, world):
    Unit.objects.filter(pk=world.hq.pk).update(quiet_from=time(2), quiet_until=time(3))
    timing = {"timing_kind": "daily", "time": time(9), "date": None, "holiday_country": "TW"}
    rows = [register(make_schedule(text=f"{n}", **timing), by=clerk) for n in range(30)]

    def asked(times):
        with CaptureQueriesContext(connection) as found:
            looked_at(times, HOUR, clerk, database_now())
        return len(found)

    one = asked(times_of(rows[0], 1))
    assert asked(times_of(rows[0], 30)) == one
    assert asked([time for row in rows for time in times_of(row, 1)]) == one
