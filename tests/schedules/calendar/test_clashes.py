"""Clashes in a room: marked in the calendar, and the others named as far as the reader reaches."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from channels.models import Room
from schedules.actions import begin_edit, register
from schedules.bookings.slots import Bounds, Limit
from schedules.models import OccurrenceChange, Schedule
from schedules.shown.calendar.asked import Narrowing
from schedules.shown.calendar.clashes import clashes_at, clashes_of
from schedules.shown.calendar.clashing import Message, clashing
from schedules.shown.calendar.entries import entries_of

DAY = timedelta(days=1)
AT = datetime(2027, 3, 10, 9, tzinfo=UTC)


def minutes(*numbers):
    return [Message(AT + timedelta(minutes=at), pk) for pk, at in enumerate(numbers)]


def told(messages, **bounds):
    found = clashing(messages, Bounds("UTC", **bounds), 1)
    return {
        (one.schedule_id, clash.limit): {each.schedule_id for each in clash.others}
        for one, clash in found
    }


def test_two_closer_than_the_interval_clash_with_each_other():
    near = told(minutes(0, 4, 30), interval=timedelta(minutes=5))
    assert near == {(0, Limit.INTERVAL): {1}, (1, Limit.INTERVAL): {0}}
    assert told(minutes(0, 5), interval=timedelta(minutes=5)) == {}


def test_what_is_over_the_days_number_clashes_with_all_of_that_day():
    assert told(minutes(0, 60, 120, 24 * 60), cap=2) == {(2, Limit.CAP): {0, 1}}


@given(st.lists(st.integers(0, 300), max_size=12), st.integers(1, 60))
def test_nearness_is_mutual_and_complete(numbers, apart):
    interval = timedelta(minutes=apart)
    messages = minutes(*numbers)
    near = told(messages, interval=interval)
    for one in messages:
        others = {other.schedule_id for other in messages
                  if other != one and abs(other.at - one.at) < interval}  # fmt: skip
        assert near.get((one.schedule_id, Limit.INTERVAL), set()) == others


@pytest.fixture
def pair(db, world, make_schedule):
    """At 09:00 and 09:02 to a room that wants five minutes; the second is headquarters’."""
    Room.objects.filter(pk=world.room.pk).update(min_interval_seconds=300)
    timing = {"timing_kind": "daily", "date": None, "zone": "Asia/Taipei"}
    hq = world.people["hq"]
    mine = register(make_schedule(**timing, time=time(9), title="Mine"), by=hq)
    above = make_schedule(**timing, time=time(9, 2), title="Secret", unit=world.hq, text="Other")
    return mine, register(above, by=hq)


def seen(by, now, days=3):
    asked = Narrowing({}, by=by).asked(now.date() + DAY, now.date() + DAY * (days + 1))
    shown = entries_of(asked, now)
    return shown, clashes_of(asked, shown, now)


def test_who_reaches_both_sees_each_named_at_the_other(pair, world, now):
    shown, found = seen(world.people["hq"], now)
    assert {entry.title: found[entry.message] for entry in shown.entries} == {
        "Mine": "“Secret”", "Secret": "“Mine”"
    }  # fmt: skip


def test_what_is_out_of_reach_is_another_schedule(pair, world, clerk, now, desk):
    shown, found = seen(clerk, now)
    assert {entry.title for entry in shown.entries} == {"Mine"}
    assert set(found.values()) == {"another schedule"}
    mine, _above = pair
    at = shown.entries[0].due_at
    (line,) = clashes_at(mine, [at], by=clerk, now=now)[at]
    assert line == "Xinyi room has another schedule too close to it, at 09:02:00."
    first = str(now.date() + DAY)
    feed = desk.get(reverse("calendar-events"), {"start": first, "end": str(now.date() + 3 * DAY)})
    assert feed.json()["events"][0]["clash"] == "another schedule"
    assert "Secret" not in feed.content.decode()
    page = desk.get(reverse("calendar"), {"view": "list", "date": first}).content.decode()
    assert "clashes with another schedule" in page and "Secret" not in page


def test_a_draft_at_the_very_same_second_is_told_of_the_other_not_of_itself(
    pair, world, make_schedule, now
):
    mine, _above = pair
    timing = {"timing_kind": "daily", "date": None, "zone": "Asia/Taipei", "time": time(9)}
    draft = make_schedule(**timing, title="Draft", unit=world.hq, text="Third")
    lines = clashes_at(draft, [mine.next_due_at], by=world.people["hq"], now=now)
    assert lines == {
        mine.next_due_at: ["Xinyi room has “Mine”, “Secret” too close to it, at 09:00:00."]
    }


def test_the_dialog_says_it_of_the_time_to_which_it_is_dragged(pair, desk):
    mine, _above = pair
    at = mine.next_due_at + DAY
    address = reverse("calendar-time", args=[mine.pk])
    day = (at + timedelta(hours=8)).date()
    values = {"at": at.isoformat(), "zone": "Asia/Taipei"}
    for to, clashes in (("09:04:00", True), ("11:00:00", False)):
        page = desk.get(address, {**values, "to": f"{day}T{to}"}).content.decode()
        assert ("too close to it" in page) is clashes


def test_as_many_questions_for_many_as_for_few(world, make_schedule, now):
    hq = world.people["hq"]
    Room.objects.filter(pk=world.room.pk).update(min_interval_seconds=300)

    def fill(first, count):
        for number in range(first, first + count):
            values = {"timing_kind": "daily", "time": time(3, number), "date": None}
            register(make_schedule(**values, text=f"Text {number}"), by=hq)

    def questions():
        with CaptureQueriesContext(connection) as found:
            assert seen(hq, now)[1]
        return len(found)

    fill(0, 2)
    few = questions()
    fill(2, 28)
    assert questions() == few


def test_registration_and_the_page_of_a_schedule_name_clashes_of_the_next_times(
    pair, make_schedule, clerk, world, client
):
    mine, _above = pair
    client.force_login(world.people["hq"])
    page = client.get(reverse("admin:schedules_schedule_change", args=[mine.pk])).content.decode()
    assert page.count("has “Secret” too close to it, at 09:02:00") == 3
    draft = make_schedule(
        timing_kind="daily", date=None, zone="Asia/Taipei", time=time(9, 6), title="New", text="3"
    )
    page = client.get(reverse("wizard-step", args=[draft.pk, "timing"])).content.decode()
    assert page.count("has “Secret” too close to it, at 09:02:00") == 3


def test_an_edited_copy_does_not_clash_with_what_it_edits(pair, world, now):
    mine, above = pair
    hq = world.people["hq"]
    copy = begin_edit(mine, by=hq)
    (line,) = clashes_at(copy, [mine.next_due_at], by=hq, now=now)[mine.next_due_at]
    assert "Secret" in line and "Mine" not in line
    assert clashes_at(begin_edit(above, by=hq), [], by=hq, now=now) == {}


def test_the_dialog_says_what_a_typed_time_would_do_and_keeps_nothing_of_it(pair, desk, world):
    mine, _above = pair
    at = mine.next_due_at + DAY
    local = at.astimezone(ZoneInfo("Asia/Taipei")).date()

    def said(clock, scope="one", day=local, **more):
        values = {"at": at.isoformat(), "time": f"{day}T{clock}", "scope": scope, **more}
        return desk.post(reverse("calendar-look", args=[mine.pk]), values)

    assert "too close to it, at 09:02:00" in said("09:05").content.decode()
    assert "Nothing stands in the way" in said("15:00").content.decode()
    assert said("09:00").content.decode().strip() == "", "as it is"
    assert "It becomes two schedules" in said("15:00", scope="later").content.decode()
    assert "This time has passed" in said("09:00", day="2020-01-01").content.decode()
    assert "Choose a date" in said("").content.decode()
    assert said("15:00", scope="single").status_code == 404
    assert not OccurrenceChange.objects.exists() and Schedule.objects.count() == 2
    for who, code in (("tainan", 404), ("stranger", 404)):
        desk.force_login(world.people[who])
        assert said("15:00").status_code == code
