"""Who reaches what, held to an oracle of plain sets: every role in every unit, every model."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db.models import Model

from orgs.models import Unit, User
from orgs.reach import Act, Belongs, OfAll, Role, can_in, within
from tests.conftest import World
from tests.tenants.canaries import make_canaries

pytestmark = pytest.mark.django_db

# The world of conftest.py once more, as sets: who stands in a unit or somewhere under it.
UNDER = {
    "hq": {"hq", "north", "south", "taipei", "tainan", "xinyi"},
    "north": {"north", "taipei", "xinyi"},
    "taipei": {"taipei", "xinyi"},
    "xinyi": {"xinyi"},
    "south": {"south", "tainan"},
    "tainan": {"tainan"},
}
ONLY_LOOKED_AT = {Act.VIEW, Act.USE}


def models() -> list[type[Model]]:
    return [model for model in apps.get_models() if hasattr(model, "reach")]


def units_that(unit: str, role: Role, act: Act, model: type[Model]) -> set[str]:
    """In which units' rows a member of `unit` with `role` may do `act`."""
    rule: Belongs | OfAll = model.reach  # type: ignore[attr-defined]
    is_top = unit == "hq"
    if isinstance(rule, OfAll):
        return UNDER["hq"] if is_top and role >= rule.least else set()
    if act in ONLY_LOOKED_AT:
        return UNDER[unit] if role >= rule.view else set()
    least = max(rule.write, Role.APPROVER) if act == Act.APPROVE else rule.write
    return UNDER[unit] if role >= least and (is_top or not rule.top) else set()


@pytest.fixture
def people(world: World) -> dict[tuple[str, Role], User]:
    units = {unit.code: unit for unit in Unit.objects.all()}
    return {(code, role): world.person(units[code], role) for code in UNDER for role in Role}


def test_every_role_in_every_unit_may_what_it_may_and_no_more(world: World, people) -> None:
    units = {unit.code: unit for unit in Unit.objects.all()}
    for (code, role), user in people.items():
        for model in models():
            for act in Act:
                may = {place for place in UNDER if can_in(user, act, model, units[place])}
                assert may == units_that(code, role, act, model), (code, role, act, model)


def test_no_rows_are_reached_but_those_of_these_units(
    world: World, people, make_schedule, settings, tmp_path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    make_canaries(world, make_schedule)
    code_of = dict(Unit.objects.values_list("path", "code"))
    for model, place_of in places(code_of):
        for (code, role), user in people.items():
            for act in (Act.VIEW, Act.CHANGE, Act.APPROVE):
                units = units_that(code, role, act, model)
                expected = {pk for pk, place in place_of.items() if place in units}
                reached = within(user, model._default_manager.all(), act)
                assert set(reached.values_list("pk", flat=True)) == expected, (code, role, model)


def places(code_of: dict[str, str]) -> Iterator[tuple[type[Model], dict[int, str]]]:
    """Of each model that has rows: whose they are."""
    for model in models():
        if isinstance(model.reach, OfAll):
            rows = dict.fromkeys(model._default_manager.values_list("pk", flat=True), "hq")
        else:
            columns = model._default_manager.values_list("pk", model.reach.path)
            rows = {pk: code_of.get(path, "") for pk, path in columns}
        if rows:
            yield model, rows


@pytest.mark.parametrize("who", ["stranger", "hq"], ids=["of no unit", "not active"])
def test_who_belongs_nowhere_reaches_nothing_of_any_model(world: World, who: str) -> None:
    User.objects.filter(username="hq").update(is_active=False)
    user = User.objects.get(username=who)
    for model in apps.get_models():
        for act in Act:
            assert not within(user, model._base_manager.all(), act).exists(), (model, act)
            assert not can_in(user, act, model, world.hq), (model, act)


def test_a_model_without_a_rule_is_reached_by_nobody(world: World) -> None:
    for model in apps.get_models():
        if not hasattr(model, "reach"):
            assert not within(world.people["hq"], model._base_manager.all()).exists(), model
