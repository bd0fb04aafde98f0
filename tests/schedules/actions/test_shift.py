"""Shift and priority: as asked, once, recorded, and never half."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from logs.models import History
from orgs.clock import database_now
from orgs.reach import Role
from schedules.actions import (
    OutOfReach,
    Refused,
    begin_edit,
    cancel,
    execute,
    foresee_shift,
    pause,
    register,
    set_priority,
    shift,
)
from schedules.models import Run, Schedule
from tests.schedules.conftest import plan_at

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def person(world):
    return world.people["xinyi"]


@pytest.fixture
def once(make_schedule, person) -> Schedule:
    return register(make_schedule(due_in=7200), by=person)


@pytest.fixture
def daily(make_schedule, person) -> Schedule:
    timing = {"timing_kind": "daily", "time": "09:00", "date": None, "zone": "Asia/Taipei"}
    return register(make_schedule(**timing), by=person)


def test_a_single_message_goes_so_much_later(once, person):
    due_at = once.next_due_at
    foreseen = foresee_shift(once, by=person, span=DAY, now=database_now())
    moved = shift(once, by=person, span=DAY)
    assert moved.next_due_at == foreseen == due_at + DAY
    entry = History.objects.first()
    assert (entry.verb, set(entry.changes)) == ("updated", {"date"})


def test_what_is_planned_already_is_planned_anew(once, person):
    plan_at(once, once.next_due_at)
    assert Run.objects.get().due_at == once.next_due_at
    moved = shift(once, by=person, span=HOUR)
    assert not Run.objects.exists()
    plan_at(moved, moved.next_due_at)
    assert Run.objects.get().due_at == once.next_due_at + HOUR


def test_a_daily_one_keeps_its_zone_and_goes_by_its_wall_clock(daily, person):
    moved = shift(daily, by=person, span=-HOUR)
    assert moved.next_due_at.astimezone(ZoneInfo("Asia/Taipei")).hour == 8


def test_what_is_paused_stays_paused(daily, person):
    pause(daily, by=person)
    moved = shift(daily, by=person, span=HOUR)
    assert (moved.state, moved.next_due_at, str(moved.time)) == ("paused", None, "10:00:00")


def test_sent_twice_it_is_shifted_once(once, person):
    seen = once.revision
    moved = shift(once, by=person, span=HOUR, seen=seen)
    with pytest.raises(Refused, match="changed since"):
        shift(once, by=person, span=HOUR, seen=seen)
    once.refresh_from_db()
    assert once.next_due_at == moved.next_due_at


def test_nothing_is_shifted_into_the_past(once, person):
    for ask in (shift, foresee_at(database_now())):
        with pytest.raises(Refused, match="has passed"):
            ask(once, by=person, span=-DAY)
    once.refresh_from_db()
    assert once.revision == 0


def foresee_at(now: datetime):
    return lambda row, **values: foresee_shift(row, now=now, **values)


def test_what_went_is_not_shifted(once, person):
    plan_at(once, once.next_due_at)
    timing = {"date": (database_now() - DAY).date()}
    Schedule.objects.filter(pk=once.pk).update(**timing)
    with pytest.raises(Refused, match="edit it"):
        shift(once, by=person, span=2 * DAY)


def test_an_open_edit_would_take_the_shift_back(daily, person):
    begin_edit(daily, by=person)
    with pytest.raises(Refused, match="not saved yet"):
        shift(daily, by=person, span=HOUR)


def test_the_cancelled_neither_shift_nor_weigh(daily, person):
    cancel(daily, by=person)
    for act in (lambda: shift(daily, by=person, span=HOUR),
                lambda: set_priority(daily, by=person, priority=80)):  # fmt: skip
        with pytest.raises(Refused):
            act()


@pytest.mark.parametrize("who", ["tainan", "stranger", "viewer"])
def test_out_of_reach_nothing_is_shifted_or_weighed(daily, world, who):
    by = world.people.get(who) or world.person(world.xinyi, Role.VIEWER)
    with pytest.raises(OutOfReach):
        shift(daily, by=by, span=HOUR)
    with pytest.raises(OutOfReach):
        set_priority(daily, by=by, priority=80)


def test_a_priority_holds_from_the_next_run_on_and_in_an_open_edit(daily, person):
    copy = begin_edit(daily, by=person)
    before = execute(daily, by=person)
    set_priority(daily, by=person, priority=80)
    copy.refresh_from_db()
    before.refresh_from_db()
    assert (copy.priority, before.priority) == (80, 50)
    entry = History.objects.first()
    assert (entry.verb, entry.changes) == ("updated", {"priority": [50, 80]})


def test_the_same_priority_again_is_no_change(daily, person):
    entries = History.objects.count()
    set_priority(daily, by=person, priority=50)
    assert History.objects.count() == entries
    with pytest.raises(Refused, match="0 and 100"):
        set_priority(daily, by=person, priority=101)
