"""Who may plant, change and stop which unit."""

import pytest

from logs.models import History
from orgs.actions.units import change_unit, plant
from orgs.models import Unit, User
from orgs.reach import Role
from orgs.refusal import OutOfReach, Refused
from tests.conftest import World
from tests.schedules.at_once import at_once

NEW = {"kind": "branch", "code": "new", "name": "New"}


def test_a_planted_unit_stands_under_its_parent_and_in_the_history(world: World) -> None:
    unit = plant(NEW, by=world.people["hq"], parent=world.taipei)
    assert Unit.objects.get_parent(unit) == world.taipei
    entry = History.objects.get()
    assert (entry.verb, entry.unit_path, entry.actor) == ("created", unit.path, "hq")
    assert entry.changes["name"] == [None, "New"]


@pytest.mark.parametrize("person", ["north", "taipei", "stranger"])
def test_only_managers_of_a_headquarters_act_on_units(world: World, person: str) -> None:
    by = world.people[person]
    with pytest.raises(OutOfReach):
        plant(NEW, by=by, parent=world.taipei)
    with pytest.raises(OutOfReach):
        change_unit(world.taipei, {"name": "Mine"}, by=by)
    with pytest.raises(OutOfReach):
        plant({**NEW, "kind": "headquarters"}, by=world.people["hq"], parent=None)
    assert Unit.objects.count() == 6


@pytest.mark.parametrize(
    ("values", "field"),
    [({"code": "tainan"}, "code"), ({"zone": "Mars/Base"}, "zone"), ({"name": ""}, "name")],
)
def test_what_a_unit_refuses_is_told_and_changes_nothing(
    world: World, values: dict, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        change_unit(world.xinyi, values, by=world.people["hq"])
    assert field in refused.value.problems or "__all__" in refused.value.problems
    assert Unit.objects.get(pk=world.xinyi.pk).code == "xinyi"
    assert not History.objects.exists()


def test_a_superuser_does_not_stop_a_headquarters_that_has_managers(world: World) -> None:
    root = User.objects.create_superuser("root")
    with pytest.raises(Refused) as refused:
        change_unit(world.hq, {"is_active": False}, by=root)
    assert list(refused.value.problems) == ["is_active"]
    world.people["hq"].member.delete()
    assert not change_unit(world.hq, {"is_active": False}, by=root).is_active


def test_nobody_stops_the_unit_on_which_they_stand(world: World) -> None:
    second = world.person(world.hq, Role.MANAGER)
    with pytest.raises(Refused):
        change_unit(world.hq, {"is_active": False}, by=second)
    assert not change_unit(world.south, {"is_active": False}, by=second).is_active


@pytest.mark.django_db(transaction=True)
def test_units_that_are_planted_at_once_get_a_path_each(world: World) -> None:
    def add(code: str) -> Unit:
        by = User.objects.get(username="hq")
        return plant({**NEW, "code": code}, by=by, parent=world.taipei)

    found = at_once(*[lambda code=code: add(code) for code in ("a", "b", "c")])
    assert len({unit.path for unit in found}) == 3
    assert Unit.objects.find_problems() == ([], [], [], [], [])
