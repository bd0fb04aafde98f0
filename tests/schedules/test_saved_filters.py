"""Filters that a person keeps: theirs alone, one of which opens the list."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.test import Client

from orgs.models import User
from orgs.reach import Role
from schedules.actions import saved_filter as acts
from schedules.models import SavedFilter
from schedules.models import saved_filter as kept
from tests.conftest import World
from tests.pages import queries_of

pytestmark = pytest.mark.django_db

LISTS = {"schedule": "/admin/schedules/schedule/", "delivery": "/admin/schedules/delivery/"}
LIST = LISTS["schedule"]


def save(desk: Client, query: str, name: str = "Mine", address: str = LIST, **values: Any) -> Any:
    return desk.post(f"{address}filters/save/", {"name": name, "query": query, **values})


def names(desk: Client, address: str = LIST) -> list[str]:
    return [saved.name for saved in desk.get(f"{address}?all=1").context["saved_filters"]]


@pytest.mark.parametrize("page", LISTS)
def test_what_a_list_shows_is_kept_under_a_name_and_chosen_again(desk: Client, page: str) -> None:
    address = LISTS[page]
    query = "state__exact=paused&next=none" if page == "schedule" else "appointed=day&kind=hand"
    answer = save(desk, f"{query}&p=3&e=1&all=1", address=address)
    assert answer.url == f"{address}?{kept.kept_of(QueryDict(query))}"
    shown = desk.get(answer.url)
    assert shown.status_code == 200
    assert shown.context["present_filter"].name == "Mine"
    assert 'aria-current="true"' in shown.content.decode()


def test_one_opens_the_list_until_all_is_asked_for(desk: Client) -> None:
    save(desk, "next=none", is_default="1")
    opened = desk.get(LIST)
    assert (opened.status_code, opened.url) == (302, "?next=none")
    assert desk.get(f"{LIST}?all=1").status_code == 200
    assert desk.get(f"{LIST}?state__exact=paused").status_code == 200


def test_links_of_the_list_itself_that_reset_its_filters_show_all(desk: Client) -> None:
    save(desk, "next=none", is_default="1")
    came_from = f"http://testserver{LIST}?next=none"
    assert desk.get(LIST, headers={"Referer": came_from}).status_code == 200
    assert desk.get(LIST, headers={"Referer": "http://testserver/admin/"}).status_code == 302


def test_another_takes_its_place_and_none_may_open_it(desk: Client) -> None:
    save(desk, "next=none", "One", is_default="1")
    save(desk, "next=today", "Two", is_default="1")
    assert desk.get(LIST).url == "?next=today"
    one = SavedFilter.objects.get(name="One")
    desk.post(f"{LIST}filters/{one.pk}/open/")
    assert desk.get(LIST).url == "?next=none"
    desk.post(f"{LIST}filters/{one.pk}/close/")
    assert desk.get(LIST).status_code == 200


def test_the_same_name_keeps_what_was_shown_last(desk: Client) -> None:
    save(desk, "next=none")
    save(desk, "next=today", "  Mine ")
    assert list(SavedFilter.objects.values_list("query", flat=True)) == ["next=today"]


def test_nobody_else_sees_or_changes_it(desk: Client, client: Client, world: World) -> None:
    save(desk, "next=none", "Secret", is_default="1")
    saved = SavedFilter.objects.get()
    for other in (
        world.people["hq"],
        world.people["xinyi"],
        world.person(world.xinyi, Role.VIEWER),
    ):
        client.force_login(other)
        assert names(client) == []
        assert client.get(LIST).status_code == 200
        for act in ("open", "close", "remove"):
            assert client.post(f"{LIST}filters/{saved.pk}/{act}/").status_code == 404
    saved.refresh_from_db()
    assert saved.is_default


def test_a_filter_of_one_list_is_none_of_the_other(desk: Client) -> None:
    save(desk, "next=none")
    saved = SavedFilter.objects.get()
    assert names(desk, LISTS["delivery"]) == []
    assert desk.post(f"{LISTS['delivery']}filters/{saved.pk}/remove/").status_code == 404


def test_a_viewer_keeps_filters_too_and_a_stranger_none(client: Client, world: World) -> None:
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    save(client, "next=none")
    assert names(client) == ["Mine"]
    client.force_login(world.people["stranger"])
    assert save(client, "next=none").status_code == 403


@pytest.mark.parametrize(
    ("name", "query"),
    [("", "next=none"), ("  ", "next=none"), ("x" * 61, ""), ("x", "q=" + "y" * 999)],
)
def test_what_cannot_be_kept_is_said(desk: Client, name: str, query: str) -> None:
    answer = save(desk, query, name)
    assert answer.status_code == 302
    assert not SavedFilter.objects.exists()


def test_there_is_an_end_to_how_many(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "MOST", 2)
    for number in range(3):
        save(desk, f"q={number}", f"N {number}")
    assert names(desk) == ["N 0", "N 1"]
    save(desk, "next=today", "N 1")
    assert SavedFilter.objects.get(name="N 1").query == "next=today"


def test_a_name_shows_as_it_was_written(desk: Client) -> None:
    save(desk, "next=none", "<b>&")
    body = desk.get(f"{LIST}?all=1").content.decode()
    assert "&lt;b&gt;&amp;" in body and "<b>&" not in body


def test_one_that_says_what_there_no_longer_is_opens_the_list_all_the_same(desk: Client) -> None:
    save(desk, "gone__exact=1&next=none")
    assert SavedFilter.objects.get().query == "next=none"
    SavedFilter.objects.update(query="gone__exact=1", is_default=True)
    assert desk.get(LIST, follow=True).status_code == 200


def test_it_is_changed_by_a_post_alone(desk: Client) -> None:
    save(desk, "next=none")
    saved = SavedFilter.objects.get()
    for address in ("filters/save/", f"filters/{saved.pk}/remove/"):
        assert desk.get(f"{LIST}{address}").status_code == 405
    assert SavedFilter.objects.exists()


def test_the_database_knows_one_that_opens_a_list_and_one_of_each_name(clerk: User) -> None:
    values = {"user": clerk, "page": "schedule", "query": "q=1"}
    SavedFilter.objects.create(**values, name="One", is_default=True)
    for broken in ({"name": "Two", "is_default": True}, {"name": "One"}, {"name": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SavedFilter.objects.create(**values, **broken)


def test_thirty_filters_ask_no_more_than_one(desk: Client, clerk: User) -> None:
    address = f"{LIST}?all=1"
    save(desk, "q=x", "X")
    queries_of(desk, address)
    few = queries_of(desk, address)
    for number in range(29):
        SavedFilter.objects.create(user=clerk, page="schedule", name=f"{number}", query="q=1")
    assert queries_of(desk, address) == few
