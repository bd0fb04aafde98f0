"""The figures of the start page: each is the number of rows in the list that it opens."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orgs.clock import database_now
from schedules import actions
from schedules.models import Delivery, Schedule
from schedules.outcomes.keep import keep_up
from schedules.shown import windows
from schedules.shown.cards import percent
from schedules.shown.trend import trend_of
from tests.conftest import World

pytestmark = pytest.mark.django_db

START = "/admin/"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

Logged = Callable[..., Delivery]


@pytest.fixture
def some(world: World, logged: Logged) -> datetime:
    """Some weeks of deliveries of two branches. Returns the time of the last."""
    now = database_now()
    states = ["sent", "sent", "confirmed", "failed", "unconfirmed", "skipped"]
    for number in range(36):
        at = now - timedelta(minutes=1) - number * 31 * HOUR
        unit = world.tainan if number % 4 == 3 else world.xinyi
        kind = "weekly" if number % 3 else "hand"
        logged(unit, at, states[number % len(states)], kind=kind, is_test=number % 7 == 6)
    logged(world.xinyi, now - timedelta(minutes=2))
    # In these weeks in Seoul, in those before in Taipei, where midnight comes an hour later.
    logged(world.xinyi, windows.start_of("weeks", "Asia/Seoul", now) + HOUR / 2)
    keep_up(now - 80 * DAY)
    while keep_up(now):
        pass
    return now


def page_of(client: Client, world: World, person: str) -> Any:
    client.force_login(world.people[person])
    return client.get(START)


def listed(client: Client, address: str) -> int:
    page = client.get(address)
    assert page.status_code == 200, address
    return int(page.context["cl"].result_count)


@pytest.mark.parametrize("person", ["hq", "xinyi", "tainan"])
def test_each_figure_opens_as_many_rows_as_it_says(
    client: Client, world: World, some: datetime, person: str
) -> None:
    page = page_of(client, world, person)
    figures = page.context["figures"]
    told = [(card.number, card.address) for card in page.context["cards"][:-1]]
    told += [(hour.sent, hour.address) for _name, hours in figures.week for hour in hours]
    told += [(line.counts.sent, line.address) for _title, lines in figures.sorts for line in lines]
    told.append((page.context["success"].counts.sent, page.context["success"].address))
    told = [(number, address) for number, address in told if address]
    assert sum(number for number, _address in told) > 3
    assert [listed(client, address) for _n, address in told] == [number for number, _a in told]


def test_the_units_of_others_are_in_no_figure(client: Client, world: World, some: datetime) -> None:
    within = {"hq": [world.xinyi, world.tainan], "taipei": [world.xinyi], "tainan": [world.tainan]}
    seen, expected = {}, {}
    for person, units in within.items():
        # Weeks begin at midnight where the person is: an hour later in Taipei than in Seoul.
        first = windows.start_of("weeks", getattr(world, person).zone, some)
        own = Delivery.objects.filter(
            is_test=False, due_at__gte=first, unit_path__in=[unit.path for unit in units]
        )
        expected[person] = own.count()
        seen[person] = page_of(client, world, person).context["figures"].total.total
    assert seen == expected
    assert 0 < seen["tainan"] < seen["taipei"] < seen["hq"]


def test_days_before_are_told_apart_from_these(
    client: Client, world: World, some: datetime
) -> None:
    figures = page_of(client, world, "hq").context["figures"]
    first = windows.start_of("weeks", "Asia/Seoul", some)
    rows = Delivery.objects.filter(is_test=False, due_at__gte=first - 28 * DAY)
    these, before = rows.filter(due_at__gte=first).count(), rows.filter(due_at__lt=first).count()
    assert (figures.total.total, figures.before.total) == (these, before)
    assert sum(day.counts.total for day in figures.days) == these
    assert sum(day.before.total for day in figures.days) == before > 0


def test_many_rows_ask_no_more_than_few(client: Client, world: World, logged: Logged) -> None:
    now = database_now()
    keep_up(now - 80 * DAY)

    def asked(rows: int) -> int:
        for number in range(rows):
            logged(world.xinyi if number % 2 else world.tainan, now - number * 5 * HOUR, "failed")
        while keep_up(now):
            pass
        page_of(client, world, "hq")
        with CaptureQueriesContext(connection) as queries:
            client.get(START)
        return len(queries)

    few = asked(1)
    assert asked(30) == few


def test_the_lane_shows_what_goes_within_the_hour(
    client: Client, world: World, make_schedule: Callable[..., Schedule]
) -> None:
    for title, due_in in (("Soon", 605), ("As soon", 610), ("Later", 1805), ("Tomorrow", 90_000)):
        draft = make_schedule(title=title, text=title, due_in=due_in)
        actions.register(draft, by=world.people["xinyi"])
    page = page_of(client, world, "taipei")
    lane = page.context["lane"]
    assert lane.total == listed(client, page.context["lane_address"]) == 3
    assert [bar.number for bar in lane.bars] in ([2, 1], [1, 1, 1])
    assert page_of(client, world, "tainan").context["lane"].total == 0


def test_nothing_on_it_needs_an_inline_script_or_style(
    client: Client, world: World, some: datetime
) -> None:
    body = page_of(client, world, "hq").content.decode()
    own = body[body.index("teiji-start") :].partition("</main>")[0]
    assert not re.search(r"<script(?![^>]* src=)|\son\w+=|\sstyle=", own)
    assert "As a table" in own
    assert unescape(own).count('role="img"') >= 2


def test_a_new_unit_is_told_why_there_is_nothing(client: Client, world: World) -> None:
    body = page_of(client, world, "xinyi").content.decode()
    assert "there is no success to show yet" in body
    assert "the hours fill with the first message" in body


@pytest.mark.parametrize("asked", ["7-0", "0-24", "x", "0-9-1", "'"])
def test_an_hour_that_there_is_not_narrows_nothing(
    client: Client, world: World, some: datetime, asked: str
) -> None:
    client.force_login(world.people["hq"])
    address = "/admin/schedules/delivery/?appointed=all"
    assert listed(client, f"{address}&hour={asked}") == listed(client, address)


def test_hours_of_a_week_are_those_of_the_clock_also_where_it_is_changed() -> None:
    now = datetime(2026, 3, 30, 12, tzinfo=UTC)  # the day after Berlin's clocks went forward
    sundays = {hour: windows.hours(6, hour, "Europe/Berlin", now) for hour in (1, 2, 3)}
    assert {hour: len(found) for hour, found in sundays.items()} == {1: 16, 2: 12, 3: 16}


@pytest.mark.parametrize(
    ("share", "words"),
    [(None, "–"), (1.0, "100 %"), (0.99999, "99.9 %"), (0.987, "98.7 %"), (0.5, "50 %")],
)
def test_what_is_not_all_is_never_called_all(share: float | None, words: str) -> None:
    assert percent(share) == words


def test_a_day_without_anything_leaves_a_gap_and_one_alone_is_a_bar() -> None:
    trend = trend_of([1.0, None, 0.9, 0.95], [None, None, None, None])
    assert trend.lines == ["666.7,200.0 1000.0,100.0"]
    assert trend.bars == ["M0.0,0.0V200"]
    assert (trend.before, trend.floor) == ([], 0.9)
