"""The page on which a unit is moved."""

import pytest
from django.test import Client

from config.organisation import move_page
from orgs.models import Unit
from schedules.actions import register
from tests.conftest import World
from tests.pages import queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(world: World) -> Client:
    client = Client()
    client.force_login(world.people["hq"])
    return client


def page(unit: Unit) -> str:
    return f"/admin/organisation/{unit.pk}/move/"


def test_the_chart_leads_to_it_and_it_leads_back(world: World, client: Client) -> None:
    assert page(world.north) in client.get("/admin/organisation/").text
    assert page(world.hq) not in client.get("/admin/organisation/").text
    asked = client.get(page(world.taipei), {"parent": world.south.pk}).text
    assert "Move it under South" in asked
    answer = client.post(page(world.taipei), {"parent": world.south.pk})
    assert answer["Location"] == f"/admin/organisation/?open={world.taipei.pk}"
    assert Unit.objects.get_parent(Unit.objects.get(pk=world.taipei.pk)) == world.south


def test_units_of_a_higher_kind_are_offered_and_narrowed(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offered(**query: str) -> list[str]:
        return [unit.code for unit in client.get(page(world.xinyi), query).context["places"]]

    assert offered() == ["hq", "north", "south"]
    monkeypatch.setattr(move_page, "OFFERED", 2)
    assert offered() == ["hq", "north"]
    assert offered(q="sou") == ["south"]


def test_what_stands_against_it_is_named_and_no_button_offered(
    world: World, client: Client, make_schedule
) -> None:
    register(make_schedule(unit=world.north, title="Mine"), by=world.people["north"])
    asked = client.get(page(world.taipei), {"parent": world.south.pk}).text
    assert "“Mine”" in asked and "Move it under" not in asked
    answer = client.post(page(world.taipei), {"parent": world.south.pk})
    assert answer.status_code == 200 and "“Mine”" in answer.text
    assert Unit.objects.get(pk=world.taipei.pk).path == world.taipei.path


@pytest.mark.parametrize("parent", ["", "x", "999999", "²", "9" * 40])
def test_no_parent_moves_nothing(world: World, client: Client, parent: str) -> None:
    for answer in (
        client.get(page(world.taipei), {"parent": parent}),
        client.post(page(world.taipei), {"parent": parent}),
    ):
        assert answer.status_code == 200
    assert Unit.objects.get(pk=world.taipei.pk).path == world.taipei.path


@pytest.mark.parametrize("who", ["north", "taipei", "stranger"])
def test_nobody_else_finds_it(world: World, who: str) -> None:
    client = Client()
    client.force_login(world.people[who])
    assert client.get(page(world.taipei)).status_code == 404
    assert client.post(page(world.taipei), {"parent": world.hq.pk}).status_code == 404
    assert "/move/" not in client.get("/admin/organisation/").text


def test_it_asks_alike_for_few_and_for_many_units(world: World, client: Client) -> None:
    address = f"{page(world.taipei)}?parent={world.south.pk}"
    few = queries_of(client, address)
    for number in range(30):
        values = {"kind": "distributor", "code": f"d{number}", "name": f"D {number}"}
        Unit.objects.plant(world.hq, zone="Asia/Taipei", **values)
    assert queries_of(client, address) == few
