"""What the month still costs, and when it runs out: from the schedules as they will be planned."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.adapters import registry
from channels.adapters.base import Picture, Text
from channels.models import Account, QuotaReading, Room
from orgs.models import Unit
from schedules.actions import pause, register
from schedules.cost import Cost, requests_for
from schedules.forecast import forecasts, of_budgets
from schedules.models import Schedule
from tests.schedules.at_once import act_at

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 3, 30, tzinfo=UTC)
DAILY = {"timing_kind": "daily", "date": None}
MINUTELY = {"timing_kind": "interval", "every_minutes": 1, "date": None, "time": None}


@pytest.fixture
def active(world, make_schedule, monkeypatch):
    """A schedule that was registered at NOW."""
    act_at(monkeypatch, NOW)

    def make(**values) -> Schedule:
        return register(make_schedule(**values), by=world.people["hq"])

    return make


def forecast_of(reading: QuotaReading):
    row = QuotaReading.objects.select_related("account").get(pk=reading.pk)
    return forecasts([row], NOW)[row.pk]


@pytest.mark.parametrize("kind", [k for k, a in registry().items() if a.meters] or ["line"])
@pytest.mark.parametrize(("images", "spaced"), [(0, False), (3, False), (7, False), (3, True)])
def test_requests_are_counted_as_the_channel_packs_them(kind, images, spaced):
    adapter = registry()[kind](config=None)
    url = "https://example.com/a.png"
    messages = [Text("Good morning"), *[Picture(url, url)] * images]
    parts = adapter.pack(messages, spaced=spaced)
    counted = requests_for(len(messages), adapter.limits.messages_per_part, spaced=spaced)
    assert counted == len(parts)


def test_what_packing_saves():
    cost = Cost(requests=1, people=37, messages=3)
    assert (cost.billed, cost.saved) == (37, 74)


def test_each_coming_run_of_the_month_is_counted(reading, make_room, active):
    active(**DAILY, time="09:00", zone="Asia/Tokyo", rooms=[make_room(10), make_room(5)])
    found = forecast_of(reading(1000, 100, at=NOW))
    # 09:00 of the 10th has passed: 11 to 31 March.
    assert found.coming == 21 * 15
    assert [(item.runs, item.each) for item in found.items] == [(21, 15)]
    assert found.left == 900 and found.runs_out_at is None


def test_the_day_on_which_it_runs_out_is_that_of_the_first_run_that_does_not_fit(
    reading, make_room, active
):
    active(**DAILY, time="09:00", zone="Asia/Tokyo", rooms=[make_room(100)])
    found = forecast_of(reading(1000, 550, at=NOW))
    # 450 left: the runs of 11, 12, 13 and 14 March fit.
    assert found.runs_out_at == datetime(2027, 3, 15, 0, tzinfo=UTC)


def test_what_quiet_hours_move_past_the_end_of_the_month_is_the_next_months(
    world, reading, make_room, make_audience, active
):
    quiet, other = make_room(10), make_room(5)
    Room.objects.filter(pk=quiet.pk).update(quiet_from=time(22), quiet_until=time(8))
    # 23:00 in Tokyo is 22:00 in Taipei: what goes to the quiet room leaves on the day after.
    active(**DAILY, time="23:00", zone="Asia/Tokyo", rooms=[quiet, other])
    found = forecast_of(reading(1000, at=NOW))
    assert found.coming == 22 * 5 + 21 * 10
    assert [(item.runs, item.each, item.messages) for item in found.items] == [(22, 15, 320)]
    (budgeted,) = Unit.objects.filter(pk=world.xinyi.pk)
    budgeted.monthly_budget, budgeted.zone = 315, "Asia/Tokyo"
    outlook = of_budgets([budgeted], NOW)[budgeted.path]
    assert outlook.coming == 320
    assert outlook.runs_out_at == datetime(2027, 3, 31, 14, tzinfo=UTC)


def test_what_quiet_hours_leave_out_costs_nothing(world, reading, make_audience, active):
    Unit.objects.filter(pk=world.xinyi.pk).update(quiet_from=time(22), quiet_until=time(8))
    values = {**DAILY, "time": "23:00", "zone": "Asia/Tokyo", "rooms": []}
    active(**values, audience=make_audience(30), on_quiet="skip")
    found = forecast_of(reading(1000, at=NOW))
    assert (found.coming, found.items) == (0, [])


def test_dates_that_are_left_out_and_what_is_paused_cost_nothing(world, reading, make_room, active):
    room, values = make_room(1), {**DAILY, "time": "09:00", "zone": "Asia/Tokyo"}
    active(**values, rooms=[room], text="A", skip_dates=["2027-03-11", "2027-03-31"])
    pause(active(**values, rooms=[room], text="B"), by=world.people["hq"])
    assert forecast_of(reading(1000, at=NOW)).coming == 19


def test_other_accounts_rooms_of_the_same_schedule_are_not_counted(
    world, reading, make_room, active
):
    active(**DAILY, time="23:59", zone="Asia/Tokyo", rooms=[make_room(2), world.room])
    assert forecast_of(reading(1000, at=NOW)).coming == 22 * 2


def test_an_audience_counts_each_person(reading, make_audience, active):
    audience = make_audience(30)
    when = {"date": "2027-03-31", "time": "23:00", "zone": "Asia/Tokyo"}
    active(rooms=[], audience=audience, **when)
    assert forecast_of(reading(1000, at=NOW)).coming == 30


def test_a_schedule_of_every_minute_is_counted_no_further_than_is_sensible(
    reading, make_room, active
):
    room = make_room(1)
    Room.objects.filter(pk=room.pk).update(daily_cap=0)
    active(**MINUTELY, rooms=[room])
    found = forecast_of(reading(10**6, at=NOW))
    assert found.is_least and found.coming == 5000


def test_what_a_room_does_not_bear_of_a_day_costs_nothing(world, reading, make_room, active):
    few, usual = make_room(1), make_room(2)
    Room.objects.filter(pk=few.pk).update(daily_cap=3)
    # From the half of the 29th on, by the day of the rooms, which is that of Taipei.
    active(**MINUTELY, rooms=[few, usual], valid_from=datetime(2027, 3, 29, 4, tzinfo=UTC))
    found = forecast_of(reading(10**6, at=NOW))
    assert not found.is_least
    assert found.coming == 3 * (3 + 2 * 50)
    assert [(item.runs, item.messages) for item in found.items] == [(150, 309)]


@pytest.mark.parametrize("count", [1, 30])
def test_thirty_accounts_take_as_many_questions_as_one(world, reading, active, count):
    for number in range(count):
        account = Account.objects.create(unit=world.hq, name=f"L{number}", kind="line")
        QuotaReading.objects.create(account=account, limit=10, read_at=NOW, tried_at=NOW)
        room = Room.objects.create(
            unit=world.xinyi, account=account, name=f"R{number}", address=f"C{number:032x}"
        )
        active(**DAILY, time="09:00", rooms=[room], text=f"{number}", skip_dates=[])
    readings = list(QuotaReading.objects.select_related("account"))
    reading(1, at=NOW)
    with CaptureQueriesContext(connection) as asked:
        assert len(forecasts(readings, NOW)) == count
    assert len(asked) == 7


def test_no_reading_is_no_forecast(billing):
    assert forecasts([], NOW + timedelta(days=1)) == {}


def test_a_budget_counts_what_comes_for_its_unit_and_those_under_it(
    world, reading, make_room, active
):
    reading(None, at=NOW)
    for unit in (world.north, world.xinyi, world.south):
        unit.monthly_budget = 1000
        unit.save()
    active(**DAILY, time="09:00", zone="Asia/Tokyo", rooms=[make_room(100), world.room])
    found = of_budgets([world.north, world.xinyi, world.south], NOW)
    assert {path: outlook.coming for path, outlook in found.items()} == {
        world.north.path: 2100, world.xinyi.path: 2100, world.south.path: 0,
    }  # fmt: skip
    # 1,000: the runs of 11 to 20 March fit.
    assert found[world.north.path].runs_out_at == datetime(2027, 3, 21, 0, tzinfo=UTC)
    assert found[world.south.path].runs_out_at is None


@pytest.mark.parametrize("count", [1, 30])
def test_thirty_budgets_take_as_many_questions_as_one(world, reading, make_room, active, count):
    reading(None, at=NOW)
    units = [world.xinyi]
    for number in range(count - 1):
        units.append(
            type(world.xinyi).objects.plant(
                world.xinyi, kind="branch", code=f"b{number}", name="B", zone=world.xinyi.zone
            )
        )
    for unit in units:
        unit.monthly_budget = 10
    active(**DAILY, time="09:00", rooms=[make_room(100)])
    with CaptureQueriesContext(connection) as asked:
        assert len(of_budgets(units, NOW)) == count
    assert len(asked) == 12
