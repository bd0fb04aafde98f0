"""The tree of units in the admin."""

from typing import Any

import pytest
from django.test import Client

from logs.models import History
from orgs.models import Unit, User
from orgs.reach import Role
from tests.conftest import World
from tests.pages import queries_of

LIST, ADD = "/admin/orgs/unit/", "/admin/orgs/unit/add/"


def values(**other: Any) -> dict[str, Any]:
    return {
        "kind": "branch", "code": "new", "name": "New", "zone": "Asia/Taipei", "is_active": "on",
    } | other  # fmt: skip


def change_page(unit: Unit) -> str:
    return f"/admin/orgs/unit/{unit.pk}/change/"


def test_a_headquarters_manager_adds_a_unit_under_a_parent(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    answer = client.post(ADD, values(parent=world.taipei.pk))
    assert answer.status_code == 302
    assert Unit.objects.get_parent(Unit.objects.get(code="new")) == world.taipei
    assert list(History.objects.values_list("verb", "kind", "object_name")) == [
        ("created", "unit", "New")
    ]


@pytest.mark.parametrize(
    ("parent", "kind", "is_possible"),
    [
        ("hq", "agency", True),  # a level is skipped
        ("north", "branch", True),
        ("taipei", "distributor", False),
        ("taipei", "agency", False),
        ("hq", "headquarters", False),
        ("xinyi", "branch", False),
    ],
)
def test_levels_may_be_skipped_but_not_reversed(
    client: Client, world: World, parent: str, kind: str, is_possible: bool
) -> None:
    client.force_login(world.people["hq"])
    client.post(ADD, values(parent=getattr(world, parent).pk, kind=kind))
    assert Unit.objects.filter(code="new").exists() == is_possible


def test_only_a_superuser_adds_a_top_unit(client: Client, world: World) -> None:
    top = values(kind="headquarters", parent="")
    client.force_login(world.people["hq"])
    assert client.post(ADD, top).status_code == 200
    client.force_login(User.objects.create_superuser("root"))
    assert client.post(ADD, values(kind="branch", parent="")).status_code == 200
    assert client.post(ADD, top).status_code == 302
    assert Unit.objects.get(code="new").depth == 1


@pytest.mark.parametrize("person", ["north", "taipei", "xinyi", "stranger"])
def test_below_the_headquarters_nobody_adds_units(
    client: Client, world: World, person: str
) -> None:
    client.force_login(world.people[person])
    assert client.post(ADD, values(parent=world.taipei.pk)).status_code == 403


@pytest.mark.parametrize(
    ("person", "seen"),
    [
        ("hq", {"HQ", "North", "Taipei", "Xinyi", "South", "Tainan"}),
        ("north", {"North", "Taipei", "Xinyi"}),
        ("xinyi", {"Xinyi"}),
    ],
)
def test_people_see_their_own_unit_and_those_below(
    client: Client, world: World, person: str, seen: set[str]
) -> None:
    client.force_login(world.people[person])
    rows = client.get(LIST).context["cl"].queryset
    assert {unit.name for unit in rows} == seen


def test_neither_the_kind_nor_the_parent_of_a_unit_changes(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    posted = values(name="Renamed", kind="agency", parent=world.south.pk)
    assert client.post(change_page(world.xinyi), posted).status_code == 302
    unit = Unit.objects.get(pk=world.xinyi.pk)
    assert (unit.name, unit.kind, Unit.objects.get_parent(unit)) == (
        "Renamed",
        "branch",
        world.taipei,
    )


def test_nobody_makes_the_unit_inactive_to_which_they_belong(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    posted = values(code="hq", name="HQ")
    del posted["is_active"]
    assert client.post(change_page(world.hq), posted).status_code == 200
    assert Unit.objects.get(pk=world.hq.pk).is_active
    assert client.post(change_page(world.south), posted | {"code": "south"}).status_code == 302
    assert not Unit.objects.get(pk=world.south.pk).is_active


def test_units_are_never_deleted(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    assert (
        client.post(f"/admin/orgs/unit/{world.xinyi.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )
    posted = {"action": "delete_selected", "_selected_action": [world.xinyi.pk], "post": "yes"}
    client.post(LIST, posted)
    assert Unit.objects.filter(pk=world.xinyi.pk).exists()


def test_a_viewer_of_the_headquarters_changes_nothing(client: Client, world: World) -> None:
    client.force_login(world.person(world.hq, Role.VIEWER))
    assert client.get(change_page(world.xinyi)).status_code == 200
    assert client.post(change_page(world.xinyi), values()).status_code == 403


def test_the_list_asks_the_same_number_of_questions_for_one_unit_and_for_thirty(
    client: Client, world: World
) -> None:
    client.force_login(world.people["xinyi"])
    one = queries_of(client, LIST)
    for number in range(30):
        Unit.objects.plant(world.xinyi, kind="branch", code=f"b{number}", name=f"B{number}")
    assert queries_of(client, LIST) == one
