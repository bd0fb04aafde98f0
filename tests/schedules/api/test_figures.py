"""Figures and limits in the API: the very numbers of the pages."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from channels.models import Account, QuotaReading
from logs.models import Attempt
from logs.stats.lateness import PROMISE
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Role
from schedules.outcomes.keep import keep_up
from schedules.shown import windows
from tests.schedules.api.calling import caller

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def some(world, logged):
    """Some weeks of deliveries of two branches."""
    now = database_now()
    states = ["sent", "sent", "confirmed", "failed", "unconfirmed", "skipped"]
    for number in range(40):
        unit = world.tainan if number % 4 == 3 else world.xinyi
        kind = "weekly" if number % 3 else "hand"
        at = now - timedelta(minutes=1) - number * 31 * HOUR
        logged(unit, at, states[number % 6], kind=kind)
    while keep_up(now):
        pass


@pytest.mark.parametrize("person", ["hq", "xinyi", "tainan"])
def test_stats_are_the_figures_of_the_start_page(world, some, person):
    client = Client()
    client.force_login(world.people[person])
    page = client.get("/admin/").context
    stats = caller(world.people[person]).get("/stats").json()
    figures = page["figures"]
    assert [card.number for card in page["cards"]] == [
        stats["due_today"], stats["today"]["sent"], stats["last_7_days"]["sent"],
        stats["last_7_days"]["failed"], stats["not_confirmed"],
    ]  # fmt: skip
    assert stats["last_28_days"]["success"] == figures.total.success
    assert stats["the_28_days_before"]["sent"] == figures.before.sent
    assert stats["last_28_days"]["sent"] > 0


@pytest.mark.parametrize("person", ["hq", "xinyi", "tainan"])
def test_analytics_add_up_to_stats(world, some, person):
    api = caller(world.people[person])
    stats, found = api.get("/stats").json(), api.get("/analytics").json()
    for name in ("sent", "failed", "unconfirmed", "skipped"):
        total = stats["last_28_days"][name]
        parts = ("days", "by_channel", "by_kind", "by_strategy")
        assert {part: sum(one[name] for one in found[part]) for part in parts} == dict.fromkeys(
            parts, total
        )
        assert sum(one[name] for one in found["days_before"]) == stats["the_28_days_before"][name]
    assert sum(one["sent"] for one in found["hours"]) == stats["last_28_days"]["sent"]
    days = [one["day"] for one in found["days_before"] + found["days"]]
    assert days == sorted(set(days))
    assert len(days) == 56
    assert days[-1] == windows.today(found["zone"], database_now()).isoformat()
    assert {one["name"] for one in found["by_kind"]} == {"weekly", "hand"}


def test_nobody_sees_figures_of_others(world, some):
    Unit.objects.update(zone="Asia/Seoul")  # one clock: where the days end decides what is counted
    api = caller(world.people["north"])
    both = caller(world.people["hq"]).get("/stats").json()["last_28_days"]
    own = api.get("/stats").json()["last_28_days"]
    south = caller(world.people["south"]).get("/stats").json()["last_28_days"]
    assert {n: own[n] + south[n] for n in ("sent", "failed")} == {
        n: both[n] for n in ("sent", "failed")
    }
    for path in ("/stats", "/analytics", "/punctuality"):
        assert caller(world.people["stranger"]).get(path).status_code == 403


def test_punctuality_is_that_of_its_page(world, logged):
    found = caller(world.person(world.xinyi, Role.VIEWER)).get("/punctuality").json()
    assert found["promise"] == {"p50_ms": PROMISE.p50, "p99_ms": PROMISE.p99}
    assert len(found["days"]) == 30
    assert found["total"] == {"count": 0, "p50_ms": None, "p99_ms": None, "worst_ms": None,
                              "early": 0, "is_kept": True}  # fmt: skip


def test_a_room_says_what_it_bears_and_what_is_taken(world, logged):
    type(world.room).objects.filter(pk=world.room.pk).update(
        daily_cap=3, min_interval_seconds=30, quiet_from="22:00", quiet_until="08:00"
    )
    noon = windows.midnight(windows.today("Asia/Taipei", database_now()), "Asia/Taipei") + 12 * HOUR
    for number in range(2):
        logged(world.xinyi, noon + number * HOUR, "planned")
    logged(world.xinyi, noon, "skipped")
    logged(world.xinyi, noon + DAY, "planned")
    api = caller(world.people["xinyi"])
    day = windows.today("Asia/Taipei", database_now())
    assert api.get(f"/rooms/{world.room.pk}/limits").json() == {
        "zone": "Asia/Taipei", "interval_seconds": 30, "daily_cap": 3, "quiet_from": "22:00:00",
        "quiet_until": "08:00:00", "day": day.isoformat(), "taken": 2, "left": 1,
    }  # fmt: skip
    tomorrow = api.get(f"/rooms/{world.room.pk}/limits?day={day + DAY}").json()
    assert (tomorrow["taken"], tomorrow["left"]) == (1, 2)


def test_a_room_without_limits_has_as_much_left_as_one_likes(world):
    found = caller(world.people["xinyi"]).get(f"/rooms/{world.room.pk}/limits").json()
    assert (found["daily_cap"], found["left"], found["quiet_from"]) == (None, None, None)


@pytest.mark.parametrize("day", ["2026-02-30", "today", "0001-01-01", "9999-12-31"])
def test_a_day_must_be_one(world, day):
    api = caller(world.people["xinyi"])
    assert set(api.get(f"/rooms/{world.room.pk}/limits?day={day}").json()["errors"]) == {"day"}
    far = api.get(f"/rooms/{world.room.pk}/limits?day=9999-12-31").json()["errors"]
    assert far == {"day": ["Choose a year from 1971 to 9997."]}


def test_limits_of_a_foreign_room_answer_as_those_of_a_missing_one(world):
    api = caller(world.people["tainan"])
    foreign, missing = api.get(f"/rooms/{world.room.pk}/limits"), api.get("/rooms/999999/limits")
    assert (foreign.status_code, foreign.content) == (404, missing.content)


def test_an_account_says_what_it_may_send_and_what_is_taken(world, line_account, logged):
    now = database_now()
    read = {"limit": 500, "used": 90, "read_at": now, "tried_at": now}
    QuotaReading.objects.create(account=line_account, **read)
    today = windows.midnight(windows.today("Asia/Tokyo", now), "Asia/Tokyo")
    for at in (today, now, today - HOUR):
        values = {"account_id": line_account.pk, "due_at": at, "answered_at": at, "billed": 7}
        Attempt.objects.create(
            delivery_id=1, run_id=1, schedule_id=1, part=0, number=1, key=uuid4(), channel="line",
            unit_path=world.hq.path, outcome="accepted", **values,
        )  # fmt: skip
    logged(world.xinyi, now + HOUR, "planned", account=line_account, billed=20)
    api = caller(world.people["hq"])
    found = api.get(f"/accounts/{line_account.pk}/limits").json()
    month = api.get(f"/quota/{line_account.pk}").json()
    assert (found["zone"], found["day"]) == (
        "Asia/Tokyo", windows.today("Asia/Tokyo", now).isoformat()
    )  # fmt: skip
    assert found["sent_today"] == 14
    assert found["month"] == month
    assert (month["limit"], month["reserved"]) == (500, 20)
    assert found["rates"] == [
        {"endpoint": "multicast", "per_second": 200.0}, {"endpoint": "push", "per_second": 2000.0},
    ]  # fmt: skip


def test_an_account_has_its_own_rate_and_no_quota_where_nothing_is_billed(world):
    Account.objects.filter(pk=world.sandbox.pk).update(requests_per_second=3)
    found = caller(world.people["hq"]).get(f"/accounts/{world.sandbox.pk}/limits").json()
    assert found["rates"] == [{"endpoint": "send", "per_second": 3.0}]
    assert (found["sent_today"], found["month"]) == (None, None)


def test_limits_of_an_account_are_for_who_manages_it(world):
    for who in ("xinyi", "south"):
        api = caller(world.people[who])
        path = f"/accounts/{world.sandbox.pk}/limits"
        foreign, missing = api.get(path), api.get("/accounts/999999/limits")
        assert (foreign.status_code, foreign.content) == (404, missing.content)
