"""Who may freeze, who may lift it, and what stays of both."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from logs.models import History
from orgs.models import User
from orgs.reach import Role
from schedules.actions import OutOfReach, Refused
from schedules.actions.freeze import freeze, unfreeze
from schedules.models import Freeze
from tests.conftest import World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("person", ["xinyi", "tainan", "stranger"])
def test_nobody_freezes_what_is_not_below_them(world: World, person: str) -> None:
    for subject in (world.north, world.sandbox):
        with pytest.raises(OutOfReach):
            freeze(subject, by=world.people[person], why="x")
    assert not Freeze.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.APPROVER])
def test_only_a_manager_freezes_and_lifts(world: World, role: Role) -> None:
    person = world.person(world.hq, role)
    with pytest.raises(OutOfReach):
        freeze(world.north, by=person, why="x")
    row = freeze(world.north, by=world.people["north"], why="x")
    with pytest.raises(OutOfReach):
        unfreeze(row, by=person, why="x")


def test_both_ask_for_the_reason_and_stand_in_the_history(world: World) -> None:
    hq = world.people["hq"]
    with pytest.raises(Refused, match="why"):
        freeze(world.north, by=hq, why="  ")
    row = freeze(world.north, by=hq, why=" wrong prices ")
    with pytest.raises(Refused, match="why"):
        unfreeze(row, by=hq, why="")
    unfreeze(row, by=hq, why="mended")
    told = History.objects.filter(kind="unit", object_id=str(world.north.pk))
    assert list(told.order_by("id").values_list("verb", "actor", "changes__why")) == [
        ("frozen", "hq", "wrong prices"),
        ("unfrozen", "hq", "mended"),
    ]


def test_what_is_frozen_is_not_frozen_twice_and_is_lifted_once(world: World) -> None:
    hq = world.people["hq"]
    for subject in (world.north, world.sandbox):
        row = freeze(subject, by=hq, why="x")
        with pytest.raises(Refused, match="already"):
            freeze(subject, by=hq, why="y")
        unfreeze(row, by=hq, why="z")
        with pytest.raises(Refused, match="already, by hq"):
            unfreeze(row, by=hq, why="z")
        freeze(subject, by=hq, why="again")


def test_who_is_frozen_from_above_does_not_lift_it(world: World) -> None:
    row = freeze(world.xinyi, by=world.people["north"], why="x")
    for below in ("taipei", "xinyi"):
        with pytest.raises(Refused, match="North"):
            unfreeze(row, by=world.people[below], why="I want to send")
    with pytest.raises(OutOfReach):
        unfreeze(row, by=world.people["tainan"], why="x")
    unfreeze(row, by=world.people["hq"], why="settled")


def test_a_superuser_freezes_from_the_top(world: World) -> None:
    row = freeze(world.xinyi, by=User.objects.create_superuser("root"), why="x")
    assert row.placed_from == world.hq


@pytest.mark.parametrize(
    "values",
    [{}, {"unit": True, "account": True}, {"unit": True, "lifted_by": "hq"},
     {"unit": True, "lifted_why": "x"}],
)  # fmt: skip
def test_the_table_takes_no_half_freeze(world: World, values: dict[str, Any]) -> None:
    subjects = {"unit": world.north, "account": world.sandbox}
    facts = {name: subjects.get(name, value) for name, value in values.items()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Freeze.objects.create(
            unit_path=world.north.path, name="x", why="x", frozen_by="hq", placed_from=world.hq,
            frozen_at="2026-01-01T00:00Z", **facts,
        )  # fmt: skip
