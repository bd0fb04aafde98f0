"""What a person sees who is signed out, comes too late, or asks for what is not there."""

import pytest
from django.test import Client

from orgs.models import User
from orgs.reach import Role
from schedules import actions
from schedules.models import Schedule
from tests.conftest import World
from tests.schedules.wizard.conftest import CONTENT, SCHEDULES, TIMING, address, open_step

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}


def test_a_form_with_a_stale_token_is_refused_in_plain_words(clerk: User, draft: Schedule):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(clerk)
    answer = strict.post(address(draft, "content"), CONTENT)
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "This was not saved" in page
    assert f'href="{address(draft, "content")}"' in page


def test_a_viewer_who_opens_the_form_is_told_in_the_sites_look(client: Client, world: World):
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    answer = client.get(f"{SCHEDULES}add/")
    assert answer.status_code == 404
    assert "teiji/notice.css" in answer.content.decode()


def test_saving_while_typing_says_that_another_window_registered_it(
    desk: Client, draft: Schedule, clerk: User
):
    page = open_step(desk, draft, "content")
    actions.register(draft, by=clerk)
    answer = desk.post(address(draft, "content") + "live/", CONTENT | page, headers=JSON).json()
    assert "registered in another window" in answer["closed"]
    assert answer["url"] == f"{SCHEDULES}{draft.pk}/change/"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"valid_from": "2030-02-01T00:00", "valid_until": "2030-01-01T00:00"},
            "Not after – The validity ends before it begins.",
        ),
        ({"priority": "101"}, "Priority – The priority lies between 0 and 100."),
        ({}, ""),
    ],
)
def test_what_could_not_be_stored_is_never_called_saved(
    desk: Client, draft: Schedule, values: dict, words: str
):
    posted = TIMING | values | open_step(desk, draft, "timing")
    answer = desk.post(address(draft, "timing") + "live/", posted, headers=JSON).json()
    assert answer["unsaved"] == (f"Not saved yet: {words}" if words else "")


@pytest.mark.parametrize(
    ("act", "step"), [("confirm", "review"), ("discard", "review"), ("images", "content")]
)
def test_who_comes_to_an_act_after_signing_in_again_finds_the_step(
    desk: Client, draft: Schedule, act: str, step: str
):
    assert desk.get(address(draft, act)).url == address(draft, step)
    assert Schedule.objects.get(pk=draft.pk).state == "draft"


LONG = "9" * 5000


@pytest.mark.parametrize(
    ("part", "posted", "status"),
    [
        ("images/order", {"image": LONG}, 302),
        ("images/order", {"move": f"{LONG}:up"}, 404),
        ("images/remove", {"image": LONG}, 404),
        ("confirm", {"revision": LONG}, 302),
        ("content", CONTENT | {"revision": LONG, "text": "x"}, 200),
        ("content", CONTENT | {"interval_seconds": LONG}, 200),
        ("target", {"title": "x", "unit": LONG, "rooms": [LONG]}, 200),
        ("timing", TIMING | {"priority": LONG, "day_of_month": LONG}, 200),
    ],
)
def test_a_number_of_thousands_of_digits_is_no_fault_of_the_server(
    desk: Client, draft: Schedule, part: str, posted: dict, status: int
):
    assert desk.post(address(draft, part), posted).status_code == status


@pytest.mark.parametrize("number", [LONG, "9" * 20])
def test_an_address_with_an_endless_number_leads_nowhere(desk: Client, number: str):
    for rest in ("", "content/", "images/", "confirm/"):
        url = f"{SCHEDULES}{number}/register/{rest}"
        assert desk.post(url).status_code in (302, 404, 405)
        assert desk.get(url, follow=True).status_code in (200, 404, 405)
    assert desk.get(f"{SCHEDULES}rooms/?unit={number}").status_code == 404
