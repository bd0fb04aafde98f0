"""Corrections of the public holidays, by a program."""

import pytest

from logs.models import History
from orgs.reach import Role
from schedules.models import HolidayException
from tests.schedules.api.calling import Caller, caller, ids

pytestmark = pytest.mark.django_db

DAY = {"country": "KR", "date": "2027-05-06", "note": "Bridge day"}


@pytest.fixture
def boss(world) -> Caller:
    return caller(world.people["hq"])


def test_one_is_added_changed_and_removed(boss):
    made = boss.post("/holidays", DAY)
    assert made.status_code == 201
    row = made.json()
    assert row == {"id": row["id"], "is_holiday": True, **DAY}
    address = f"/holidays/{row['id']}"
    changed = boss.patch(address, {"is_holiday": False, "date": "2027-05-07"})
    assert changed.json() == row | {"is_holiday": False, "date": "2027-05-07"}
    assert boss.get(address).json() == changed.json()
    assert boss("delete", address).status_code == 204
    assert boss.get(address).status_code == 404
    entries = History.objects.filter(kind="holidayexception").order_by("id")
    assert [(entry.verb, entry.via) for entry in entries] == [
        ("created", "api"), ("updated", "api"), ("deleted", "api"),
    ]  # fmt: skip
    assert entries[1].changes == {
        "date": ["2027-05-06", "2027-05-07"], "is_holiday": [True, False]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"country": "kr"}, "country"),
        ({"country": "XX"}, "country"),
        ({"country": "KOR"}, "country"),
        ({"country": ""}, "country"),
        ({"date": "2027-02-30"}, "date"),
        ({"date": "06.05.2027"}, "date"),
        ({"is_holiday": "no"}, "is_holiday"),
        ({"note": "x" * 101}, "note"),
        ({"holiday": True}, "holiday"),
    ],
)
def test_what_is_wrong_is_said_by_field_at_once_and_later(boss, body, field):
    refused = boss.post("/holidays", DAY | body)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])
    address = f"/holidays/{boss.post('/holidays', DAY).json()['id']}"
    refused = boss.patch(address, body)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])


def test_a_day_of_a_country_is_corrected_once(boss):
    key = {"Idempotency-Key": "once"}
    assert boss.post("/holidays", DAY, **key).json() == boss.post("/holidays", DAY, **key).json()
    assert boss.post("/holidays", DAY).status_code == 409
    other = boss.post("/holidays", DAY | {"country": "TW"}).json()["id"]
    assert boss.patch(f"/holidays/{other}", {"country": "KR"}).status_code == 409
    assert HolidayException.objects.count() == 2


def test_the_list_is_narrowed_and_ordered(boss):
    later, taiwan, earlier = (
        boss.post("/holidays", DAY | values).json()["id"]
        for values in (
            {"date": "2027-12-24", "is_holiday": False},
            {"country": "TW", "note": "A feast"},
            {},
        )
    )
    assert ids(boss.get("/holidays")) == [earlier, taiwan, later]
    assert ids(boss.get("/holidays?country=KR&ordering=date")) == [earlier, later]
    assert ids(boss.get("/holidays?is_holiday=false")) == [later]
    assert ids(boss.get("/holidays?search=FEAST")) == [taiwan]


@pytest.mark.parametrize("who", ["north", "taipei", "xinyi", "stranger", "an operator"])
def test_nobody_but_managers_of_the_headquarters_may(world, who):
    row = HolidayException.objects.create(**DAY)
    person = world.person(world.hq, Role.OPERATOR) if who == "an operator" else world.people[who]
    api, address = caller(person), f"/holidays/{row.pk}"
    for answer in (
        api.get("/holidays"), api.get(address), api.post("/holidays", DAY),
        api.patch(address, {"note": "stolen"}), api("delete", address),
    ):  # fmt: skip
        assert answer.status_code == 403
        assert "Bridge" not in answer.content.decode()
    assert HolidayException.objects.get().note == "Bridge day"


def test_a_token_that_only_reads_reads_only(world):
    api = caller(world.people["hq"], "read")
    assert api.get("/holidays").status_code == 200
    assert api.post("/holidays", DAY).status_code == 403
