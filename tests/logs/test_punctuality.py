"""The page “Punctuality”: figures within reach, beside the promise, in the reader's days."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from channels.adapters import registry
from logs.models import Tally
from logs.stats import punctuality
from logs.stats.punctuality import report, worst_of
from logs.stats.tally import SETTLED_AFTER, roll_up
from orgs.clock import database_now
from orgs.models import User
from orgs.reach import Role
from tests.conftest import World
from tests.logs.attempts import accepted

pytestmark = pytest.mark.django_db

PAGE = "/admin/logs/punctuality/"
NOON = datetime(2026, 1, 12, 4, 0, tzinfo=UTC)  # 13:00 in Seoul, 12:00 in Taipei


def count_all(now: datetime) -> None:
    for step in (now, now + SETTLED_AFTER):
        roll_up(step)


def shown(client: Client, person: User) -> Any:
    client.force_login(person)
    return client.get(PAGE)


def words(answer: Any) -> str:
    """The page as it is read."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


@pytest.mark.parametrize("is_counted", [True, False])
@pytest.mark.parametrize(
    ("person", "seen"),
    [("hq", [100, 9_000]), ("taipei", [100]), ("tainan", [9_000]), ("stranger", [])],
)
def test_people_see_the_figures_of_their_reach(
    world: World, person: str, seen: list[int], is_counted: bool
) -> None:
    accepted(world.xinyi, NOON, 100)
    accepted(world.tainan, NOON, 9_000)
    if is_counted:
        count_all(NOON)
    found = report(world.people[person], NOON)
    assert found.total.count == found.today.count == len(seen)
    assert found.total.worst_ms == (max(seen) if seen else None)
    late = [attempt.lateness_ms for attempt in worst_of(world.people[person], found.total)]
    assert late == sorted(seen, reverse=True)


def test_figures_of_somebody_else_lead_to_no_row_out_of_reach(world: World) -> None:
    accepted(world.tainan, NOON, 9_000)
    found = report(world.people["hq"], NOON).total
    assert len(worst_of(world.people["hq"], found)) == 1
    assert worst_of(world.people["xinyi"], found) == []


def test_a_sibling_s_late_message_is_nowhere_on_the_page(client: Client, world: World) -> None:
    now = database_now()
    accepted(world.xinyi, now, 100)
    accepted(world.tainan, now, 9_876, schedule_title="Sibling’s", channel="kakao")
    mine, theirs = (shown(client, world.people[name]) for name in ("xinyi", "tainan"))
    for word in ("9876", "Sibling", str(registry()["kakao"].label)):
        assert word not in mine.content.decode()
        assert word in theirs.content.decode()


def test_a_viewer_reads_it_and_a_stranger_does_not(client: Client, world: World) -> None:
    assert shown(client, world.person(world.xinyi, Role.VIEWER)).status_code == 200
    assert shown(client, world.people["stranger"]).status_code == 403
    assert client.post(PAGE).status_code == 403
    assert Client().get(PAGE).status_code == 302


def test_a_superuser_sees_all_in_the_zone_of_the_installation(world: World, settings: Any) -> None:
    settings.TIME_ZONE = "UTC"
    root = User.objects.create_superuser("root")
    accepted(world.xinyi, NOON, 100)
    count_all(NOON)
    accepted(world.tainan, NOON, 200)
    found = report(root, NOON)
    assert (found.zone, found.total.count) == ("UTC", 2)


@pytest.mark.parametrize("is_counted", [True, False])
def test_today_is_that_of_the_reader_s_unit(world: World, is_counted: bool) -> None:
    # It is the 13th in Seoul already, in Taipei still the 12th.
    midnight = datetime(2026, 1, 12, 15, 0, tzinfo=UTC)
    accepted(world.xinyi, midnight - timedelta(minutes=1), 10)
    accepted(world.xinyi, midnight + timedelta(minutes=1), 20)
    now = midnight + timedelta(minutes=10)
    if is_counted:
        count_all(now)
    seoul, taipei = (report(world.people[name], now) for name in ("hq", "taipei"))
    assert (seoul.zone, seoul.today.count, max(seoul.days)) == ("Asia/Seoul", 1, date(2026, 1, 13))
    assert (taipei.zone, taipei.today.count) == ("Asia/Taipei", 2)
    assert seoul.total.count == taipei.total.count == 2


