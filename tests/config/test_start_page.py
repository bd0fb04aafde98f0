"""The page after signing in, and the sidebar."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from channels.models import Account
from orgs.models import User
from orgs.reach import Role
from schedules import actions
from schedules.models import Schedule
from tests.conftest import World

START, NOT_CONFIRMED = "/admin/", "/admin/not-confirmed/"


def titles(client: Client) -> list[str]:
    return [item["schedule"].title for item in client.get(START).context.get("coming", [])]


@pytest.mark.parametrize(
    ("person", "seen"),
    [("hq", ["Soon", "Later"]), ("taipei", ["Soon", "Later"]), ("tainan", []), ("stranger", [])],
)
def test_what_comes_next_is_shown_within_reach_the_soonest_first(
    client: Client, world: World, make_schedule: Callable[..., Schedule], person: str,
    seen: list[str],
) -> None:  # fmt: skip
    for title, due_in in (("Later", 7200), ("Soon", 3600)):
        draft = make_schedule(title=title, due_in=due_in)
        actions.register(draft, by=world.people["xinyi"])
    make_schedule(title="Draft")
    client.force_login(world.people[person])
    assert titles(client) == seen


@pytest.mark.django_db(transaction=True)
def test_what_was_not_confirmed_today_is_counted(
    client: Client,
    world: World,
    make_schedule: Callable[..., Schedule],
    dispatch: Callable[[], int],
) -> None:
    lossy = {"behaviour": "lose", "honours_key": "no"}
    Account.objects.filter(pk=world.sandbox.pk).update(config=lossy)
    draft = make_schedule(timing_kind="now", date=None, time=None)
    actions.register(draft, by=world.people["xinyi"])
    dispatch()
    for person, count in (("taipei", 1), ("tainan", 0)):
        client.force_login(world.people[person])
        page: Any = client.get(START)
        card = page.context["cards"][-1]
        assert (card.number, card.words, card.address) == (count, "not confirmed", NOT_CONFIRMED)
        assert len(page.context["latest"]) == count


@pytest.mark.parametrize(("role", "is_offered"), [(Role.VIEWER, False), (Role.OPERATOR, True)])
def test_only_who_may_register_is_offered_to(
    client: Client, world: World, role: Role, is_offered: bool
) -> None:
    client.force_login(world.person(world.xinyi, role))
    assert client.get(START).context["can_register"] == is_offered


def test_a_stranger_is_told_so_and_a_superuser_sees_all(
    client: Client, world: World, make_schedule: Callable[..., Schedule]
) -> None:
    actions.register(make_schedule(title="Soon"), by=world.people["xinyi"])
    client.force_login(world.people["stranger"])
    assert "You belong to no unit yet" in client.get(START).content.decode()
    client.force_login(User.objects.create_superuser("root"))
    assert titles(client) == ["Soon"]


def test_the_sidebar_shows_only_what_can_be_opened(client: Client, world: World) -> None:
    for person, has_accounts in ((world.people["xinyi"], True),
                                 (world.person(world.xinyi, Role.OPERATOR), False)):  # fmt: skip
        client.force_login(person)
        groups = client.get(START).context["sidebar_navigation"]
        links = [item["link"] for group in groups for item in group["items"]]
        assert ("/admin/channels/account/" in links) == has_accounts
        assert [client.get(link).status_code for link in links] == [200] * len(links)


def test_the_page_of_an_app_names_its_models(client: Client, world: World) -> None:
    client.force_login(world.people["xinyi"])
    page = client.get("/admin/channels/").content.decode()
    assert '<a href="/admin/channels/room/"' in page
    assert client.get(START).context["available_apps"] == []


@pytest.mark.django_db(transaction=True)
def test_the_success_of_one_day_is_a_bar_with_its_day(
    client: Client,
    world: World,
    make_schedule: Callable[..., Schedule],
    dispatch: Callable[[], int],
) -> None:
    draft = make_schedule(timing_kind="now", date=None, time=None)
    actions.register(draft, by=world.people["xinyi"])
    dispatch()
    client.force_login(world.people["xinyi"])
    page: Any = client.get(START)
    (day,) = page.context["success"].days
    said = page.content.decode()
    assert f"So far of one day: {day.day:%Y-%m-%d}, 100 %" in said
    assert said.count('class="st-alone"') == 1
    assert said.count('class="st-line"') == 0
