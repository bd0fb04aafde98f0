"""What the calendar shows: runs that were, times that come, within reach and bounds."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orgs.models import Member
from schedules.actions import change_one, register
from schedules.models import Run, Schedule
from schedules.recurrence import Change
from schedules.shown.calendar import ahead, entries
from schedules.shown.calendar.asked import Narrowing, Place
from schedules.shown.calendar.entries import entries_of

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def look(clerk, now):
    """The entries of the week from tomorrow on, or of other days."""

    def at(by=None, first=None, days=7, **narrowing):
        narrowed = Narrowing(
            {name: str(value) for name, value in narrowing.items()}, by=by or clerk
        )
        first = first or now.date() + DAY
        return entries_of(narrowed.asked(first, first + DAY * days), now)

    return at


def make_run(schedule, at, **values):
    facts = {
        "unit_path": schedule.unit.path, "zone": schedule.zone, "planned_at": at,
        "title": schedule.title, "state": "sent", "kind": "daily",
    }  # fmt: skip
    return Run.objects.create(schedule=schedule, due_at=at, **facts | values)


def test_each_coming_time_stands_on_its_day(daily, look, now):
    shown = look()
    tomorrow = now.date() + DAY
    assert [row.due_at for row in shown.entries] == [
        datetime.combine(tomorrow + DAY * number, time(1), UTC) for number in range(7)
    ]
    assert {row.state for row in shown.entries} == {"planned"}
    assert not (shown.full_days or shown.has_more_schedules or shown.until)


def test_a_moved_and_a_left_out_one_stand_as_they_go(daily, look, clerk):
    first, second, *_ = [row.due_at for row in look().entries]
    change_one(daily, first, Change(due_at=first + timedelta(hours=2)), by=clerk)
    change_one(daily, second, Change(skips=True), by=clerk)
    moved, left_out, *_ = look().entries
    assert (moved.due_at, moved.is_moved) == (first + timedelta(hours=2), True)
    assert (left_out.due_at, left_out.state) == (second, "skipped")
    assert "a person left this one out" in left_out.why


def test_what_went_is_shown_by_its_runs_and_cannot_be_moved(daily, look, now):
    run = make_run(daily, now - 2 * DAY, state="failed", reason="quiet")
    (entry,) = look(first=(now - 3 * DAY).date(), days=4, state="failed").entries
    assert (entry.run_id, entry.state, entry.may_move) == (run.pk, "failed", False)
    assert entry.why == "quiet hours"


def test_what_is_planned_already_is_shown_once(daily, look):
    at = daily.next_due_at
    make_run(daily, at, state="planned")
    found = look(first=at.date(), days=2).entries
    assert [row.due_at for row in found].count(at) == 1


def test_what_waits_for_approval_is_marked(daily, look):
    Schedule.objects.filter(pk=daily.pk).update(state="waiting")
    assert {(row.state, row.may_move) for row in look().entries} == {("waiting", False)}


def test_many_times_a_day_are_one_entry_of_that_day(make_schedule, clerk, look):
    often = {"timing_kind": "interval", "every_minutes": 5, "date": None, "time": None}
    register(make_schedule(**often), by=clerk)
    shown = look(days=3).entries
    assert [row.is_often for row in shown] == [True] * 3
    assert not any(row.may_move for row in shown)


@pytest.mark.parametrize("who", ["tainan", "south", "stranger"])
def test_who_does_not_reach_it_sees_nothing(daily, look, world, who, now):
    make_run(daily, now - DAY)
    for first in (now.date() - DAY, now.date() + DAY):
        assert look(by=world.people[who], first=first).entries == []
        assert look(by=world.people["hq"], first=first).entries != []


def test_filters_narrow_runs_and_coming_times_alike(daily, look, world, now):
    hq = world.people["hq"]
    make_run(daily, now - DAY)
    first = (now - 2 * DAY).date()

    def count(**narrowing):
        return len(look(by=hq, first=first, days=5, **narrowing).entries)

    assert count(unit=world.xinyi.pk) == count() > 2
    assert count(unit=world.south.pk) == 0
    assert count(room=world.tainan_room.pk) == 0
    assert count(room=world.room.pk) == count() - 1, "that run went to no room"
    assert count(state="sent") == 1
    assert count(state="planned") == count() - 1
    assert count(kind="weekly") == 0
    assert count(kind="nonsense") == count(unit=999_999) == count(room="x") == 0


def test_a_unit_out_of_reach_narrows_to_nothing_and_is_not_offered(daily, clerk, look, world):
    assert look(unit=world.south.pk).entries == []
    offered = [name for _pk, name in Narrowing({}, by=clerk).units]
    assert [name.strip("\u2007") for name in offered] == ["Xinyi"]


def test_a_full_day_is_cut_and_said(daily, look, now, monkeypatch):
    monkeypatch.setattr(entries, "MOST", 2)
    monkeypatch.setattr(entries, "OF_A_DAY", (2, 2))
    day = (now - 2 * DAY).replace(hour=2, minute=0, second=0, microsecond=0)
    for minute in range(4):
        make_run(daily, day + timedelta(minutes=minute))
    shown = look(first=day.date(), days=1)
    assert len(shown.entries) == 2
    assert shown.full_days == {day.date()}


def test_more_schedules_or_times_than_are_looked_at_are_said(
    make_schedule, clerk, look, monkeypatch
):
    for number in range(3):
        make = make_schedule(timing_kind="daily", time=time(number), date=None, text=f"{number}")
        register(make, by=clerk)
    monkeypatch.setattr(ahead, "SCHEDULES", (2, 2))
    assert look().has_more_schedules
    monkeypatch.setattr(ahead, "SCHEDULES", (3, 3))
    monkeypatch.setattr(ahead, "LOOKED_AT", 5)
    shown = look()
    assert len(shown.entries) == 5
    assert shown.until is not None and not shown.has_more_schedules


def test_the_same_number_of_questions_for_few_and_for_many(make_schedule, clerk, look, now):
    def fill(count, label):
        for number in range(count):
            make = make_schedule(
                timing_kind="daily", time=time(3, number), date=None, text=f"{label} {number}"
            )
            make_run(register(make, by=clerk), now - DAY)

    def asked():
        with CaptureQueriesContext(connection) as found:
            look(first=(now - 2 * DAY).date(), days=14)
        return len(found)

    fill(1, "one")
    few = asked()
    fill(29, "many")
    assert asked() == few


def test_a_day_is_one_of_the_clock_of_the_zone(daily, look, world):
    Member.objects.filter(user=world.people["hq"]).update(unit=world.hq)
    (entry,) = look(by=world.people["hq"], days=1).entries
    assert entry.due_at.hour == 1
    by_day = look(by=world.people["hq"], days=3).by_day(
        Narrowing({}, by=world.people["hq"]).asked(
            entry.due_at.date(), entry.due_at.date() + 3 * DAY
        )
    )
    assert all(len(rows) == 1 for rows in by_day.values())


def test_a_month_begins_with_the_week_of_its_first():
    place = Place("month", date(2026, 11, 26))
    assert (place.first, place.last) == (date(2026, 11, 1), date(2026, 12, 13))
    assert place.moved(1).day == date(2026, 12, 1)
    assert place.moved(-1).day == date(2026, 10, 1)
    assert Place.of({"view": "nonsense", "date": "x"}, date(2026, 1, 2)) == Place(
        "month", date(2026, 1, 2)
    )
