"""The page of the calendar, its feed, and the page of one time."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from channels.models import Room
from orgs.reach import Role
from schedules.actions import change_one, register
from schedules.admin import calendar
from schedules.models import HolidayException, Schedule
from schedules.recurrence import Change
from tests.schedules.approving import demand
from tests.schedules.calendar.test_entries import make_run
from tests.schedules.wizard.conftest import target

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
PART = {"X-Part": "dialog"}


@pytest.fixture
def daily(make_schedule, clerk):
    timing = {"timing_kind": "daily", "time": time(9), "date": None, "zone": "Asia/Taipei"}
    return register(make_schedule(**timing, title="Nine o’clock"), by=clerk)


@pytest.fixture
def feed(desk, now):
    def ask(days=3, **narrowing):
        first = now.date() + DAY
        query = {"start": str(first), "end": str(first + DAY * days), **narrowing}
        return desk.get(reverse("calendar-events"), query).json()

    return ask


def test_the_feed_speaks_in_wall_clock_times_of_the_zone_that_it_names(daily, feed, now):
    found = feed()
    assert found["zone"] == "Asia/Taipei"
    first = found["events"][0]
    assert first["start"] == f"{now.date() + DAY}T09:00:00"
    assert (first["title"], first["label"], first["movable"]) == ("Nine o’clock", "scheduled", True)


def test_the_feed_is_bounded(desk):
    for start, end in [("2026-01-01", "2027-01-01"), ("2026-02-01", "2026-01-01"), ("", "x"),
                       ("0001-01-01", "0001-01-09"), ("9999-12-01", "9999-12-31")]:  # fmt: skip
        answer = desk.get(reverse("calendar-events"), {"start": start, "end": end})
        assert answer.status_code == 400, (start, end)


def test_quiet_hours_holidays_and_a_rooms_load_are_told(daily, feed, world, now):
    Room.objects.filter(pk=world.room.pk).update(
        quiet_from=time(22), quiet_until=time(7), daily_cap=1
    )
    tomorrow = now.date() + DAY
    HolidayException.objects.create(country="TW", date=tomorrow, note="A feast")
    found = feed(room=world.room.pk)
    assert found["quiet"] == [["22:00", "24:00"], ["00:00", "07:00"]]
    assert list(found["holidays"]) >= [str(tomorrow)]
    assert found["loads"][str(tomorrow)] == ["1 of 1 messages", True, "1/1"]


def test_of_what_goes_often_a_rooms_load_is_at_least_so_much(
    daily, make_schedule, feed, world, now
):
    Room.objects.filter(pk=world.room.pk).update(daily_cap=0)
    tomorrow = str(now.date() + DAY)
    assert feed(room=world.room.pk)["loads"][tomorrow] == ["1 message", False, "1"]
    often = {"timing_kind": "interval", "every_minutes": 30, "date": None, "time": None}
    register(make_schedule(**often, text="Often", zone="Asia/Taipei"), by=world.people["xinyi"])
    assert feed(room=world.room.pk)["loads"][tomorrow] == ["at least 5 messages", False, "≥5"]
    Room.objects.filter(pk=world.room.pk).update(daily_cap=5)
    found = feed(room=world.room.pk)["loads"][tomorrow]
    assert found == ["at least 5 of 5 messages", True, "≥5/5"]


def test_the_page_names_the_zone_and_offers_what_is_within_reach(daily, desk, world):
    page = desk.get(reverse("calendar")).content.decode()
    assert "Times of Asia/Taipei" in page
    assert "Xinyi room" in page and "Tainan room" not in page


def test_the_list_has_every_day_and_links_to_each_time(daily, desk, now):
    page = desk.get(reverse("calendar"), {"view": "list", "date": str(now.date() + 9 * DAY)})
    assert page.content.decode().count("data-dialog>Nine o’clock</a>") == 7


def test_without_the_script_every_view_is_a_list_that_says_what_to_do(daily, desk, monkeypatch):
    monkeypatch.setattr(calendar, "SCRIPT", "fullcalendar/missing.js")
    page = desk.get(reverse("calendar"), {"view": "month"}).content.decode()
    assert "scripts/assets.py" in page
    assert "Nine o’clock" in page and "fullcalendar" not in page


def test_who_sees_no_schedules_has_no_calendar(client, world):
    client.force_login(world.people["stranger"])
    for name in ("calendar", "calendar-events"):
        assert client.get(reverse(name)).status_code == 404


def test_the_page_of_a_time_says_how_it_goes(daily, desk, clerk):
    at = daily.next_due_at + DAY
    change_one(daily, at, Change(due_at=at + timedelta(hours=2)), by=clerk)
    address = reverse("calendar-time", args=[daily.pk])
    page = desk.get(address, {"at": at.isoformat()}).content.decode()
    assert "11:00:00" in page and "A person put it here" in page
    part = desk.get(address, {"at": at.isoformat()}, headers=PART).content.decode()
    assert "11:00:00" in part and "<html" not in part


@pytest.mark.parametrize("at", ["", "never", "2027-01-01T00:00", "2027-01-01T00:00:01Z"])
def test_a_time_that_the_schedule_does_not_have_is_not_there(daily, desk, at):
    address = reverse("calendar-time", args=[daily.pk])
    assert desk.get(address, {"at": at}).status_code == 404


def test_what_was_sent_says_that_it_cannot_be_moved(daily, desk, now):
    run = make_run(daily, now - DAY, sent=1, total=2, failed=1, state="partial")
    page = desk.get(reverse("calendar-run", args=[run.pk])).content.decode()
    assert "1 of 2 sent" in page and "1 failed" in page
    assert "cannot be moved" in page


def test_dragging_what_was_sent_has_an_answer(daily, feed, desk, now):
    make_run(daily, now + DAY, state="sent")
    gone = {one["gone"] for one in feed()["events"] if not one["movable"]}
    assert gone == {True}
    page = desk.get(reverse("calendar"), {"view": "month"}).content.decode()
    assert 'data-say-sent="What was sent, or is being sent, cannot be moved."' in page


def test_limits_that_hold_a_time_are_said(daily, desk, world):
    Room.objects.filter(pk=world.room.pk).update(quiet_from=time(8), quiet_until=time(10))
    address = reverse("calendar-time", args=[daily.pk])
    page = desk.get(address, {"at": daily.next_due_at.isoformat()}).content.decode()
    assert "after the quiet hours" in page


def test_a_day_of_the_calendar_starts_a_draft(desk, world):
    day = date.today() + 20 * DAY  # noqa: DTZ011 - any day to come
    wanted = {"date": str(day), "time": "08:30", "zone": "Asia/Seoul"}
    begin = desk.get(reverse("wizard-add"), wanted)
    page = desk.get(begin["Location"])
    assert f"date={day}" in page.content.decode()
    desk.post(begin["Location"], target(world, title="From a day"))
    draft = Schedule.objects.get(title="From a day")
    assert (draft.date, draft.time, draft.zone) == (day, time(7, 30), "Asia/Taipei")


@pytest.mark.parametrize("query", [{"date": "x"}, {"date": "0001-01-01"}, {"time": "09:00"}])
def test_a_day_that_is_none_starts_a_draft_without(desk, query):
    assert "date" not in desk.get(reverse("wizard-add"), query)["Location"]


def test_a_day_alone_leaves_the_time_open(desk, world):
    begin = desk.get(reverse("wizard-add"), {"date": "2027-03-01", "time": "9", "zone": "Mars"})
    desk.post(begin["Location"], target(world, title="From a day"))
    draft = Schedule.objects.get(title="From a day")
    assert (draft.date, draft.time) == (date(2027, 3, 1), None)


def test_a_time_that_is_dragged_is_asked_about_on_the_schedules_own_clock(daily, desk):
    at = daily.next_due_at + DAY
    address = reverse("calendar-time", args=[daily.pk])
    dragged = {"at": at.isoformat(), "to": "2031-05-06T10:30:00", "zone": "Asia/Seoul"}
    page = desk.get(address, dragged, headers=PART).content.decode()
    assert 'value="2031-05-06T09:30:00"' in page
    for wrong in ({"zone": "Mars"}, {"zone": "Asia"}, {"to": "x"}, {"to": "9999-12-31T23:59:59"}):
        page = desk.get(address, dragged | wrong, headers=PART).content.decode()
        assert 'T09:00:00"' in page and "2031" not in page


def test_whoever_moves_one_in_the_calendar_comes_back_to_it(daily, desk):
    at = daily.next_due_at + DAY
    new = (at + timedelta(hours=10)).replace(tzinfo=None)  # Taipei is eight hours ahead
    answer = desk.post(
        reverse("admin:schedules_schedule_act", args=[daily.pk, "move-one"]),
        {"at": at.isoformat(), "time": new.isoformat(), "back": "?view=week&date=2031-05-06&x=//y"},
    )
    assert answer["Location"] == "/admin/calendar/?view=week&date=2031-05-06"
    page = desk.get(reverse("calendar-time", args=[daily.pk]), {"at": at.isoformat()})
    assert "11:00:00" in page.content.decode()


def test_a_viewer_is_offered_no_move(daily, client, world):
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    address = reverse("calendar-time", args=[daily.pk])
    page = client.get(address, {"at": daily.next_due_at.isoformat()}).content.decode()
    assert "/move/" not in page


@pytest.fixture
def once(make_schedule, clerk):
    return register(make_schedule(due_in=40 * 3600), by=clerk)


def test_a_message_that_goes_once_is_moved_as_a_whole(once, feed, desk):
    assert [event["movable"] for event in feed()["events"]] == [True]
    at = once.next_due_at
    address = reverse("calendar-time", args=[once.pk])
    page = desk.get(address, {"at": at.isoformat()}, headers=PART).content.decode()
    assert "/move/" in page and "/edit/" in page
    assert "leave-out-one" not in page and "those after" not in page
    answer = desk.post(*asked_to_move(once, at, at + DAY, "one"), headers=PART)
    assert answer["X-Go-To"] == "/admin/calendar/?view=week&date=2031-05-06"
    once.refresh_from_db()
    assert once.next_due_at == at + DAY


def test_a_message_that_goes_once_is_not_moved_twice_nor_into_the_past(once, desk):
    at = once.next_due_at
    move = asked_to_move(once, at, at + DAY, "one", seen=once.revision)
    desk.post(*move, headers=PART)
    assert "changed since" in desk.post(*move, headers=PART).content.decode()
    past = asked_to_move(once, at + DAY, at - 9 * DAY, "one")
    assert "has passed" in desk.post(*past, headers=PART).content.decode()
    once.refresh_from_db()
    assert once.next_due_at == at + DAY


def test_a_message_that_goes_once_is_no_series(once, desk):
    at = once.next_due_at
    assert desk.post(*asked_to_move(once, at, at + DAY, "later")).status_code == 404
    assert desk.post(*asked_to_move(once, at + DAY, at, "one")).status_code == 404


def test_who_needs_approval_is_told_that_the_moved_message_waits(once, desk, world):
    demand(world.xinyi)
    at = once.next_due_at
    page = desk.post(*asked_to_move(once, at, at + DAY, "one"), follow=True)
    assert "once it is approved" in page.content.decode()


def asked_to_move(row, at, to, scope, **more):
    return reverse("calendar-move", args=[row.pk]), {
        "at": at.isoformat(),
        "time": to.replace(tzinfo=None).isoformat(),
        "scope": scope,
        "back": "?view=week&date=2031-05-06",
        **more,
    }


@pytest.mark.parametrize("scope", ["later", "all"])
def test_more_than_one_is_looked_at_before_it_is_moved(daily, desk, scope):
    at = daily.next_due_at + DAY
    new = at + timedelta(hours=10)  # Taipei is eight hours ahead
    page = desk.post(*asked_to_move(daily, at, new, scope), headers=PART).content.decode()
    assert "Every day at 11:00" in page and "Move them" in page
    assert Schedule.objects.get().time == time(9)
    sure = asked_to_move(daily, at, new, scope, sure="yes", seen=daily.revision)
    answer = desk.post(*sure, headers=PART)
    assert answer.status_code == 204
    assert answer["X-Go-To"] == "/admin/calendar/?view=week&date=2031-05-06"
    assert Schedule.objects.count() == (2 if scope == "later" else 1)
    again = desk.post(*sure, headers=PART).content.decode()
    assert "changed since you looked" in again


def test_one_alone_is_moved_at_once_and_a_refusal_is_said_in_its_place(daily, desk):
    at = daily.next_due_at + DAY
    answer = desk.post(*asked_to_move(daily, at, at + timedelta(hours=10), "one"))
    assert answer["Location"] == "/admin/calendar/?view=week&date=2031-05-06"
    past = asked_to_move(daily, at, at - 9 * DAY, "one")
    page = desk.post(*past, headers=PART).content.decode()
    assert "It cannot go at that time. This time has passed." in page and 'role="alert"' in page
    assert "to=" in page, "the way back keeps what was asked"


@pytest.mark.parametrize("wrong", [{"scope": "x"}, {"at": "never"}])
def test_a_move_of_nothing_is_not_there(daily, desk, wrong):
    address, values = asked_to_move(daily, daily.next_due_at, daily.next_due_at, "one")
    assert desk.post(address, values | wrong).status_code == 404


def test_a_viewer_moves_no_series(daily, client, world):
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    at = daily.next_due_at + DAY
    assert client.post(*asked_to_move(daily, at, at + DAY, "later")).status_code == 404


@pytest.fixture
def friday(now: datetime) -> date:
    """Of one of the next weeks."""
    later = now.date() + 20 * DAY
    return later + DAY * ((4 - later.weekday()) % 7)


@pytest.fixture
def listed(desk: Client, friday: date, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The list of a week, on its Friday at noon."""
    noon = datetime.combine(friday, time(4), UTC)  # in Taipei
    monkeypatch.setattr(calendar, "database_now", lambda: noon)

    def get(**query: str) -> str:
        values = {"view": "list", "date": str(friday)} | query
        return desk.get(reverse("calendar"), values).content.decode()

    return get


