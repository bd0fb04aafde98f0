"""Saved filters, by a program: one's own, and nobody else's."""

import pytest
from django.test import Client

from orgs.reach import Role
from schedules.actions import saved_filter as acts
from schedules.models import SavedFilter
from tests.schedules.api.calling import caller, ids

pytestmark = pytest.mark.django_db

PAUSED = {"page": "schedule", "name": "Paused", "query": "state__exact=paused"}


def test_one_is_kept_renamed_and_removed(api):
    made = api.post("/filters", PAUSED)
    assert made.status_code == 201
    row = made.json()
    assert row == {"id": row["id"], "is_default": False, **PAUSED}
    address = f"/filters/{row['id']}"
    assert api.patch(address, {"name": "  On  hold "}).json() == row | {"name": "On hold"}
    assert api.get(address).json()["name"] == "On hold"
    assert api("delete", address).status_code == 204
    assert api.get(address).status_code == 404


def test_the_list_of_the_back_office_shows_it_and_is_opened_with_it(api, world, client: Client):
    api.post("/filters", PAUSED | {"is_default": True})
    client.force_login(SavedFilter.objects.get().user)
    opened = client.get("/admin/schedules/schedule/")
    assert (opened.status_code, opened.url) == (302, "?state__exact=paused")
    assert "Paused" in client.get("/admin/schedules/schedule/" + opened.url).content.decode()


def test_one_opens_a_list_and_no_other(api):
    first = api.post("/filters", PAUSED | {"is_default": True}).json()["id"]
    log = {"page": "delivery", "name": "Log", "query": "", "is_default": True}
    other_list = api.post("/filters", log).json()["id"]
    second = api.post("/filters", PAUSED | {"name": "Two", "is_default": True}).json()["id"]
    opens = SavedFilter.objects.filter(is_default=True).values_list("pk", flat=True)
    assert set(opens) == {other_list, second}
    assert api.patch(f"/filters/{first}", {"is_default": True}).json()["is_default"]
    assert set(opens.all()) == {other_list, first}
    api.patch(f"/filters/{first}", {"is_default": False})
    assert set(opens.all()) == {other_list}


def test_the_same_name_takes_the_place_of_what_was_kept(api):
    first = api.post("/filters", PAUSED).json()
    again = api.post("/filters", PAUSED | {"query": "next=none", "name": " Paused "})
    assert again.status_code == 201
    assert again.json() == first | {"query": "next=none"}
    other = api.post("/filters", PAUSED | {"name": "Other"}).json()["id"]
    assert api.patch(f"/filters/{other}", {"name": "Paused"}).status_code == 409
    key = {"Idempotency-Key": "once"}
    twice = [api.post("/filters", PAUSED | {"name": "Key"}, **key).json() for _again in range(2)]
    assert twice[0] == twice[1]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"query": "q=" + "y" * 999}, "query"),
        ({"query": "gone__exact=1"}, "query"),
        ({"query": "state__exact=paused&unit__approval=free"}, "query"),
        ({"page": "room"}, "page"),
        ({"is_default": 1}, "is_default"),
        ({"user": 1}, "user"),
    ],
)
def test_what_is_wrong_is_said_by_field_at_once_and_later(api, body, field):
    refused = api.post("/filters", PAUSED | body)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])
    address = f"/filters/{api.post('/filters', PAUSED).json()['id']}"
    refused = api.patch(address, body)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])


def test_its_list_stays_as_it_was_made(api):
    address = f"/filters/{api.post('/filters', PAUSED).json()['id']}"
    assert list(api.patch(address, {"page": "delivery"}).json()["errors"]) == ["page"]
    assert api.patch(address, {"page": "schedule"}).status_code == 200


def test_what_does_not_narrow_is_left_out_and_the_rest_stands_in_one_order(api):
    made = api.post("/filters", PAUSED | {"query": "q=sale&p=3&next=none&e=1"})
    assert made.json()["query"] == "next=none&q=sale"


def test_there_is_an_end_to_how_many(api, monkeypatch):
    monkeypatch.setattr(acts, "MOST", 1)
    api.post("/filters", PAUSED)
    assert api.post("/filters", PAUSED | {"name": "Two"}).status_code == 409
    assert api.post("/filters", PAUSED).status_code == 201
    assert api.post("/filters", {"page": "delivery", "name": "Log"}).status_code == 201


def test_the_list_is_narrowed(api):
    schedules = api.post("/filters", PAUSED).json()["id"]
    log = api.post("/filters", {"page": "delivery", "name": "Log"}).json()["id"]
    assert ids(api.get("/filters")) == [log, schedules]
    assert ids(api.get("/filters?page=schedule")) == [schedules]
    assert api.get("/filters?page=room").status_code == 400


def test_a_viewer_keeps_filters_too_and_nobody_sees_anothers(api, world):
    address = f"/filters/{api.post('/filters', PAUSED).json()['id']}"
    viewer = caller(world.person(world.xinyi, Role.VIEWER))
    assert viewer.post("/filters", PAUSED).status_code == 201
    for other in (viewer, caller(world.people["hq"]), caller(world.people["xinyi"])):
        assert other.get(address).status_code == 404
        assert other.patch(address, {"name": "stolen"}).status_code == 404
        assert other("delete", address).status_code == 404
    assert len(ids(viewer.get("/filters"))) == 1
    assert ids(caller(world.people["hq"]).get("/filters")) == []
    assert caller(world.people["stranger"]).get("/filters").status_code == 403
    reader = caller(world.people["hq"], "read")
    assert reader.get("/filters").status_code == 200
    assert reader.post("/filters", PAUSED).status_code == 403
    assert not SavedFilter.objects.filter(name="stolen").exists()
