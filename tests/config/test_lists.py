"""What every list and object of the API can be asked: an order, and fewer fields. The operations
come from the OpenAPI document: a new one is among them by itself."""

from typing import Any

import pytest

from channels.models import Room
from config.scoped import rates
from tests.config.test_api import assert_problem
from tests.schedules.api.calling import Caller, caller, ids
from tests.tenants.canaries import make_canaries
from tests.tenants.operations import Operation, operations
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _none_is_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST", 1_000_000)


@pytest.fixture
def api(world: Any) -> Caller:
    return caller(world.people["tainan"])


@pytest.fixture
def gets(world: Any, make_schedule: Any, settings: Any, tmp_path: Any) -> list[Operation]:
    settings.MEDIA_ROOT = tmp_path
    canaries = make_canaries(world, make_schedule)
    return [one for one in operations(canaries) if one.method == "get"]


def parameter(one: Operation, name: str) -> Any:
    return next((p for p in one.parameters if p["name"] == name), None)


def test_every_list_can_be_ordered_and_refuses_what_it_does_not_offer(api, gets):
    lists = [one for one in gets if parameter(one, "ordering")]
    assert len(lists) >= 15
    for one in lists:
        for asked in parameter(one, "ordering")["schema"]["enum"]:
            assert api.get(f"{one.foreign}?ordering={asked}").status_code == 200, (one, asked)
        for asked in ("password", "-", "unit__code", "id,id"):
            refused = assert_problem(api.get(f"{one.foreign}?ordering={asked}"), 400)
            assert set(refused["errors"]) == {"ordering"}, one


def test_every_list_and_object_gives_the_fields_that_are_asked_for(api, gets):
    narrowed = [one for one in gets if parameter(one, "fields") and not one.needs_more]
    assert len(narrowed) >= 25
    for one in narrowed:
        whole = api.get(one.foreign)
        if whole.status_code == 404:
            continue  # what Tainan alone cannot see
        rows = whole.json().get("results", [whole.json()])
        names = sorted(rows[0])[:2] if rows else []
        if names:
            answer = api.get(f"{one.foreign}?fields={','.join(names)}").json()
            expected = [{name: row[name] for name in names} for row in rows]
            assert answer.get("results", [answer]) == expected, one
        for asked in ("password", "", "id,,name", "unit__code"):
            refused = assert_problem(api.get(f"{one.foreign}?fields={asked}"), 400)
            assert set(refused["errors"]) == {"fields"}, one


@pytest.mark.parametrize("ordering", ["name", "-name"])
def test_pages_by_a_field_leave_no_row_out_and_repeat_none(world, ordering):
    for number in range(9):
        values = {"name": f"Twin {number // 5}", "address": f"a{number}"}
        Room.objects.create(unit=world.xinyi, account=world.sandbox, **values, **UNLIMITED)
    api = caller(world.people["xinyi"])
    path, found = f"/rooms?ordering={ordering}&page_size=2", []
    while path:
        page = api.get(path)
        found += ids(page)
        path = (page.json()["next"] or "").partition("/api/v1")[2]
    rows = Room.objects.filter(unit=world.xinyi)
    names = dict(rows.values_list("pk", "name"))
    assert sorted(found) == sorted(names)
    shown = [names[pk] for pk in found]
    turned = ordering.startswith("-")
    assert shown == sorted(shown, reverse=turned)