def span(first: date, last: date) -> str:
    return f"{first} ({first:%a}) – {last} ({last:%a})"


def test_the_list_begins_where_something_is(make_schedule, clerk, friday, listed):
    at = {"date": friday + DAY, "time": time(9), "zone": "Asia/Taipei"}
    register(make_schedule(**at), by=clerk)
    page, sunday = listed(), friday - 5 * DAY
    assert f"{span(sunday, friday - DAY)}: nothing" in page
    assert page.count('<section class="cal-day') == 2
    assert "Next:" not in page
    assert f">{span(sunday, friday + DAY)}<" in page  # the title says the whole week


def test_a_week_in_which_nothing_is_left_says_what_comes_next(make_schedule, clerk, friday, listed):
    then = friday + 11 * DAY
    at = {"date": then, "time": time(9), "zone": "Asia/Taipei"}
    register(make_schedule(title="Opening", **at), by=clerk)
    link = f'href="?view=list&amp;date={then}">{then} ({then:%a}) 09:00:00 · Opening</a>'
    page = listed()
    assert "Next:" in page and link in page
    assert "Next:" not in listed(kind="daily")
    assert "Opening" not in listed(room="0") and "Opening" not in listed(unit="0")
    week_before = listed(date=str(friday - 7 * DAY))
    assert "Next:" not in week_before
    assert f"{span(friday - 12 * DAY, friday - 6 * DAY)}: nothing" in week_before


def test_what_comes_next_is_within_reach(make_schedule, clerk, friday, listed, world):
    at = {"date": friday + 11 * DAY, "time": time(9), "zone": "Asia/Taipei"}
    foreign = make_schedule(title="Foreign", unit=world.tainan, rooms=[world.tainan_room], **at)
    register(foreign, by=world.people["tainan"])
    assert "Next:" not in listed()
