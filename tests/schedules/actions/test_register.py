"""Registration: what is refused, at which field, and that a second click changes nothing."""

from datetime import timedelta
from uuid import uuid4

import pytest

from channels.models import Room
from logs.models import History
from orgs.reach import Role
from schedules.actions import Refused, create_draft, register
from schedules.actions.refusal import OutOfReach
from schedules.models import HolidayException, Run, Schedule

pytestmark = pytest.mark.django_db


def refusal(schedule, by) -> dict[str, list[str]]:
    with pytest.raises(Refused) as caught:
        register(schedule, by=by)
    schedule.refresh_from_db()
    assert schedule.state == "draft"
    return caught.value.problems


def test_a_registered_schedule_is_active_and_knows_its_next_time(world, make_schedule):
    schedule = register(make_schedule(), by=world.people["xinyi"])
    assert schedule.state == "active"
    assert schedule.next_due_at.time() == schedule.time
    entry = History.objects.get()
    assert (entry.verb, entry.actor, entry.unit_path) == ("created", "xinyi", world.xinyi.path)


def test_a_second_registration_changes_nothing(world, make_schedule):
    schedule = make_schedule(timing_kind="now")
    for _ in range(2):
        register(schedule, by=world.people["xinyi"])
    assert (Run.objects.count(), History.objects.count()) == (1, 1)


def test_a_draft_that_is_sent_twice_is_one_draft(world):
    uid = uuid4()
    person = world.people["xinyi"]
    first = create_draft(by=person, unit=world.xinyi, uid=uid, title="A")
    second = create_draft(by=person, unit=world.xinyi, uid=uid, title="A")
    assert (first.pk, Schedule.objects.count()) == (second.pk, 1)


def test_anothers_draft_is_not_found_by_its_uid(world):
    uid = uuid4()
    create_draft(by=world.people["xinyi"], unit=world.xinyi, uid=uid, title="A")
    with pytest.raises(OutOfReach):
        create_draft(by=world.people["tainan"], unit=world.tainan, uid=uid, title="B")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"due_in": -60}, "time"),
        ({"title": " "}, "title"),
        ({"rooms": []}, "rooms"),
        ({"text": ""}, "text"),
        ({"text": "x" * 5001}, "text"),
        ({"order": "images_only"}, "order"),
        ({"interval_seconds": 3601}, "interval_seconds"),
        ({"timing_kind": "weekly"}, "weekdays"),
        ({"timing_kind": "monthly"}, "day_of_month"),
        ({"timing_kind": "interval"}, "every_minutes"),
        ({"timing_kind": "cron", "cron": "61 * * * *"}, "cron"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"max_retries": 11}, "max_retries"),
    ],
)
def test_bad_input_is_refused_at_its_field(world, make_schedule, values, field):
    assert field in refusal(make_schedule(**values), world.people["xinyi"])


def test_the_database_itself_refuses_a_priority_out_of_bounds(make_schedule):
    with pytest.raises(Exception, match="priority_within_0_and_100"):
        make_schedule(priority=101)


def test_a_validity_that_has_ended_is_refused(world, make_schedule, now):
    schedule = make_schedule(
        timing_kind="daily", valid_from=now - timedelta(days=2), valid_until=now - timedelta(days=1)
    )
    assert "valid_until" in refusal(schedule, world.people["xinyi"])


def test_a_one_off_on_a_holiday_is_refused_with_the_reason(world, make_schedule):
    schedule = make_schedule(holiday_country="KR")
    HolidayException.objects.create(country="KR", date=schedule.date, is_holiday=True)
    assert "date" in refusal(schedule, world.people["xinyi"])


def test_a_room_of_another_branch_is_refused_and_not_named(world, make_schedule):
    problems = refusal(make_schedule(rooms=[world.tainan_room]), world.people["xinyi"])
    assert "Tainan" not in str(problems["rooms"])


def test_a_room_above_the_unit_is_refused_even_to_headquarters(world, make_schedule):
    problems = refusal(make_schedule(rooms=[world.tainan_room]), world.people["hq"])
    assert "rooms" in problems


def test_headquarters_may_register_for_rooms_of_its_branches(world, make_schedule):
    schedule = make_schedule(unit=world.hq, rooms=[world.room, world.tainan_room])
    assert register(schedule, by=world.people["hq"]).state == "active"


def test_live_and_test_rooms_do_not_mix(world, make_schedule):
    schedule = make_schedule(rooms=[world.room, world.test_room])
    assert "rooms" in refusal(schedule, world.people["xinyi"])


def test_an_inactive_room_is_refused_by_name(world, make_schedule):
    Room.objects.filter(pk=world.room.pk).update(is_active=False)
    assert "Xinyi room" in str(refusal(make_schedule(), world.people["xinyi"])["rooms"])


def test_the_same_content_for_the_same_room_at_the_same_time_is_refused(world, make_schedule):
    first = register(make_schedule(), by=world.people["xinyi"])
    twin = make_schedule(date=first.date, time=first.time)
    assert "__all__" in refusal(twin, world.people["xinyi"])
    later = make_schedule(due_in=7200)
    assert register(later, by=world.people["xinyi"]).state == "active"


def test_a_twin_in_another_rhythm_is_found(world, make_schedule):
    grid = {"date": None, "time": None}
    person = world.people["xinyi"]
    register(make_schedule(timing_kind="interval", every_minutes=30, **grid), by=person)
    twin = make_schedule(timing_kind="cron", cron="0 * * * *", **grid)
    assert "__all__" in refusal(twin, person)


def test_a_viewer_may_not_register(world, make_schedule):
    with pytest.raises(OutOfReach):
        register(make_schedule(), by=world.person(world.xinyi, Role.VIEWER))


@pytest.mark.parametrize("who", ["tainan", "south", "stranger"])
def test_for_who_cannot_reach_it_the_draft_does_not_exist(world, make_schedule, who):
    with pytest.raises(OutOfReach):
        register(make_schedule(), by=world.people[who])
