"""What every list and object of the API can be asked: an order, and fewer fields. The operations
come from the OpenAPI document: a new one is among them by itself."""

from base64 import b64encode
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import connection
from django.db.models.functions import Coalesce
from django.test.utils import CaptureQueriesContext

from channels.models import Room
from config.scoped import rates, tokens
from tests.config.test_api import assert_problem, routed
from tests.schedules.api.calling import caller, ids
from tests.tenants.canaries import make_canaries
from tests.tenants.many import make_many
from tests.tenants.operations import Operation, operations
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _none_is_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST", 1_000_000)


# What only the headquarters is told.
OF_THE_TOP = ("/holidays",)


class Reader:
    """Asks as who sees no more than a branch, if the branch is told at all."""

    def __init__(self, world: Any) -> None:
        self.own, self.above = (caller(world.people[name]) for name in ("tainan", "hq"))

    def get(self, path: str) -> Any:
        return (self.above if path.startswith(OF_THE_TOP) else self.own).get(path)


@pytest.fixture
def api(world: Any) -> Reader:
    return Reader(world)


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


def test_every_list_that_has_pages_gives_fewer_fields_too(gets):
    paged = [one for one in gets if parameter(one, "cursor")]
    assert len(paged) >= 25
    assert [str(one) for one in paged if not parameter(one, "fields")] == []


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


MANY = 30


@pytest.fixture
def lists(world: Any, make_schedule: Any, settings: Any, tmp_path: Any) -> list[Operation]:
    """Every list of the document; each has thirty rows, or some more."""
    settings.MEDIA_ROOT = tmp_path
    canaries = make_canaries(world, make_schedule)
    room, person = canaries.rows["room"], canaries.rows["recipient"]
    type(person)._default_manager.filter(pk=person.pk).update(address=room.address)
    make_many(canaries, MANY)
    found = [one for one in operations(canaries) if one.method == "get"]
    return [one for one in found if parameter(one, "cursor")]


@pytest.mark.thorough
def test_a_page_of_thirty_asks_the_database_as_often_as_a_page_of_one(api, lists, monkeypatch):
    monkeypatch.setattr(tokens, "NOTED_EVERY", timedelta(days=1))
    assert len(lists) >= 25
    different = []
    for one in lists:
        asked = []
        for size in (1, 1, MANY):  # the first one finds what is kept for a while
            with CaptureQueriesContext(connection) as found:
                answer = api.get(f"{one.foreign}?page_size={size}")
            assert len(answer.json()["results"]) == size, one
            asked.append(len(found))
        if asked[1] != asked[2]:
            different.append((str(one), asked))
    assert different == []


@pytest.mark.thorough
def test_whatever_orders_a_list_its_pages_have_each_row_once(api, lists):
    for one in lists:
        for asked in parameter(one, "ordering")["schema"]["enum"]:
            address = f"{one.foreign}?ordering={asked}&page_size="
            whole = rows_of(api.get(address + "200"))
            assert len(whole) >= MANY, one
            forth, last = followed(api, address + "7", "next")
            back, _first = followed(api, last, "previous")
            assert forth == whole, (one, asked)
            assert back == whole, (one, asked)


def followed(api: Reader, path: str, way: str) -> tuple[list[Any], str]:
    """All rows on the pages from this one on, and the address of the last page."""
    rows: list[Any] = []
    while True:
        page = api.get(path)
        found = rows_of(page)
        rows = rows + found if way == "next" else found + rows
        following = (page.json()[way] or "").partition("/api/v1")[2]
        if not following:
            return rows, path
        path = following


def rows_of(page: Any) -> list[Any]:
    return [row.get("id") or row for row in page.json()["results"]]


def test_no_list_is_ordered_by_what_may_be_empty():
    """A cursor compares with the last value of a page: rows without one would be on none."""
    for view in {pattern.callback.cls for pattern in routed() if hasattr(pattern.callback, "cls")}:
        pages = getattr(view, "pagination_class", None)
        if pages and hasattr(view, "acts"):
            for column in pages().columns(view).values():
                made = view.queryset.query.annotations.get(column)
                if made:
                    assert isinstance(made, Coalesce), (view, column)
                else:
                    assert not view.queryset.model._meta.get_field(column).null, (view, column)


@pytest.mark.parametrize(
    "place",
    ["x", "{}", "[]", "[1]", '["x"]', '["1","2"]', '[["1"]]', "[null]", '["\\u0000"]', '["é"]'],
)  # fmt: skip
def test_a_cursor_that_was_written_by_hand_leads_nowhere(api, place):
    cursor = b64encode(urlencode({"p": place, "o": "0"}).encode()).decode()
    assert_problem(api.get(f"/schedules?cursor={quote(cursor)}"), 404)
