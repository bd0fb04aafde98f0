"""The values of placeholders, by a program."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from logs.models import History
from orgs.models import Unit
from orgs.reach import Role
from schedules.models import PlaceholderValue
from tests.schedules.api.calling import Caller, caller, ids

pytestmark = pytest.mark.django_db


@pytest.fixture
def keep(world):
    """Units by their code keep these."""

    def keep_(code: str, **values: str) -> None:
        for name, value in values.items():
            PlaceholderValue.objects.create(unit=getattr(world, code), name=name, value=value)

    return keep_


def held(api: Caller, unit: Unit) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/units/{unit.pk}/values").json()["results"]
    return found


def test_one_is_kept_changed_and_removed(api, world):
    made = api.post("/values", {"name": "phone", "value": "02-555"})
    assert made.status_code == 201
    row = made.json()
    assert row == {"id": row["id"], "unit": world.xinyi.pk, "name": "phone", "value": "02-555"}
    address = f"/values/{row['id']}"
    assert api.patch(address, {"value": "119"}).json() == row | {"value": "119"}
    assert api.get(address).json()["value"] == "119"
    assert api("delete", address).status_code == 204
    assert api.get(address).status_code == 404
    entries = History.objects.filter(kind="placeholdervalue").order_by("id")
    assert [(entry.verb, entry.via) for entry in entries] == [
        ("created", "api"), ("updated", "api"), ("deleted", "api"),
    ]  # fmt: skip
    assert entries[1].changes == {"value": ["02-555", "119"]}


def test_the_page_does_the_same(client, world):
    client.force_login(world.people["xinyi"])
    page = "/admin/schedules/placeholdervalue/"
    form = {"unit": world.xinyi.pk, "name": "phone", "value": "1"}
    assert client.post(f"{page}add/", form).status_code == 302
    row = PlaceholderValue.objects.get()
    client.post(f"{page}{row.pk}/change/", form | {"value": "2"})
    row.refresh_from_db()
    assert row.value == "2"
    client.post(f"{page}{row.pk}/delete/", {"post": "yes"})
    assert not PlaceholderValue.objects.exists()
    entries = History.objects.filter(kind="placeholdervalue").order_by("id")
    assert [(entry.verb, entry.via) for entry in entries] == [
        ("created", "admin"), ("updated", "admin"), ("deleted", "admin"),
    ]  # fmt: skip
    assert entries[1].changes == {"value": ["1", "2"]}


def test_the_nearest_unit_says_what_holds(api, world, keep):
    keep("hq", phone="of hq", hours="of hq", site="of hq")
    keep("taipei", phone="of taipei", hours="of taipei")
    keep("xinyi", phone="of xinyi")
    keep("tainan", phone="CANARY")
    found = held(api, world.xinyi)
    assert [(row["name"], row["value"], row["is_own"]) for row in found] == [
        ("hours", "of taipei", False), ("phone", "of xinyi", True), ("site", "of hq", False),
    ]  # fmt: skip
    assert [(row["unit"], row["unit_name"]) for row in found] == [
        (None, "Taipei"), (world.xinyi.pk, "Xinyi"), (None, world.hq.name),
    ]  # fmt: skip
    above = held(caller(world.people["taipei"]), world.xinyi)
    assert [row["unit"] for row in above] == [world.taipei.pk, world.xinyi.pk, None]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "no name"}, "name"),
        ({"name": "room"}, "name"),
        ({"name": ""}, "name"),
        ({"value": 5}, "value"),
        ({"value": "x" * 1001}, "value"),
        ({"unit": 999_999}, "unit"),
        ({"text": "x"}, "text"),
    ],
)
def test_what_is_wrong_is_said_by_field_at_once_and_later(api, body, field):
    whole = {"name": "phone", "value": "1"}
    refused = api.post("/values", whole | body)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])
    address = f"/values/{api.post('/values', whole).json()['id']}"
    refused = api.patch(address, body)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])


def test_a_unit_has_one_value_of_a_name(api, keep, world):
    keep("xinyi", phone="1", site="2")
    assert api.post("/values", {"name": "phone", "value": "3"}).status_code == 409
    site = PlaceholderValue.objects.get(name="site")
    assert api.patch(f"/values/{site.pk}", {"name": "phone"}).status_code == 409
    assert sorted(PlaceholderValue.objects.values_list("name", "value")) == [
        ("phone", "1"), ("site", "2"),
    ]  # fmt: skip


def test_the_list_is_narrowed(world, keep):
    keep("taipei", phone="02-1")
    keep("xinyi", phone="02-2", site="example.org")
    taipei = caller(world.people["taipei"])
    rows = {str(row): row.pk for row in PlaceholderValue.objects.filter(unit=world.xinyi)}
    assert ids(taipei.get(f"/values?unit={world.xinyi.pk}&ordering=name")) == [
        rows["{phone}"], rows["{site}"],
    ]  # fmt: skip
    assert ids(taipei.get("/values?search=EXAMPLE")) == [rows["{site}"]]
    assert len(ids(taipei.get("/values"))) == 3


def test_who_may_is_asked(world, keep, api):
    keep("xinyi", phone="1")
    keep("hq", site="2")
    [own] = PlaceholderValue.objects.filter(unit=world.xinyi)
    [above] = PlaceholderValue.objects.filter(unit=world.hq)
    assert ids(caller(world.people["tainan"]).get("/values")) == []
    for call, row, status in (
        (caller(world.people["tainan"]), own, 404),
        (api, above, 404),
        (caller(world.person(world.xinyi, Role.VIEWER)), own, 403),
        (caller(world.people["xinyi"], "read"), own, 403),
    ):
        assert call.patch(f"/values/{row.pk}", {"value": "stolen"}).status_code == status
        assert call("delete", f"/values/{row.pk}").status_code == status
    body = {"name": "new", "value": "x", "unit": world.hq.pk}
    assert list(api.post("/values", body).json()["errors"]) == ["unit"]
    assert PlaceholderValue.objects.filter(value__in=["1", "2"]).count() == 2


def test_many_values_are_asked_for_as_often_as_one(api, world, keep):
    def asked() -> int:
        with CaptureQueriesContext(connection) as questions:
            assert held(api, world.xinyi)
        return len(questions)

    keep("hq", first="1")
    held(api, world.xinyi)  # notes the token's last use
    few = asked()
    keep("xinyi", **{f"more_{number}": "x" for number in range(9)})
    assert asked() == few
