"""The calendar by the API: what its page shows, within reach, bounded."""

from datetime import time, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from schedules.actions import register
from tests.schedules.api.calling import caller
from tests.schedules.calendar.test_entries import make_run

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
ADDRESS = "/api/v1/calendar"


@pytest.fixture
def ask(desk, now):
    def asked(days=3, client=desk, **values):
        first = now.date() + DAY
        return client.get(ADDRESS, {"from": first, "to": first + DAY * days, **values})

    return asked


def test_it_tells_what_went_and_what_comes(daily, ask, now):
    run = make_run(daily, now - DAY)
    found = ask(days=5, **{"from": now.date() - 2 * DAY, "to": now.date() + 3 * DAY}).json()
    assert found["zone"] == "Asia/Taipei"
    assert found["results"][0]["run"] == run.pk
    coming = [row for row in found["results"] if row["run"] is None]
    assert {(row["schedule"], row["state"]) for row in coming} == {(daily.pk, "planned")}
    assert coming[-1]["local"].endswith("T09:00:00+08:00")
    assert (found["full_days"], found["more_schedules"], found["told_until"]) == ([], False, None)


def test_the_zone_of_the_answer_can_be_chosen(daily, ask):
    found = ask(zone="Asia/Seoul").json()
    assert found["results"][0]["local"].endswith("T10:00:00+09:00")


def test_it_is_narrowed_as_the_page_is(daily, ask, world):
    assert len(ask(room=world.room.pk, state="planned", kind="daily").json()["results"]) == 3
    for nothing in ({"room": world.tainan_room.pk}, {"room": 999_999}, {"unit": world.south.pk},
                    {"kind": "weekly"}):  # fmt: skip
        assert ask(**nothing).json()["results"] == []


@pytest.mark.parametrize(
    "wrong",
    [{"from": ""}, {"to": "x"}, {"to": "2026-01-01"}, {"zone": "Mars"}, {"state": "x"},
     {"unit": "x"}, {"from": "0001-01-01", "to": "0001-01-09"}],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_with_the_field(ask, wrong):
    answer = ask(**wrong)
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) & {*wrong, "to"}


def test_at_most_62_days(ask):
    assert (ask(days=62).status_code, ask(days=63).status_code) == (200, 400)


def test_days_that_cannot_be_told_are_refused_in_the_language_of_the_request(ask, world):
    api, many = caller(world.people["xinyi"]), "/calendar?from=2026-01-01&to=2026-06-01"
    assert api.get(many).json()["errors"] == {"to": ["Ask for 1 to 62 days."]}
    answer = api.get(many, **{"Accept-Language": "ko"}).json()["errors"]
    assert answer == {"to": ["1일에서 62일까지만 물을 수 있습니다."]}
    far = ask(**{"from": "9998-01-01", "to": "9998-01-09"}).json()["errors"]
    assert far["from"] == far["to"] == ["Choose a year from 1971 to 9997."]


@pytest.mark.parametrize("who", ["tainan", "south"])
def test_another_tenant_who_asks_the_same_sees_nothing(daily, ask, world, now, who):
    make_run(daily, now + DAY)
    assert ask().json()["results"]
    other = Client()
    other.force_login(world.people[who])
    for more in ({}, {"unit": world.xinyi.pk}, {"room": world.room.pk}):
        assert ask(client=other, **more).json()["results"] == []


def test_the_same_number_of_questions_for_one_and_for_thirty(make_schedule, clerk, ask, now):
    def fill(first, count):
        for number in range(first, first + count):
            values = {"timing_kind": "daily", "time": time(3, number), "date": None}
            row = register(make_schedule(**values, text=f"Text {number}"), by=clerk)
            make_run(row, now + DAY)

    def questions():
        with CaptureQueriesContext(connection) as found:
            assert ask().status_code == 200
        return len(found)

    fill(0, 1)
    few = questions()
    fill(1, 29)
    assert questions() == few
