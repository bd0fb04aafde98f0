"""Of hundreds of schedules the calendar shows some one by one, and of the rest how many."""

from collections import Counter
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from schedules.actions import change_one, register
from schedules.models import Schedule
from schedules.recurrence import Change
from schedules.shown.calendar import ahead, entries, more
from schedules.shown.calendar.asked import Narrowing
from schedules.shown.calendar.entries import entries_of
from tests.schedules.approving import demand

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TIMINGS = [
    {"timing_kind": "daily", "time": time(9, 0)},
    {"timing_kind": "daily", "time": time(9, 5)},
    {"timing_kind": "daily", "time": time(23, 50)},
    {"timing_kind": "daily", "time": time(0, 10), "zone": "Asia/Seoul"},
    {"timing_kind": "daily", "time": time(0, 40), "zone": "Asia/Seoul"},
    {"timing_kind": "daily", "time": time(3, 0), "zone": "America/New_York"},
    {"timing_kind": "weekly", "time": time(10, 0), "weekdays": [0, 3]},
    {"timing_kind": "weekly", "time": time(11, 0), "weekdays": [3, 0]},
    {"timing_kind": "monthly", "time": time(8, 0), "day_of_month": 32},
    {"timing_kind": "interval", "time": None, "every_minutes": 30},
    {"timing_kind": "cron", "time": None, "cron": "0 7 * * 1-5"},
]


@pytest.fixture
def many(make_schedule, clerk):
    """One of each rhythm, twice; some end, leave holidays out, or have a time that was changed."""
    made = []
    for number, timing in enumerate(TIMINGS * 2):
        values = {"date": None, "text": f"{number}", "title": f"Notice {number}"} | timing
        if number % 5 == 4:
            values["holiday_country"] = "TW"
        made.append(register(make_schedule(**values), by=clerk))
    first = made[0]
    change_one(first, first.next_due_at, Change(skips=True), by=clerk)
    ended = made[1].next_due_at + 5 * DAY
    Schedule.objects.filter(pk=made[1].pk).update(valid_until=ended)
    return made


@pytest.fixture
def look(clerk, now):
    def at(days=42, offset=0, **narrowing):
        asked = Narrowing(narrowing, by=clerk).asked(*_range(now, days, offset))
        return asked, entries_of(asked, now)

    return at


def _range(now, days, offset) -> tuple[date, date]:
    first = now.date() + offset * DAY
    return first, first + days * DAY


def counts(asked, shown) -> Counter:
    """By day and state, of what is shown and what is not."""
    zone = ZoneInfo(asked.zone)
    found = Counter((row.due_at.astimezone(zone).date(), row.state) for row in shown.entries)
    for day, states in shown.more.items():
        found.update({(day, state): count for state, count in states.items()})
    return found


@pytest.mark.parametrize("days", [(42, 0), (7, 3), (1, 1), (42, 40)])
@pytest.mark.parametrize("least", [1, 7])
def test_what_is_counted_is_what_would_be_shown(many, look, monkeypatch, days, least):
    monkeypatch.setattr(ahead, "SCHEDULES", (500, 500))
    whole = look(*days)
    assert not whole[1].more and not whole[1].until
    monkeypatch.setattr(ahead, "SCHEDULES", (least, least))
    part = look(*days)
    assert part[1].more and len(part[1].entries) < len(whole[1].entries)
    assert counts(*part) == counts(*whole)
    assert part[1].least_from is None


def test_what_is_beyond_the_times_that_are_looked_at_is_counted_too(many, look, monkeypatch):
    whole = look(14, 1)
    monkeypatch.setattr(ahead, "LOOKED_AT", 40)
    part = look(14, 1)
    assert part[1].until is not None
    assert counts(*part) == counts(*whole)


def test_a_day_with_more_than_it_shows_says_how_many(many, look, monkeypatch):
    whole = look(7, 1)
    monkeypatch.setattr(entries, "OF_A_DAY", (3, 3))
    part = look(7, 1)
    assert counts(*part) == counts(*whole)


def test_what_waits_is_told_apart(make_schedule, clerk, world, look, monkeypatch):
    for number in range(4):
        if number == 2:
            demand(world.taipei)
        values = {"timing_kind": "daily", "date": None, "time": time(9), "text": f"{number}"}
        register(make_schedule(**values), by=clerk)
    monkeypatch.setattr(ahead, "SCHEDULES", (1, 1))
    _asked, shown = look(3, 1)
    assert {tuple(sorted(states.items())) for states in shown.more.values()} == {
        (("planned", 1), ("waiting", 1))
    }
    _asked, shown = look(3, 1, state="waiting")
    assert {tuple(states.items()) for states in shown.more.values()} == {(("waiting", 1),)}


def test_what_cannot_be_counted_is_at_least_so_much(many, look, monkeypatch):
    monkeypatch.setattr(ahead, "SCHEDULES", (1, 1))
    monkeypatch.setattr(more, "COUNTED", 3)
    _asked, shown = look(7, 1)
    assert shown.least_from is not None
    assert shown.more_in_words(shown.least_from)[0].startswith(("at least", "More may come"))
    monkeypatch.setattr(more, "COUNTED", 500)
    monkeypatch.setattr(more, "LOOKED_AT", 3)
    _asked, shown = look(7, 1)
    assert shown.least_from is not None


def test_hundreds_of_alike_ones_cost_no_more_questions(make_schedule, clerk, look, monkeypatch):
    monkeypatch.setattr(ahead, "SCHEDULES", (1, 1))

    def fill(count, label):
        for number in range(count):
            values = {"timing_kind": "daily", "date": None, "time": time(9, number % 60)}
            register(make_schedule(**values, text=f"{label} {number}"), by=clerk)

    def asked():
        with CaptureQueriesContext(connection) as found:
            look(42, 1)
        return len(found)

    fill(3, "few")
    few = asked()
    fill(29, "many")
    assert asked() == few


def test_the_page_and_the_feed_say_how_much_each_day_has(many, clerk, client, monkeypatch, now):
    monkeypatch.setattr(ahead, "SCHEDULES", (1, 1))
    client.force_login(clerk)
    day = now.date() + 2 * DAY
    address = f"/admin/calendar/events/?start={day}&end={day + DAY}"
    words, by_state, count = client.get(address).json()["more"][str(day)]
    assert words == f"{count} not shown" and f"scheduled: {count}" in by_state
    page = client.get(f"/admin/calendar/?view=list&date={day}").text
    assert f'href="?view=day&amp;date={day}">{words}</a>' in page
    assert "each day says how much" in page
