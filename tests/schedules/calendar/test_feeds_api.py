"""Feeds of the calendar, over HTTP: made, listed, revoked, each for oneself."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from config.models import KeptAnswer
from orgs.reach import Role
from schedules.models import CalendarFeed
from tests.schedules.api.calling import caller, ids

pytestmark = pytest.mark.django_db


def read(url: str) -> int:
    return Client().get(urlsplit(url).path).status_code


def test_an_address_is_shown_once_and_good_until_it_is_revoked(world: Any) -> None:
    api = caller(world.people["xinyi"])
    made = api.post("/feeds", {"shows_details": True})
    assert made.status_code == 201
    shown = made.json()
    assert (shown["unit"], shown["shows_details"]) == (world.xinyi.pk, True)
    assert read(shown["url"]) == 200
    (listed,) = api.get("/feeds").json()["results"]
    assert "url" not in listed
    assert listed == api.get(f"/feeds/{shown['id']}").json()
    assert api("delete", f"/feeds/{shown['id']}").status_code == 204
    assert read(shown["url"]) == 404
    assert ids(api.get("/feeds")) == []


def test_a_second_of_the_same_unit_takes_the_place_of_the_first(world: Any) -> None:
    api = caller(world.people["xinyi"])
    first, second = (api.post("/feeds", {}).json() for _ in range(2))
    assert (read(first["url"]), read(second["url"])) == (404, 200)
    assert ids(api.get("/feeds")) == [second["id"]]


def test_a_repeated_answer_has_no_address_in_it(world: Any) -> None:
    api = caller(world.people["xinyi"])
    first, again = (api.post("/feeds", {}, **{"Idempotency-Key": "once"}) for _ in range(2))
    assert (first.json()["id"], again.json()["url"]) == (again.json()["id"], "")
    key = urlsplit(first.json()["url"]).path.rpartition("/")[2].removesuffix(".ics")
    assert key not in str(list(KeptAnswer.objects.values()))


def test_a_viewer_has_one_and_nobody_has_one_of_a_unit_out_of_reach(world: Any) -> None:
    viewer = world.person(world.xinyi, Role.VIEWER)
    assert caller(viewer, "read").post("/feeds", {}).status_code == 403
    assert caller(viewer).post("/feeds", {}).status_code == 201
    for pk in (world.tainan.pk, 999_999):
        answer = caller(viewer).post("/feeds", {"unit": pk})
        assert (answer.status_code, set(answer.json()["errors"])) == (400, {"unit"})


def test_those_of_others_are_not_there(world: Any) -> None:
    feed = caller(world.people["xinyi"]).post("/feeds", {}).json()["id"]
    for other in ("taipei", "hq", "tainan"):
        api = caller(world.people[other])
        assert ids(api.get("/feeds")) == []
        foreign, missing = (api("delete", f"/feeds/{pk}") for pk in (feed, 999_999))
        assert (foreign.status_code, foreign.content) == (404, missing.content)
    assert CalendarFeed.objects.count() == 1
