"""Who may let join, change and remove whom."""

import pytest

from logs.models import History
from orgs.actions.members import change_member, join, remove
from orgs.models import Member, User
from orgs.reach import Role
from orgs.refusal import OutOfReach, Refused
from tests.conftest import World
from tests.schedules.at_once import at_once

MINA = {"username": "mina", "role": Role.OPERATOR}


def test_who_joins_without_a_password_cannot_sign_in_yet(world: World) -> None:
    member = join(MINA, by=world.people["taipei"], unit=world.xinyi)
    assert (member.unit, member.role) == (world.xinyi, Role.OPERATOR)
    assert not member.user.has_usable_password() and member.user.is_staff
    entry = History.objects.get(kind="member")
    assert (entry.verb, entry.actor, entry.unit_path) == ("created", "taipei", world.xinyi.path)
    assert entry.changes["role"] == [None, Role.OPERATOR]


@pytest.mark.parametrize("unit", ["hq", "north", "south", "tainan"])
def test_nobody_is_put_or_moved_out_of_reach(world: World, unit: str) -> None:
    taipei, there = world.people["taipei"], getattr(world, unit)
    with pytest.raises(OutOfReach):
        join(MINA, by=taipei, unit=there)
    with pytest.raises(OutOfReach):
        change_member(world.people["xinyi"].member, {"unit": there}, by=taipei)
    assert Member.objects.get(user__username="xinyi").unit == world.xinyi


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.APPROVER])
def test_only_managers_act_on_people(world: World, role: Role) -> None:
    person, other = world.person(world.hq, role), world.people["xinyi"].member
    for act in (
        lambda: join(MINA, by=person, unit=world.xinyi),
        lambda: change_member(other, {"role": Role.VIEWER}, by=person),
        lambda: remove(other, by=person),
    ):
        with pytest.raises(OutOfReach):
            act()


def test_a_taken_user_name_and_a_weak_password_are_told_by_field(world: World) -> None:
    with pytest.raises(Refused) as refused:
        join(MINA | {"username": "north"}, by=world.people["hq"], unit=world.xinyi)
    assert list(refused.value.problems) == ["username"]
    with pytest.raises(Refused) as refused:
        join(MINA, by=world.people["hq"], unit=world.xinyi, password="12345")
    assert list(refused.value.problems) == ["password"]
    assert not User.objects.filter(username="mina").exists()


def test_nobody_changes_their_own_role_or_removes_themselves(world: World) -> None:
    north = world.people["north"]
    for values in ({"role": Role.VIEWER}, {"unit": world.taipei}, {"is_active": False}):
        with pytest.raises(Refused):
            change_member(north.member, values, by=north)
    with pytest.raises(Refused):
        remove(north.member, by=north)
    assert change_member(north.member, {"first_name": "Nora"}, by=north).user.first_name == "Nora"


def test_what_stays_as_it_was_is_no_entry_of_the_history(world: World) -> None:
    change_member(world.people["xinyi"].member, {"role": Role.MANAGER}, by=world.people["hq"])
    assert not History.objects.exists()


@pytest.mark.parametrize(
    "values", [{"role": Role.VIEWER}, {"unit": "north"}, {"is_active": False}, None]
)
def test_the_last_manager_of_a_top_unit_stays_even_for_a_superuser(
    world: World, values: dict | None
) -> None:
    root, member = User.objects.create_superuser("root"), world.people["hq"].member
    if values and "unit" in values:
        values = {"unit": world.north}

    def act() -> None:
        if values is None:
            remove(member, by=root)
        else:
            change_member(member, values, by=root)

    with pytest.raises(Refused, match="last manager"):
        act()
    world.person(world.hq, Role.MANAGER)
    act()


@pytest.mark.django_db(transaction=True)
def test_of_two_managers_who_remove_each_other_at_once_one_stays(world: World) -> None:
    first, second = world.people["hq"], world.person(world.hq, Role.MANAGER)
    members = [first.member, second.member]
    answers = at_once(
        lambda: remove(members[1], by=User.objects.get(pk=first.pk)),
        lambda: remove(members[0], by=User.objects.get(pk=second.pk)),
    )
    assert Member.objects.filter(unit=world.hq, role=Role.MANAGER).count() == 1
    assert sorted(isinstance(answer, Refused) for answer in answers) == [False, True]


@pytest.mark.django_db(transaction=True)
def test_of_two_managers_who_demote_and_stop_each_other_at_once_one_stays(world: World) -> None:
    first, second = world.people["hq"], world.person(world.hq, Role.MANAGER)
    members = [first.member, second.member]
    at_once(
        lambda: change_member(members[1], {"role": Role.VIEWER}, by=User.objects.get(pk=first.pk)),
        lambda: change_member(members[0], {"is_active": False}, by=User.objects.get(pk=second.pk)),
    )
    left = Member.objects.filter(unit=world.hq, role=Role.MANAGER, user__is_active=True)
    assert left.count() == 1
