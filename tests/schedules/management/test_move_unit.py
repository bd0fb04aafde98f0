"""`manage.py move_unit`."""

import pytest

from logs.models import History
from orgs.models import Unit
from schedules.actions import register
from tests.conftest import World

pytestmark = pytest.mark.django_db


def test_a_unit_is_moved_once_it_was_looked_at(world: World, manage) -> None:
    words = ("move_unit", "taipei", "--under", "south")
    said = manage(*words, "--dry-run", "--json")
    assert (said.status, said.json) == (0, {"moved": False, "barred": [], "told": []})
    assert Unit.objects.get(code="taipei").path == world.taipei.path
    said = manage(*words, "--by", "hq")
    assert (said.status, said.out) == (0, "Taipei stands under South.\n")
    entry = History.objects.get(verb="moved")
    assert (entry.actor, entry.via) == ("hq", "command")


def test_what_stands_against_it_is_an_exit_status(world: World, manage, make_schedule) -> None:
    register(make_schedule(unit=world.north, title="Mine"), by=world.people["north"])
    said = manage("move_unit", "taipei", "--under", "south")
    assert said.status == 1 and "“Mine”" in said.out
    assert manage("move_unit", "taipei", "--under", "xinyi").status == 1
    assert manage("move_unit", "taipei", "--under", "south", "--by", "north").status == 1
    assert manage("move_unit", "nowhere", "--under", "south").status == 2