def test_thirty_days_are_looked_back_at_and_no_more(world: World) -> None:
    for days, late in ((0, 10), (29, 20), (30, 30)):
        accepted(world.xinyi, NOON - timedelta(days=days), late)
    found = report(world.people["xinyi"], NOON)
    count_all(NOON)
    assert report(world.people["xinyi"], NOON) == found
    assert (found.total.count, found.total.worst_ms, len(found.days)) == (2, 20, 30)


def test_each_promise_is_judged_in_words_beside_its_figure(client: Client, world: World) -> None:
    now = database_now()
    for late in (*[300] * 98, 400, 2_000):
        accepted(world.xinyi, now, late)
    accepted(world.xinyi, now, -1)
    page = words(shown(client, world.people["xinyi"]))
    assert "Half within (p50) 300 ms promised: at most 200 ms error not kept" in page
    assert "99 of 100 within (p99) 400 ms promised: at most 1000 ms check_circle kept" in page
    assert "The latest 2000 ms no promise for a single one" in page
    assert "Early 1 promised: never early error not kept" in page


def test_the_ten_latest_lead_to_their_runs(client: Client, world: World) -> None:
    now = database_now()
    for late in range(100, 2_300, 100):
        accepted(world.xinyi, now, late, run_id=late, delivery_id=late + 1)
    count_all(now)
    accepted(world.xinyi, now, 5_000, run_id=5_000, delivery_id=5_001)
    page = shown(client, world.people["xinyi"]).content.decode()
    links = re.findall(r'href="/admin/schedules/run/(\d+)/change/#delivery-(\d+)"', page)
    wanted = [5_000, *range(2_200, 1_300, -100)]
    assert links == [(str(late), str(late + 1)) for late in wanted]


def test_with_nothing_sent_it_says_so(client: Client, world: World) -> None:
    page = words(shown(client, world.people["xinyi"]))
    assert "there is nothing to measure yet" in page
    assert "kept" not in page


def test_a_day_without_a_message_keeps_quiet_about_the_promise(
    client: Client, world: World
) -> None:
    accepted(world.xinyi, database_now() - timedelta(days=3), 100)
    page = words(shown(client, world.people["xinyi"]))
    assert "Nothing was sent yet." in page
    assert "0 deliveries" in page and "1 delivery" in page


def test_what_is_counted_while_it_is_read_is_neither_lost_nor_doubled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for late in (100, 200):
        accepted(world.xinyi, NOON, late)
    roll_up(NOON)
    real, times = punctuality.counted, []

    def count_in_between(rows: Any) -> Any:
        found = real(rows)
        times.append(roll_up(NOON + SETTLED_AFTER))
        return found

    monkeypatch.setattr(punctuality, "counted", count_in_between)
    assert report(world.people["xinyi"], NOON).total.count == 2
    assert times == [2, 0]
    assert Tally.objects.get().counted_id > 0


def test_the_page_asks_as_often_for_thirty_as_for_one(client: Client, world: World) -> None:
    now = database_now()

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert shown(client, world.people["xinyi"]).status_code == 200
        return len(queries)

    accepted(world.xinyi, now, 100)
    count_all(now)
    accepted(world.xinyi, now, 100)
    asked()
    alone = asked()
    for number in range(30):
        accepted(world.xinyi, now - timedelta(days=number), number, channel=f"channel {number}")
    count_all(now + timedelta(hours=1))
    for number in range(30):
        accepted(world.xinyi, now, number + 1)
    assert asked() == alone


def test_the_channel_has_its_name_in_the_readers_language(client: Client, world: World) -> None:
    reader = world.people["xinyi"]
    type(reader).objects.filter(pk=reader.pk).update(language="zh-hant")
    row = accepted(world.xinyi, database_now(), 5_000, channel="sandbox")
    page = words(shown(client, reader))
    assert page.count("沙盒") == 2 and "sandbox" not in page
    page = client.get(f"/admin/logs/attempt/{row.pk}/change/").content.decode()
    assert "沙盒" in page
