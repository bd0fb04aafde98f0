"""A series moves from one of its times on, or as a whole: no time is lost, none goes twice."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from logs.models import History
from orgs.reach import Role
from schedules import actions, rules
from schedules.actions import (
    OutOfReach,
    Refused,
    Scope,
    begin_edit,
    change_one,
    pause,
    register,
)
from schedules.models import Delivery, OccurrenceChange, Run, Schedule
from schedules.recurrence import Change
from schedules.shown.calendar.moving import foresee_move
from tests.schedules.approving import demand
from tests.schedules.at_once import act_at, at_once, on_postgresql
from tests.schedules.conftest import SECOND, on_the_wire, plan_at

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NOW = datetime(2027, 3, 10, 3, 30, tzinfo=UTC)  # a Wednesday
FIRST = datetime(2027, 3, 10, 9, 0, tzinfo=UTC)
LATER, ALL = Scope.LATER, Scope.ALL


@pytest.fixture
def person(world):
    return world.people["xinyi"]


@pytest.fixture
def make(make_schedule, person, monkeypatch):
    def registered(by=None, **values):
        act_at(monkeypatch, NOW)
        timing = {"timing_kind": "daily", "time": time(9), "date": None}
        return register(make_schedule(**timing | values), by=by or person)

    return registered


@pytest.fixture
def daily(make):
    """At 09:00 each day, registered at NOW."""
    return make()


def going(count=6, until=None):
    """When anything goes, of whichever schedule."""
    rows = Schedule.objects.filter(state__in=("active", "paused", "waiting"))
    found = [
        one.due_at for row in rows for one in rules.preview(row, NOW, 40) if not one.skipped
    ]  # fmt: skip
    return sorted(at for at in found if until is None or at < until)[:count]


def wall(moment):
    return moment.replace(tzinfo=None)


def move(row, at, to, scope, by):
    return actions.move(row, at, wall(to), scope=scope, by=by)


def foresee(row, at, to, by, scope=LATER):
    return foresee_move(row, at, wall(to), scope=scope, by=by, seen=None)


def test_this_and_later_go_on_as_another_schedule(daily, person):
    third = FIRST + 2 * DAY
    moved = move(daily, third, third + HOUR, LATER, person)
    assert going(5) == [FIRST, FIRST + DAY, *(third + HOUR + DAY * number for number in range(3))]
    daily.refresh_from_db()
    assert daily.valid_until == third - SECOND
    assert moved.ended == daily and moved.row.pk != daily.pk
    assert (moved.row.valid_from, moved.row.state) == (third + HOUR, "active")
    assert list(moved.row.rooms.all()) == list(daily.rooms.all())
    assert moved.row.content_hash == daily.content_hash


def test_the_history_of_each_names_the_other(daily, person):
    moved = move(daily, FIRST + DAY, FIRST + DAY + HOUR, LATER, person)
    old = History.objects.get(verb="split", object_id=str(daily.pk))
    new = History.objects.get(verb="created", object_id=str(moved.row.pk))
    assert str(moved.row.pk) in old.changes["goes_on"]
    assert str(daily.pk) in new.changes["continues"]
    assert old.changes["valid_until"] == ["", (FIRST + DAY - SECOND).isoformat()]


def test_where_nothing_goes_before_it_stays_one_schedule(daily, person):
    moved = move(daily, FIRST, FIRST + HOUR, LATER, person)
    assert (moved.row, moved.ended) == (daily, None)
    assert Schedule.objects.count() == 1
    assert going(2) == [FIRST + HOUR, FIRST + HOUR + DAY]
    assert set(History.objects.first().changes) == {"time"}


def test_all_to_come_move_and_what_went_stays(daily, person, monkeypatch):
    plan_at(daily, FIRST)
    daily.refresh_from_db()
    act_at(monkeypatch, FIRST + HOUR)
    runs = list(Run.objects.values())
    moved = move(daily, FIRST + 3 * DAY, FIRST + 3 * DAY - HOUR, ALL, person)
    assert (moved.row, moved.ended) == (daily, None)
    assert list(Run.objects.values()) == runs
    assert moved.row.next_due_at == FIRST + DAY - HOUR


def test_what_went_today_does_not_go_again_at_its_new_time(daily, person, monkeypatch):
    plan_at(daily, FIRST)
    daily.refresh_from_db()
    act_at(monkeypatch, FIRST + HOUR)
    move(daily, FIRST + DAY, FIRST + DAY + 4 * HOUR, ALL, person)
    daily.refresh_from_db()
    assert daily.next_due_at == FIRST + DAY + 4 * HOUR
    plan_at(daily, FIRST + 4 * HOUR)
    assert Run.objects.count() == 1


def test_a_time_that_would_be_lost_in_the_past_is_refused(daily, person, monkeypatch):
    act_at(monkeypatch, FIRST - HOUR)
    with pytest.raises(Refused, match="into the past"):
        move(daily, FIRST + DAY, FIRST + DAY - 2 * HOUR, ALL, person)
    with pytest.raises(Refused, match="has passed"):
        move(daily, FIRST, FIRST - 2 * HOUR, LATER, person)
    assert going(1) == [FIRST]


def test_weekdays_turn_with_the_day(make, person):
    row = make(timing_kind="weekly", weekdays=[0, 2, 4])
    moved = move(row, FIRST + 2 * DAY, FIRST + 3 * DAY, LATER, person)  # Friday to Saturday
    assert moved.row.weekdays == [1, 3, 5]
    assert going(4) == [FIRST, FIRST + 3 * DAY, FIRST + 6 * DAY, FIRST + 8 * DAY]


def test_single_changes_after_it_go_along_and_those_before_stay(daily, person):
    skip, put, said = FIRST + 3 * DAY, FIRST + 4 * DAY, FIRST + 5 * DAY
    change_one(daily, FIRST, Change(text="Before"), by=person)
    change_one(daily, skip, Change(skips=True), by=person)
    change_one(daily, put, Change(due_at=put + 5 * HOUR), by=person)
    change_one(daily, said, Change(text="After"), by=person)
    moved = move(daily, FIRST + 2 * DAY, FIRST + 2 * DAY + HOUR, LATER, person)
    kept = {row.appointed_at: row.change for row in moved.row.changes.all()}
    assert kept == {
        skip + HOUR: Change(skips=True),
        put + HOUR: Change(due_at=put + 5 * HOUR),
        said + HOUR: Change(text="After"),
    }
    assert [row.text for row in daily.changes.all()] == ["Before"]
    late = [FIRST + DAY * number + HOUR for number in (2, 5)]
    assert going(5) == [FIRST, FIRST + DAY, late[0], put + 5 * HOUR, late[1]]


def test_the_named_one_keeps_its_text_and_forgets_its_own_time(daily, person):
    at = FIRST + 2 * DAY
    change_one(daily, at, Change(due_at=at + 3 * HOUR, text="Mine"), by=person)
    moved = move(daily, at, at + HOUR, LATER, person)
    (kept,) = moved.row.changes.all()
    assert (kept.appointed_at, kept.change) == (at + HOUR, Change(text="Mine"))


def test_one_that_was_put_later_still_goes(daily, person):
    change_one(daily, FIRST, Change(due_at=FIRST + 50 * HOUR), by=person)
    move(daily, FIRST + DAY, FIRST + DAY + HOUR, LATER, person)
    moved = [FIRST + DAY + HOUR, FIRST + 2 * DAY + HOUR, FIRST + 50 * HOUR]
    assert going(3) == moved


def test_one_that_was_put_earlier_and_went_does_not_go_again(daily, person, monkeypatch):
    at = FIRST + DAY
    change_one(daily, at, Change(due_at=FIRST - HOUR), by=person)
    plan_at(daily, FIRST - HOUR)
    assert Run.objects.get().first_due_at == at
    daily.refresh_from_db()
    act_at(monkeypatch, FIRST - HOUR / 2)
    with pytest.raises(Refused, match="too late"):
        move(daily, at, at + HOUR, LATER, person)
    moved = move(daily, FIRST, FIRST + HOUR, ALL, person)
    plan_at(moved.row, FIRST + HOUR)
    plan_at(moved.row, at + HOUR)
    assert sorted(Run.objects.values_list("due_at", flat=True)) == [FIRST - HOUR, FIRST + HOUR]


def test_two_of_it_at_one_time_are_refused(daily, person):
    at = FIRST + 2 * DAY
    change_one(daily, at + DAY, Change(due_at=at + DAY + 24 * HOUR + HOUR), by=person)
    with pytest.raises(Refused, match="Another one"):
        move(daily, at, at + HOUR, LATER, person)
    assert going(2) == [FIRST, FIRST + DAY]
    assert Schedule.objects.count() == 1


@pytest.mark.parametrize("scope", list(Scope))
def test_what_is_on_the_wire_ahead_of_its_second_is_not_moved(daily, person, monkeypatch, scope):
    plan_at(daily, FIRST - SECOND)
    act_at(monkeypatch, FIRST - SECOND)
    assert on_the_wire(FIRST)
    with pytest.raises(Refused, match="too late"):
        move(daily, FIRST, FIRST + HOUR, scope, person)
    assert Delivery.objects.count() == 1


def test_what_is_planned_but_before_stays_planned(daily, person, monkeypatch):
    plan_at(daily, FIRST - SECOND)
    act_at(monkeypatch, FIRST - SECOND)
    move(daily, FIRST + DAY, FIRST + DAY + HOUR, LATER, person)
    assert Run.objects.get().due_at == FIRST
    daily.refresh_from_db()
    assert (daily.state, daily.next_due_at) == ("active", None)


MINUTES = {"timing_kind": "interval", "every_minutes": 60, "time": None}
EXPRESSION = {"timing_kind": "cron", "cron": "0 9 * * *", "time": None}


@pytest.mark.parametrize("kind", [MINUTES, EXPRESSION])
def test_what_repeats_by_minutes_or_an_expression_is_refused(make, person, kind):
    row = make(**kind)
    with pytest.raises(Refused, match="no time to shift"):
        move(row, FIRST, FIRST + HOUR, LATER, person)


def test_a_daily_one_does_not_move_by_days(daily, person):
    with pytest.raises(Refused, match="by days"):
        move(daily, FIRST + DAY, FIRST + 2 * DAY, LATER, person)


def test_an_open_edit_a_pause_and_a_look_that_is_old_refuse(daily, person):
    with pytest.raises(Refused, match="changed since"):
        actions.move(daily, FIRST, wall(FIRST + HOUR), scope=ALL, by=person, seen=7)
    pause(daily, by=person)
    with pytest.raises(Refused, match="Resume"):
        move(daily, FIRST + DAY, FIRST + DAY + HOUR, LATER, person)
    assert move(daily, FIRST, FIRST + HOUR, ALL, person).row.next_due_at is None
    begin_edit(daily, by=person)
    with pytest.raises(Refused, match="not saved yet"):
        move(daily, FIRST + HOUR, FIRST + 2 * HOUR, ALL, person)


@pytest.mark.parametrize("who", ["tainan", "stranger", "viewer"])
def test_out_of_reach_nothing_moves(daily, world, who):
    by = world.people.get(who) or world.person(world.xinyi, Role.VIEWER)
    with pytest.raises(OutOfReach):
        move(daily, FIRST, FIRST + HOUR, LATER, by)


def test_the_new_one_waits_for_approval_and_the_old_one_goes_on(make, world, person):
    demand(world.xinyi)
    row = make(by=person)
    clerk = world.person(world.xinyi, Role.OPERATOR)
    assert row.state == "active"
    foreseen = foresee(row, FIRST + DAY, FIRST + DAY + HOUR, clerk)
    assert foreseen.waits and not Schedule.objects.filter(state="waiting").exists()
    moved = move(row, FIRST + DAY, FIRST + DAY + HOUR, LATER, clerk)
    row.refresh_from_db()
    assert (row.state, moved.row.state) == ("active", "waiting")
    assert plan_at(row, FIRST) and plan_at(moved.row, FIRST + DAY + HOUR) == []
    row.refresh_from_db()
    assert row.state == "active", "what was let go still is"


def test_the_same_content_at_the_same_time_of_another_is_refused(daily, make, person):
    make(time=time(11))
    with pytest.raises(Refused, match="already sends the same"):
        move(daily, FIRST + DAY, FIRST + DAY + 2 * HOUR, LATER, person)
    assert Schedule.objects.count() == 2
    daily.refresh_from_db()
    assert daily.valid_until is None


def test_what_is_foreseen_is_what_comes_and_nothing_stays_of_it(make, person):
    row = make(valid_until=FIRST + 10 * DAY)
    third = FIRST + 2 * DAY
    before = History.objects.count(), Schedule.objects.values().get()
    foreseen = foresee(row, third, third + HOUR, person)
    assert (History.objects.count(), Schedule.objects.values().get()) == before
    assert (foreseen.first.due_at, foreseen.count, foreseen.lost) == (third + HOUR, 8, 1)
    assert foreseen.is_counted and foreseen.ended == row
    move(row, third, third + HOUR, LATER, person)
    assert going(2, until=None) == [FIRST, FIRST + DAY]


def test_the_clock_of_the_zone_is_kept_over_daylight_saving(make, person):
    berlin = ZoneInfo("Europe/Berlin")
    row = make(zone="Europe/Berlin")  # its clocks change on 28 March 2027
    at = datetime(2027, 3, 26, 9, tzinfo=berlin).astimezone(UTC)
    half_past_two = wall(datetime(2027, 3, 26, 2, 30, tzinfo=UTC))
    moved = actions.move(row, at, half_past_two, scope=LATER, by=person).row
    coming = [one.local for one in rules.preview(moved, NOW, 4)]
    assert [(one.day, one.hour, one.minute) for one in coming] == [
        (26, 2, 30), (27, 2, 30), (28, 3, 0), (29, 2, 30)
    ]  # fmt: skip
    gap, nine = coming[2].astimezone(UTC), wall(datetime(2027, 3, 28, 9, tzinfo=UTC))
    back = actions.move(moved, gap, nine, scope=LATER, by=person)
    assert [one.local.hour for one in rules.preview(back.row, NOW, 2)] == [9, 9]


@pytest.mark.django_db(transaction=True)
@on_postgresql
def test_of_two_who_move_it_at_once_one_is_refused(daily, person):
    at, seen = FIRST + DAY, daily.revision

    def act():
        return actions.move(daily, at, wall(at + HOUR), scope=LATER, by=person, seen=seen)

    answers = at_once(act, act)
    assert sum(isinstance(answer, Refused) for answer in answers) == 1
    assert Schedule.objects.count() == 2


CHANGES = st.dictionaries(
    st.integers(0, 9),
    st.one_of(
        st.just(Change(skips=True)),
        st.integers(1, 70).map(lambda hours: Change(due_at=FIRST + hours * HOUR + HOUR / 2)),
        st.just(Change(text="Other")),
    ),
    max_size=4,
)


@given(
    kind=st.sampled_from(["daily", "weekly"]),
    asked=st.tuples(
        st.integers(0, 6), st.integers(-20, 20).filter(bool), st.sampled_from(list(Scope))
    ),
    changes=CHANGES,
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_time_is_lost_and_none_goes_twice(make, person, kind, asked, changes):
    number, hours, scope = asked
    OccurrenceChange.objects.all().delete()
    Schedule.objects.all().delete()
    row = make(timing_kind=kind, weekdays=list(range(7)))
    for day, change in changes.items():
        try:
            change_one(row, FIRST + DAY * day, change, by=person)
        except Refused:
            continue
    wanted = {each.appointed_at: each.change for each in row.changes.all()}
    named = FIRST + DAY * number
    try:
        move(row, named, named + hours * HOUR, scope, person)
    except Refused:
        reject()
    since = {ALL: FIRST, LATER: named, Scope.ONE: FIRST + 99 * DAY}[scope]
    expected = []
    for day in range(30):
        at = FIRST + DAY * day
        change = wanted.get(at, Change())
        if at == named:
            change = Change(text=change.text)
        if not change.skips:
            expected.append(
                change.due_at or (at + hours * HOUR if at >= since or at == named else at)
            )
    expected = sorted(expected)[:20]
    assert going(20) == expected
