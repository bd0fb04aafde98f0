"""What a unit has spent of its budget, to a program."""

from datetime import UTC, datetime, timedelta

import pytest

from orgs.models import Unit
from schedules.api import quota
from schedules.dispatch.settle import settle
from tests.schedules.api.calling import caller
from tests.schedules.conftest import accepted, on_the_wire

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
NOON = datetime(2027, 3, 10, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _spent(make_room, planned_at, monkeypatch):
    """Sixty messages went, and ten are planned."""
    monkeypatch.setattr(quota, "database_now", lambda: NOON + SECOND)
    planned_at(NOON, {"rooms": [make_room(60)]})
    settle([accepted(claimed, NOON) for claimed in on_the_wire(NOON)])
    planned_at(NOON + 9 * SECOND, {"text": "B", "rooms": [make_room(10)]})


def test_it_tells_what_is_spent_and_promised_below_it_and_what_is_left(world):
    api, address = caller(world.people["taipei"]), f"/units/{world.taipei.pk}/budget"
    free = api.get(address).json()
    assert (free["limit"], free["used"], free["left"]) == (None, 60, None)
    Unit.objects.filter(pk=world.taipei.pk).update(monthly_budget=100)
    assert api.get(address).json() == {
        "unit": world.taipei.pk, "limit": 100, "used": 60, "reserved": 10, "left": 30,
        "month_ends_at": "2027-03-31T16:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize("who", ["tainan", "xinyi"])
def test_one_beside_or_above_one_s_own_unit_is_not_told(world, who):
    address = f"/units/{world.taipei.pk}/budget"
    assert caller(world.people[who]).get(address).status_code == 404
