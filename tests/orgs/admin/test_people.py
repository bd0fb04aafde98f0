"""Who may grant what to whom."""

from typing import Any

import pytest
from django.test import Client

from logs.models import History
from orgs.models import Member, Unit, User
from orgs.reach import Role
from tests.conftest import World
from tests.pages import queries_of

LIST, ADD = "/admin/orgs/member/", "/admin/orgs/member/add/"
PASSWORD = "a fine long phrase 7"


def values(unit: Unit, role: Role = Role.OPERATOR, **other: Any) -> dict[str, Any]:
    return {
        "username": "mina", "first_name": "Mina", "email": "", "password": PASSWORD,
        "unit": unit.pk, "role": role.value, "is_active": "on",
    } | other  # fmt: skip


def change_page(member: Member) -> str:
    return f"/admin/orgs/member/{member.pk}/change/"


def test_one_page_makes_the_user_and_the_membership(client: Client, world: World) -> None:
    client.force_login(world.people["taipei"])
    assert client.post(ADD, values(world.xinyi)).status_code == 302
    user = User.objects.get(username="mina")
    assert (user.member.unit, user.member.role) == (world.xinyi, Role.OPERATOR)
    assert (user.first_name, user.is_staff, user.is_superuser) == ("Mina", True, False)
    assert Client().login(username="mina", password=PASSWORD)


def test_the_password_stands_neither_in_the_history_nor_on_a_page(
    client: Client, world: World
) -> None:
    client.force_login(world.people["hq"])
    refused = client.post(ADD, values(world.xinyi, username=""))
    assert refused.status_code == 200 and PASSWORD not in refused.content.decode()
    client.post(ADD, values(world.xinyi))
    member = Member.objects.get(user__username="mina")
    client.post(change_page(member), values(world.xinyi, password="another long phrase 8"))
    page = client.get(change_page(member)).content.decode()
    kept = str(list(History.objects.values()))
    assert "Mina" in page and "mina" in kept
    for text in (page, kept):
        assert PASSWORD not in text and "another long phrase 8" not in text
    assert Client().login(username="mina", password="another long phrase 8")


def test_an_empty_password_keeps_the_present_one(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    client.post(ADD, values(world.xinyi))
    member = Member.objects.get(user__username="mina")
    client.post(change_page(member), values(world.tainan, password="", first_name="Min"))
    assert Client().login(username="mina", password=PASSWORD)
    assert Member.objects.get(pk=member.pk).unit == world.tainan


@pytest.mark.parametrize("unit", ["hq", "north", "south", "tainan"])
def test_nobody_is_put_into_a_unit_out_of_reach(client: Client, world: World, unit: str) -> None:
    client.force_login(world.people["taipei"])
    assert client.post(ADD, values(getattr(world, unit))).status_code == 200
    assert not User.objects.filter(username="mina").exists()


def test_a_weak_password_and_a_taken_user_name_are_refused(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    answer = client.post(ADD, values(world.xinyi, username="hq", password="12345"))
    assert {"username", "password"} <= set(answer.context["adminform"].form.errors)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.APPROVER])
def test_only_managers_edit_people(client: Client, world: World, role: Role) -> None:
    client.force_login(world.person(world.hq, role))
    member = world.people["xinyi"].member
    assert client.get(change_page(member)).status_code == 200
    assert client.post(change_page(member), values(world.xinyi)).status_code == 403
    assert client.post(ADD, values(world.xinyi)).status_code == 403


@pytest.mark.parametrize(
    ("person", "seen"),
    [
        ("hq", {"hq", "north", "taipei", "xinyi", "south", "tainan"}),
        ("taipei", {"taipei", "xinyi"}),
        ("tainan", {"tainan"}),
    ],
)
def test_people_see_people_of_their_subtree(
    client: Client, world: World, person: str, seen: set[str]
) -> None:
    client.force_login(world.people[person])
    rows = client.get(LIST).context["cl"].queryset
    assert {member.user.username for member in rows} == seen


def test_a_foreign_person_is_as_one_who_does_not_exist(client: Client, world: World) -> None:
    client.force_login(world.people["taipei"])
    foreign = client.get(change_page(world.people["south"].member))
    missing = client.get("/admin/orgs/member/999999/change/")
    assert foreign.status_code == missing.status_code == 302
    assert foreign.url == missing.url


def test_nobody_changes_their_own_role_unit_or_activity(client: Client, world: World) -> None:
    user = world.people["north"]
    client.force_login(user)
    posted = values(world.taipei, Role.VIEWER, username="north", password="", first_name="Nor")
    del posted["is_active"]
    assert client.post(change_page(user.member), posted).status_code == 302
    member = Member.objects.get(user=user)
    assert (member.unit, member.role, member.user.is_active) == (world.north, Role.MANAGER, True)
    assert member.user.first_name == "Nor"
    assert (
        client.post(f"/admin/orgs/member/{member.pk}/delete/", {"post": "yes"}).status_code == 403
    )


def test_a_superuser_is_edited_by_superusers_only(client: Client, world: World) -> None:
    root = User.objects.create_superuser("root", password="only mine 11")
    member = Member.objects.create(user=root, unit=world.xinyi, role=Role.VIEWER)
    client.force_login(world.people["hq"])
    posted = values(world.xinyi, username="root", password=PASSWORD)
    assert client.post(change_page(member), posted).status_code == 403
    assert Client().login(username="root", password="only mine 11")


@pytest.mark.parametrize(
    "change", [{"role": Role.VIEWER.value}, {"unit": "north"}, {"is_active": None}]
)
def test_the_last_manager_of_a_top_unit_stays(
    client: Client, world: World, change: dict[str, Any]
) -> None:
    client.force_login(User.objects.create_superuser("root"))
    member = world.people["hq"].member
    if change.get("unit"):
        change = {"unit": world.north.pk}
    posted = values(world.hq, Role.MANAGER, username="hq", password="") | change
    posted = {name: value for name, value in posted.items() if value is not None}
    assert client.post(change_page(member), posted).status_code == 200
    assert (
        client.post(f"/admin/orgs/member/{member.pk}/delete/", {"post": "yes"}).status_code == 403
    )
    world.person(world.hq, Role.MANAGER)
    assert client.post(change_page(member), posted).status_code == 302


def test_whoever_is_removed_cannot_sign_in_any_more(client: Client, world: World) -> None:
    client.force_login(world.people["taipei"])
    member = world.people["xinyi"].member
    client.post(f"/admin/orgs/member/{member.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(username="xinyi").exists()
    assert History.objects.get(verb="deleted").object_name.startswith("xinyi")


def test_the_list_asks_the_same_number_of_questions_for_one_person_and_for_thirty(
    client: Client, world: World
) -> None:
    client.force_login(world.people["xinyi"])
    one = queries_of(client, LIST)
    for number in range(30):
        user = User.objects.create(username=f"p{number}", is_staff=True)
        Member.objects.create(user=user, unit=world.xinyi, role=Role.VIEWER)
    assert queries_of(client, LIST) == one
