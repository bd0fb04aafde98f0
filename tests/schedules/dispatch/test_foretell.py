"""Administrators learn days before it happens that a month or a budget runs out."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.models import QuotaReading, Room
from channels.models.alert import Alert
from schedules.actions import cancel, register
from schedules.dispatch import foretell
from tests.schedules.at_once import act_at

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 3, 30, tzinfo=UTC)
DAILY = {"timing_kind": "daily", "date": None, "time": "09:00", "zone": "Asia/Tokyo"}


@pytest.fixture
def daily(world, line_account, make_schedule, monkeypatch):
    """A schedule that bills a hundred each day, and the reading of its account."""
    act_at(monkeypatch, NOW)
    room = Room.objects.create(
        unit=world.xinyi, account=line_account, name="Group", address=f"C{1:032x}",
        members_count=100,
    )  # fmt: skip

    def make(limit: int | None):
        values = {"limit": limit, "read_at": NOW, "tried_at": NOW}
        QuotaReading.objects.update_or_create(account=line_account, defaults=values)
        return register(make_schedule(**DAILY, rooms=[room]), by=world.people["hq"])

    return make


def told() -> list[tuple[str, str, list[str]]]:
    rows = Alert.objects.order_by("id")
    return [(row.unit_path, row.name, [text for _at, text in row.lines]) for row in rows]


def test_an_account_that_runs_out_within_days_is_told_to_its_unit(world, daily):
    daily(650)  # 11 to 16 March fit
    assert foretell.look(NOW) == 1
    words = (
        "The first run that does not fit into the month: 650 of 650 are left, and 2,100 are "
        "still coming."
    )
    assert told() == [(world.hq.path, "LINE", [words])]
    (row,) = Alert.objects.all()
    assert row.lines[0][0] == datetime(2027, 3, 17, 0, tzinfo=UTC).isoformat()


@pytest.mark.parametrize("limit", [None, 800, 10_000])
def test_what_lasts_for_longer_is_not_told(daily, limit):
    daily(limit)
    assert foretell.look(NOW) == 0 and not told()


def test_it_is_told_once_until_the_day_is_another(daily, line_account):
    daily(650)
    for hours in range(3):
        foretell.look(NOW + timedelta(hours=hours))
    assert len(told()) == 1
    QuotaReading.objects.update(limit=450)
    foretell.look(NOW)
    assert len(told()) == 2


def test_what_was_cancelled_costs_nothing(world, daily):
    cancel(daily(650), by=world.people["hq"])
    assert foretell.look(NOW) == 0


@pytest.mark.parametrize("values", [{"is_active": False}, {"stopped_at": NOW}])
def test_an_account_that_sends_nothing_is_not_told(daily, line_account, values):
    daily(650)
    type(line_account).objects.filter(pk=line_account.pk).update(**values)
    assert foretell.look(NOW) == 0


def test_a_budget_that_runs_out_is_told_to_the_unit_that_has_it(world, daily):
    world.north.monthly_budget = 300
    world.north.save()
    daily(None)
    assert foretell.look(NOW) == 1
    assert [(path, name) for path, name, _lines in told()] == [(world.north.path, "North")]
