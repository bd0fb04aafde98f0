"""Units are moved by a program."""

import pytest

from orgs.models import Unit
from schedules.actions import register
from tests.conftest import World
from tests.schedules.api.calling import Caller, caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def hq(world: World) -> Caller:
    return caller(world.people["hq"], "read", "organisation")


def test_a_unit_is_moved_once_for_a_key(world: World, hq: Caller) -> None:
    body, key = {"parent": world.south.pk}, {"Idempotency-Key": "k"}
    answers = [hq.post(f"/units/{world.taipei.pk}/move", body, **key) for _time in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["parent"] == world.south.pk
    assert hq.post(f"/units/{world.taipei.pk}/move", body).status_code == 400  # it stands there
    assert Unit.objects.find_problems() == ([], [], [], [], [])


def test_what_stands_against_it_is_asked_before_and_told_after(
    world: World, hq: Caller, make_schedule
) -> None:
    register(make_schedule(unit=world.north, title="Mine"), by=world.people["north"])
    path = f"/units/{world.taipei.pk}/move"
    outlook = hq.get(f"{path}?parent={world.south.pk}").json()
    assert len(outlook["barred"]) == 1 and "“Mine”" in outlook["barred"][0]
    answer = hq.post(path, {"parent": world.south.pk})
    assert answer.status_code == 409 and "“Mine”" in answer.content.decode()
    assert hq.get(f"{path}?parent={world.tainan.pk}").json()["barred"]  # of a lower kind


@pytest.mark.parametrize("parent", ["", "x", "99999999", "9" * 30, "-1"])
def test_a_parent_that_is_none_is_refused(world: World, hq: Caller, parent: str) -> None:
    assert hq.get(f"/units/{world.taipei.pk}/move?parent={parent}").status_code == 400
    assert hq.post(f"/units/{world.taipei.pk}/move", {"parent": parent}).status_code == 400


def test_nobody_else_moves_or_asks(world: World) -> None:
    for who, scopes in (("north", ("organisation",)), ("hq", ("read", "write"))):
        api = caller(world.people[who], *scopes)
        path = f"/units/{world.taipei.pk}/move"
        assert api.post(path, {"parent": world.north.pk}).status_code in (403, 404)
        assert api.get(f"{path}?parent={world.north.pk}").status_code in (403, 404)
    assert Unit.objects.get(pk=world.taipei.pk).path == world.taipei.path
