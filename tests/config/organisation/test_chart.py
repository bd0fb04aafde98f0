"""The organisation chart: what a person reaches, a level at a time, with what hangs on it."""

import re
from typing import Any

import pytest
from django.test import Client

from channels.models import Room
from config.organisation import branches
from config.organisation.nodes import NAMED, Node
from orgs.models import Member, Unit, User
from orgs.reach import Role
from schedules.actions.freeze import freeze
from tests.conftest import World
from tests.pages import queries_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/organisation/"


def drawn(nodes: list[Node]) -> dict[str, Any]:
    return {node.unit.code: drawn(node.children) for node in nodes}


def shown(client: Client, address: str = PAGE) -> list[str]:
    """The names of the units on a page, from the top down."""
    return re.findall(r'<a id="name-\d+"[^>]*>([^<]+)</a>', client.get(address).text)


@pytest.fixture
def branch_of(world: World) -> Any:
    """A branch under this unit."""

    def make(parent: Unit, number: int) -> Unit:
        values = {"kind": "branch", "code": f"b{number}", "name": f"Branch {number}"}
        return Unit.objects.plant(parent, zone="Asia/Taipei", **values)

    return make


def test_the_chart_begins_with_ones_own_unit_and_the_units_under_it(world: World) -> None:
    assert drawn(branches.opened(world.people["hq"], None)) == {"hq": {"north": {}, "south": {}}}
    assert drawn(branches.opened(world.people["taipei"], None)) == {"taipei": {"xinyi": {}}}


def test_it_is_opened_down_to_a_unit(world: World) -> None:
    assert drawn(branches.opened(world.people["hq"], world.taipei)) == {
        "hq": {"north": {"taipei": {"xinyi": {}}}, "south": {}}
    }


def test_a_stranger_finds_no_chart_and_nobody_opens_what_they_do_not_reach(world: World) -> None:
    client = Client()
    client.force_login(world.people["stranger"])
    assert client.get(PAGE).status_code == 404
    client.force_login(world.people["taipei"])
    assert shown(client, f"{PAGE}?open={world.south.pk}") == ["Taipei", "Xinyi"]
    assert client.get(f"{PAGE}{world.south.pk}/branches/").status_code == 404


@pytest.mark.parametrize("key", ["", "x", "0", "9" * 30, "-1"])
def test_an_address_that_names_no_unit_shows_the_chart(world: World, key: str) -> None:
    client = Client()
    client.force_login(world.people["hq"])
    assert shown(client, f"{PAGE}?open={key}") == ["HQ", "North", "South"]


def test_a_unit_counts_what_it_has_and_what_all_under_it_have(
    world: World, make_schedule: Any
) -> None:
    make_schedule()
    (hq,) = branches.opened(world.people["hq"], None)
    counts = {node.unit.code: (node.rooms, node.schedules) for node in [hq, *hq.children]}
    assert counts == {"hq": (3, 1), "north": (2, 1), "south": (1, 0)}


def test_people_are_named_the_highest_role_first_and_the_rest_counted(world: World) -> None:
    for number in range(NAMED + 2):
        user = User.objects.create(username=f"p{number}", is_staff=True)
        Member.objects.create(user=user, unit=world.taipei, role=Role.VIEWER)
    (taipei,) = branches.opened(world.people["taipei"], None)
    assert [member.user.username for member in taipei.people] == ["taipei", "p0", "p1", "p2"]
    assert taipei.more_people == 3


def test_what_is_inactive_frozen_or_needs_approval_says_so_and_so_do_those_under_it(
    world: World,
) -> None:
    freeze(world.taipei, by=world.people["north"], why="prices")
    Unit.objects.filter(pk=world.north.pk).update(approval="demanded")
    Unit.objects.filter(pk=world.xinyi.pk).update(is_active=False)
    (hq,) = branches.opened(world.people["hq"], world.taipei)
    north = hq.children[0]
    taipei = north.children[0]
    xinyi = taipei.children[0]
    assert [node.freeze for node in (north, taipei, xinyi)] == ["", "own", "above"]
    assert [bool(n.demands) for n in (hq, north, xinyi)] == [False, True, True]
    Unit.objects.filter(pk=world.north.pk).update(is_active=False)
    (hq,) = branches.opened(world.people["hq"], world.taipei)
    assert hq.children[0].children[0].is_stopped


def test_a_search_finds_units_and_the_units_of_people_with_the_way_down(world: World) -> None:
    Unit.objects.filter(pk=world.tainan.pk).update(name="Night market")
    nodes, _more = branches.found(world.people["hq"], "market")
    assert drawn(nodes) == {"hq": {"south": {"tainan": {}}}}
    User.objects.filter(username="xinyi").update(first_name="Kim Minji")
    nodes, _more = branches.found(world.people["hq"], "minji")
    assert drawn(nodes) == {"hq": {"north": {"taipei": {"xinyi": {}}}}}
    assert branches.found(world.people["taipei"], "market") == ([], False)


def test_many_children_come_in_pages(world: World, branch_of: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(branches, "CHILDREN", 2)
    for number in range(4):
        branch_of(world.taipei, number)
    client = Client()
    client.force_login(world.people["taipei"])
    first = client.get(PAGE).text
    assert shown(client) == ["Taipei", "Xinyi", "Branch 0"]
    (further,) = re.findall(r'data-more="([^"]+)"', first)
    assert "3 more units" in first
    assert shown(client, further) == ["Branch 1", "Branch 2"]
    text = client.get(further).text
    assert 'aria-posinset="3" aria-setsize="5"' in text
    # What is opened is shown wherever it stands among its siblings.
    last = Unit.objects.get(code="b3")
    assert "Branch 3" in shown(client, f"{PAGE}?open={last.pk}")


def test_who_may_adds_units_and_people_where_they_stand(world: World) -> None:
    client = Client()
    client.force_login(world.people["hq"])
    page = client.get(PAGE).text
    assert f"/admin/orgs/unit/add/?parent={world.north.pk}" in page
    form = client.get(f"/admin/orgs/unit/add/?parent={world.north.pk}")
    assert form.context["adminform"].form["parent"].value() == str(world.north.pk)
    form = client.get(f"/admin/orgs/member/add/?unit={world.north.pk}")
    assert form.context["adminform"].form["unit"].value() == str(world.north.pk)
    client.force_login(world.person(world.north, Role.VIEWER))
    assert "/add/" not in client.get(PAGE).text


def test_three_units_and_three_hundred_take_the_same_queries(world: World, branch_of: Any) -> None:
    client = Client()
    client.force_login(world.people["hq"])
    address = f"{PAGE}?open={world.taipei.pk}"
    client.get(address)
    few = queries_of(client, address)
    for number in range(60):
        unit = branch_of(world.taipei, number)
        Member.objects.create(
            user=User.objects.create(username=f"n{number}"), unit=unit, role=Role.VIEWER
        )
        Room.objects.create(unit=unit, account=world.sandbox, name="r", address=f"r{number}")
    assert queries_of(client, address) == few
    assert len(shown(client, address)) == 65
