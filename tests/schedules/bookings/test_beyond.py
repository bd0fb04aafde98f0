"""Where a whole day of a schedule brings more than its rooms bear, registration says so."""

from datetime import UTC, datetime, time

import pytest

from channels.models import Room
from schedules.foreseen import beyond_a_day
from schedules.shown.coming import coming
from tests.schedules.wizard.conftest import address

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("timing", "found"),
    [
        ({"timing_kind": "interval", "every_minutes": 1}, [50]),
        ({"timing_kind": "interval", "every_minutes": 29}, []),  # 50 on a day, and no more
        ({"timing_kind": "interval", "every_minutes": 28}, [50]),
        ({"timing_kind": "daily", "time": time(9)}, []),
        ({"timing_kind": "cron", "cron": "* 9 * * 1"}, [50]),
        ({"timing_kind": "interval", "every_minutes": None}, []),
    ],
)
def test_more_than_a_room_bears_on_a_day_is_counted(make_schedule, world, timing, found):
    Room.objects.filter(pk=world.room.pk).update(daily_cap=None)
    assert beyond_a_day(make_schedule(**timing), NOON) == found


def test_rooms_that_bear_all_of_it_are_not_counted(make_schedule, world):
    Room.objects.filter(pk=world.room.pk).update(daily_cap=0)
    Room.objects.filter(pk=world.test_room.pk).update(daily_cap=3)
    draft = make_schedule(
        rooms=[world.room, world.test_room], timing_kind="interval", every_minutes=60
    )
    assert beyond_a_day(draft, NOON) == [3]


def test_rooms_that_bear_different_numbers_are_not_said_to_bear_the_same(make_schedule, world, now):
    Room.objects.filter(pk=world.room.pk).update(daily_cap=2)
    Room.objects.filter(pk=world.test_room.pk).update(daily_cap=None)
    draft = make_schedule(
        rooms=[world.test_room, world.room], timing_kind="interval", every_minutes=1
    )
    assert beyond_a_day(draft, NOON) == [2, 50]
    said = coming(draft, by=world.people["hq"], now=now).beyond
    assert said.startswith("2 rooms bear no more than 2 to 50 messages a day, and a whole day")


def test_the_step_of_the_times_and_the_review_say_it(client, make_schedule, world, clerk):
    draft = make_schedule(timing_kind="interval", every_minutes=1, registered_by=clerk)
    Room.objects.filter(pk=world.room.pk).update(daily_cap=None)
    client.force_login(clerk)
    for step in ("timing", "review"):
        shown = client.get(address(draft, step)).content.decode()
        assert "1 room bears no more than 50 messages a day" in shown, step
