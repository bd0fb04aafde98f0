"""Freezing and lifting by a program."""

import pytest

from orgs.reach import Role
from schedules.models import Freeze
from tests.conftest import World
from tests.schedules.api.calling import caller

pytestmark = pytest.mark.django_db

WHY = {"why": "wrong prices"}


@pytest.mark.parametrize("kind", ["units", "accounts"])
def test_it_is_frozen_and_lifted_with_a_reason(world: World, kind: str) -> None:
    pk = world.north.pk if kind == "units" else world.sandbox.pk
    hq = caller(world.people["hq"])
    answer = hq.post(f"/{kind}/{pk}/freeze", WHY)
    assert (answer.status_code, answer.json()["why"]) == (201, "wrong prices")
    assert hq.post(f"/{kind}/{pk}/freeze", WHY).status_code == 409
    assert [row["lifted_at"] for row in hq.get("/freezes").json()["results"]] == [None]
    for body in ({}, {"why": " "}, {"why": "x" * 501}, {**WHY, "more": 1}):
        assert hq.post(f"/{kind}/{pk}/unfreeze", body).status_code == 400
    lifted = hq.post(f"/{kind}/{pk}/unfreeze", {"why": "mended"}).json()
    assert (lifted["lifted_by"], lifted["lifted_why"]) == ("hq", "mended")
    assert hq.post(f"/{kind}/{pk}/unfreeze", WHY).status_code == 409


def test_reach_and_scope_are_asked(world: World) -> None:
    north = caller(world.people["north"])
    assert north.post(f"/units/{world.taipei.pk}/freeze", WHY).status_code == 201
    for call, status in (
        (caller(world.people["hq"], "read"), 403),
        (caller(world.person(world.north, Role.OPERATOR)), 403),
        (caller(world.people["tainan"]), 404),
        (caller(world.people["taipei"]), 409),
    ):
        assert call.post(f"/units/{world.taipei.pk}/unfreeze", WHY).status_code == status
    assert Freeze.objects.in_force().count() == 1
    assert caller(world.people["tainan"]).get("/freezes").json()["results"] == []
