"""Units and members by a program."""

from typing import Any

import pytest

from logs.models import History
from orgs.models import Member, Unit
from orgs.reach import Role
from tests.conftest import World
from tests.pages import queries_of
from tests.schedules.api.calling import Caller, caller, ids

pytestmark = pytest.mark.django_db

BRANCH = {"kind": "branch", "code": "new", "name": "New"}


@pytest.fixture
def hq(world: World) -> Caller:
    return caller(world.people["hq"], "read", "organisation")


def test_units_are_listed_with_their_parents_as_far_as_one_reaches(
    world: World, hq: Caller
) -> None:
    found = {row["code"]: row["parent"] for row in hq.get("/units").json()["results"]}
    assert found == {
        "hq": None, "north": world.hq.pk, "taipei": world.north.pk, "xinyi": world.taipei.pk,
        "south": world.hq.pk, "tainan": world.south.pk,
    }  # fmt: skip
    taipei = caller(world.people["taipei"]).get("/units").json()["results"]
    shown = {row["code"]: row["parent"] for row in taipei}
    assert shown == {"taipei": None, "xinyi": world.taipei.pk}
    assert ids(hq.get("/units?kind=branch&search=xin")) == [world.xinyi.pk]


def test_a_unit_is_made_and_changed_once_for_a_key(world: World, hq: Caller) -> None:
    body = BRANCH | {"parent": world.taipei.pk}
    made = [hq.post("/units", body, **{"Idempotency-Key": "k"}) for _time in range(2)]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json() == made[1].json() and made[0].json()["parent"] == world.taipei.pk
    pk = made[0].json()["id"]
    assert hq.patch(f"/units/{pk}", {"name": "Newer"}).json()["name"] == "Newer"
    assert hq.patch(f"/units/{pk}", {"parent": world.south.pk}).status_code == 400
    assert hq.patch(f"/units/{pk}", {"kind": "agency"}).status_code == 400
    assert hq.post("/units", body).status_code == 409  # the code is taken
    assert list(History.objects.order_by("id").values_list("verb", "via")) == [
        ("created", "api"),
        ("updated", "api"),
    ]


def test_a_member_joins_changes_and_is_removed(world: World, hq: Caller) -> None:
    made = hq.post("/members", {"unit": world.xinyi.pk, "role": "operator", "username": "mina"})
    assert (made.status_code, made.json()["role"]) == (201, "operator")
    path = f"/members/{made.json()['id']}"
    assert hq.patch(path, {"role": "approver", "email": "m@example.com"}).json()["email"]
    assert Member.objects.get(user__username="mina").role == Role.APPROVER
    assert ids(hq.get("/members?role=approver")) == [made.json()["id"]]
    assert hq.patch(path, {"password": "a fine long phrase 7"}).status_code == 400
    assert hq("delete", path).status_code == 204
    assert hq.get(path).status_code == 404


def test_the_last_manager_is_a_conflict(world: World, hq: Caller) -> None:
    root = world.person(world.hq, Role.VIEWER)
    type(root).objects.filter(pk=root.pk).update(is_superuser=True)
    call = caller(type(root).objects.get(pk=root.pk), "organisation")
    path = f"/members/{world.people['hq'].member.pk}"
    assert call("delete", path).status_code == 409
    assert call.patch(path, {"role": "viewer"}).status_code == 409


@pytest.mark.parametrize("scopes", [["read"], ["read", "write"], ["approve"]])
def test_no_other_scope_changes_the_organisation(world: World, scopes: list[str]) -> None:
    call = caller(world.people["hq"], *scopes)
    member = f"/members/{world.people['xinyi'].member.pk}"
    body: dict[str, Any] = {"unit": world.xinyi.pk, "role": "manager", "username": "mina"}
    assert call.post("/members", body).status_code == 403
    assert call.patch(member, {"role": "viewer"}).status_code == 403
    assert call("delete", member).status_code == 403
    assert call.patch(f"/units/{world.xinyi.pk}", {"approval": "free"}).status_code == 403


def test_a_foreign_unit_is_as_none_for_who_joins(world: World) -> None:
    north = caller(world.people["north"], "organisation")
    body = {"role": "viewer", "username": "mina"}
    answers = [
        north.post("/members", body | {"unit": pk}).json()["errors"]["unit"][0].replace(str(pk), "")
        for pk in (world.tainan.pk, 999_999)
    ]
    assert answers[0] == answers[1]
    assert north.patch(f"/units/{world.north.pk}", {"name": "Mine"}).status_code in (403, 404)


@pytest.mark.parametrize("name", ["units", "members"])
def test_a_list_asks_as_much_for_thirty_as_for_six(world: World, client: Any, name: str) -> None:
    client.force_login(world.people["hq"])
    few = queries_of(client, f"/api/v1/{name}")
    for number in range(24):
        unit = Unit.objects.plant(world.taipei, **BRANCH | {"code": f"u{number}"})
        user = type(world.people["hq"]).objects.create(username=f"p{number}", is_staff=True)
        Member.objects.create(user=user, unit=unit, role=Role.VIEWER)
    assert queries_of(client, f"/api/v1/{name}") == few
