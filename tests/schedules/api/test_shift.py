"""Many schedules go so much later or earlier by one request; or it is only looked at."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from logs.models import History
from orgs.reach import Role
from schedules.models import Schedule
from tests.schedules.api.calling import caller

pytestmark = pytest.mark.django_db

PATH = "/schedules/batch/shift"
HOUR = timedelta(hours=1)


@pytest.fixture
def made(api, body) -> list[dict[str, Any]]:
    """Two that go once, as they were answered."""
    return [
        api.post("/schedules", body(text=f"Text {number}", time=f"1{number}:00")).json()
        for number in range(2)
    ]


def items(made: list[dict[str, Any]]) -> list[dict[str, int]]:
    return [{"id": row["id"], "revision": row["revision"]} for row in made]


def due(rows: list[dict[str, Any]], name: str = "due_at") -> list[datetime]:
    return [datetime.fromisoformat(row[name]) for row in rows]


def test_each_goes_so_much_later_or_earlier(api, made):
    before = due(made, "next_due_at")
    answer = api.post(PATH, {"items": items(made), "days": 1, "minutes": -60}).json()
    assert (answer["done"], answer["refused"]) == (2, 0)
    assert due(answer["results"]) == [at + 23 * HOUR for at in before]
    shown = [row["schedule"] for row in answer["results"]]
    assert due(shown, "next_due_at") == due(answer["results"])
    assert list(Schedule.objects.order_by("id").values_list("next_due_at", flat=True)) == [
        at + 23 * HOUR for at in before
    ]


def test_a_dry_run_says_the_same_and_changes_nothing(api, made):
    asked = {"items": [*items(made), {"id": 999_999}], "minutes": 30}
    before = [api.get(f"/schedules/{row['id']}").json() for row in made]
    entries = History.objects.count()
    foreseen = api.post(PATH, asked | {"dry_run": True}).json()
    assert [api.get(f"/schedules/{row['id']}").json() for row in made] == before
    assert History.objects.count() == entries
    assert [row["schedule"] for row in foreseen["results"]] == [*before, None]
    done = api.post(PATH, asked).json()
    for told in ("id", "status", "due_at", "problem"):
        assert [row[told] for row in foreseen["results"]] == [row[told] for row in done["results"]]


def test_sent_twice_with_its_revision_it_is_shifted_once(api, made):
    asked = {"items": items(made), "days": 1}
    assert api.post(PATH, asked).json()["done"] == 2
    again = api.post(PATH, asked).json()
    assert [row["status"] for row in again["results"]] == [409, 409]
    looked = api.post(PATH, asked | {"dry_run": True}).json()
    assert [row["problem"] for row in looked["results"]] == [
        row["problem"] for row in again["results"]
    ]


def test_all_or_nothing_shifts_none_where_one_is_refused(api, made):
    api.post(f"/schedules/{made[1]['id']}/cancel")
    asked = {"items": [{"id": row["id"]} for row in made], "days": 1}
    answer = api.post(f"{PATH}?all_or_nothing=true", asked)
    assert (answer.status_code, [row["status"] for row in answer.json()["results"]]) == (
        409, [424, 409],
    )  # fmt: skip
    assert Schedule.objects.get(pk=made[0]["id"]).date.isoformat() == made[0]["date"]
    assert [row["status"] for row in api.post(PATH, asked).json()["results"]] == [200, 409]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "__all__"),
        ({"days": 0, "minutes": 0}, "__all__"),
        ({"days": 367}, "days"),
        ({"minutes": -1441}, "minutes"),
        ({"days": "1"}, "days"),
        ({"days": 1, "items": []}, "items"),
        ({"days": 1, "weeks": 1}, "weeks"),
    ],
)
def test_what_is_wrong_is_said_by_field(api, made, wrong, field):
    answer = api.post(PATH, {"items": items(made)} | wrong)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_it_asks_for_reach_role_and_scope(world, made):
    asked = {"items": items(made), "days": 1}
    neighbour = caller(world.people["tainan"]).post(PATH, asked).json()
    nobody = caller(world.people["tainan"]).post(PATH, {"items": [{"id": 999_999}], "days": 1})
    assert [row["problem"] for row in neighbour["results"]] == [
        nobody.json()["results"][0]["problem"]
    ] * 2
    assert {row["status"] for row in neighbour["results"]} == {404}
    for call in (
        caller(world.person(world.xinyi, Role.VIEWER)),
        caller(world.people["hq"], "read"),
    ):
        assert call.post(PATH, asked).status_code == 403


def test_each_that_is_looked_at_takes_as_many_questions(api, body, made):
    made.append(api.post("/schedules", body(text="Third", time="15:00")).json())

    def asked(count: int) -> int:
        looked = {"items": items(made)[:count], "days": 1, "dry_run": True}
        with CaptureQueriesContext(connection) as questions:
            assert api.post(PATH, looked).json()["done"] == count
        return len(questions)

    asked(1)
    one, two, three = (asked(count) for count in (1, 2, 3))
    assert three - two == two - one
