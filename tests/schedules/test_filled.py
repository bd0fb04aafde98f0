"""Texts with placeholders: filled for each room when they are planned, checked before."""

from datetime import timedelta

import pytest

from channels.models import Room, SandboxMessage
from orgs.models import Unit
from schedules import actions, rules
from schedules.actions import Refused, register
from schedules.dispatch.claim import claim
from schedules.dispatch.plan import plan
from schedules.models import Delivery, PlaceholderValue, Run, Schedule
from tests.schedules.conftest import plan_at
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db


@pytest.fixture
def second_room(world):
    """A room of taipei, above xinyi, with a clock of its own."""
    Unit.objects.filter(pk=world.taipei.pk).update(zone="Asia/Seoul")
    return Room.objects.create(
        **UNLIMITED,
        unit=world.taipei,
        account=world.sandbox,
        name="Taipei room",
        address="taipei room",
    )


@pytest.fixture
def give(world):
    """Gives a placeholder a value in a unit."""

    def make(unit, name, value):
        return PlaceholderValue.objects.create(unit=unit, name=name, value=value)

    return make


@pytest.fixture
def both(world, make_schedule, second_room):
    """A draft of taipei for both rooms."""

    def make(text, **values):
        rooms = [world.room, second_room]
        return make_schedule(unit=world.taipei, rooms=rooms, text=text, **values)

    return make


def texts(deliveries):
    return {d.room_name: d.own_payloads[0]["messages"][0]["text"] for d in deliveries}


def test_each_room_is_sent_its_own_text(world, both, give):
    give(world.hq, "phone", "02-100")
    give(world.xinyi, "phone", "02-555")
    schedule = register(both("{room}, {unit}: call {phone}"), by=world.people["hq"])
    deliveries = plan_at(schedule, schedule.next_due_at)
    assert texts(deliveries) == {
        "Xinyi room": "Xinyi room, Xinyi: call 02-555",
        "Taipei room": "Taipei room, Taipei: call 02-100",
    }
    claimed = claim(schedule.next_due_at, worker="one", limit=10)
    sent = {c.room_name: c.payload["messages"][0]["text"] for c in claimed}
    assert sent == texts(deliveries)


def test_date_and_time_are_those_of_the_rooms_own_clock(world, both):
    schedule = register(
        both("{date} {시간}", zone="Asia/Taipei", date="2031-03-01", time="23:30"),
        by=world.people["hq"],
    )
    assert texts(plan_at(schedule, schedule.next_due_at)) == {
        "Xinyi room": "Sat, Mar 1 11:30 PM",
        "Taipei room": "Sun, Mar 2 12:30 AM",
    }


def test_the_date_is_in_the_language_of_the_room_or_of_the_nearest_unit(world, both):
    Unit.objects.filter(pk=world.north.pk).update(language="zh-hant")
    Room.objects.filter(name="Taipei room").update(language="ko")
    schedule = register(both("{date}", date="2031-03-01", time="12:00"), by=world.people["hq"])
    assert texts(plan_at(schedule, schedule.next_due_at)) == {
        "Xinyi room": "3月1日（週六）",
        "Taipei room": "3월 1일 (토)",
    }


def test_a_text_with_nothing_but_double_braces_is_sent_without_them(world, both):
    schedule = register(both("Write {{code}}"), by=world.people["hq"])
    assert set(texts(plan_at(schedule, schedule.next_due_at)).values()) == {"Write {code}"}


def test_the_filled_text_arrives(dispatch, world, make_schedule, now):
    due_at = (now + timedelta(seconds=2)).replace(microsecond=0)
    schedule = make_schedule(text="Hello {room}", date=due_at.date(), time=due_at.time())
    register(schedule, by=world.people["hq"])
    dispatch()
    assert SandboxMessage.objects.get().body["text"] == "Hello Xinyi room"


def test_a_text_without_placeholders_is_packed_once_for_all(world, both):
    schedule = register(both("Plain { room } {}"), by=world.people["hq"])
    deliveries = plan_at(schedule, schedule.next_due_at)
    assert [d.own_payloads for d in deliveries] == [None, None]
    assert list(Run.objects.get().payloads) == [str(world.sandbox.pk)]


def test_claiming_filled_texts_takes_no_more_queries(world, both, django_assert_max_num_queries):
    def queries_to_claim(text):
        schedule = register(both(text), by=world.people["hq"])
        plan_at(schedule, schedule.next_due_at)
        with django_assert_max_num_queries(100) as counted:
            assert len(claim(schedule.next_due_at, worker="one", limit=10)) == 2
        return len(counted)

    assert queries_to_claim("Hello {room}") == queries_to_claim("Hello room")


def test_planning_plain_texts_asks_for_no_values(world, both, django_assert_max_num_queries):
    schedule = register(both("Plain"), by=world.people["hq"])
    with django_assert_max_num_queries(100) as counted:
        plan(schedule.next_due_at)
    assert not [q for q in counted if "placeholdervalue" in q["sql"].lower()]


def test_what_is_planned_stays_as_it_was_filled(world, make_schedule, give):
    value = give(world.xinyi, "phone", "old")
    schedule = register(make_schedule(text="{phone}"), by=world.people["hq"])
    plan(schedule.next_due_at)
    value.value = "new"
    value.save()
    assert texts(Delivery.objects.all()) == {"Xinyi room": "old"}


def test_a_value_that_is_missing_is_named_with_its_room(world, both, give):
    give(world.xinyi, "phone", "02-555")
    with pytest.raises(Refused) as refused:
        register(both("{phone} {전화}"), by=world.people["hq"])
    assert refused.value.problems == {
        "text": [
            "“Xinyi room”: There is no value for {전화}.",
            "“Taipei room”: There is no value for {phone}, {전화}.",
        ]
    }


def test_many_rooms_with_the_same_problem_are_one_message(world, make_schedule):
    rooms = [
        Room.objects.create(
            **UNLIMITED,
            unit=world.xinyi,
            account=world.sandbox,
            name=f"Room {number}",
            address=str(number),
        )
        for number in range(5)
    ]
    found = rules.content_problems(make_schedule(text="{x}", rooms=rooms), rooms)
    assert found == {
        "text": ["“Room 0”, “Room 1”, “Room 2” and 2 more: There is no value for {x}."]
    }


def test_a_text_that_is_too_long_when_filled_is_refused(world, make_schedule, give):
    give(world.hq, "long", "x" * 1000)
    most = world.sandbox.open().limits.text_length
    schedule = make_schedule(text="{long}" * (most // 1000 + 1))
    (message,) = rules.content_problems(schedule, [world.room])["text"]
    assert message.startswith("“Xinyi room”: ")
    assert str(most) in message


def test_a_text_that_is_short_when_filled_may_have_long_names(world, make_schedule, give):
    name = "n" * 50
    give(world.hq, name, "")
    most = world.sandbox.open().limits.text_length
    schedule = make_schedule(text="Hello" + f"{{{name}}}" * (most // 50))
    assert rules.content_problems(schedule, [world.room]) == {}


def test_a_text_of_which_nothing_is_left_is_refused(world, make_schedule, give):
    give(world.hq, "nothing", "")
    assert set(rules.content_problems(make_schedule(text="{nothing}"), [world.room])) == {"text"}


def test_neither_name_nor_values_of_a_room_elsewhere_are_told(world, make_schedule, give):
    give(world.tainan, "secret", "CANARY")
    schedule = make_schedule(text="{secret}", rooms=[world.tainan_room])
    found = rules.problems(schedule, by=world.people["xinyi"], now=schedule.created_at)
    assert found == {"rooms": ["A chosen room does not belong to the schedule’s unit."]}


def test_a_room_whose_value_is_gone_is_skipped_and_the_others_are_sent(
    dispatch, world, both, give, now
):
    give(world.xinyi, "phone", "02-555")
    gone = give(world.taipei, "phone", "02-100")
    due_at = (now + timedelta(seconds=2)).replace(microsecond=0)
    draft = both("{phone}", date=due_at.date(), time=due_at.time())
    schedule = register(draft, by=world.people["hq"])
    gone.delete()
    dispatch()
    left_out = Delivery.objects.get(room_name="Taipei room")
    assert (left_out.state, left_out.reason) == ("skipped", "unfilled")
    assert left_out.error == "There is no value for {phone}."
    assert SandboxMessage.objects.get().body["text"] == "02-555"
    run = Run.objects.get(schedule=schedule)
    assert (run.state, run.sent, run.skipped, run.total) == ("partial", 1, 1, 2)


def test_a_run_of_which_no_room_can_be_filled_is_skipped_with_the_reason(
    world, make_schedule, give
):
    gone = give(world.xinyi, "phone", "02-555")
    schedule = register(make_schedule(text="{phone}"), by=world.people["hq"])
    gone.delete()
    plan(schedule.next_due_at)
    run = Run.objects.get()
    assert (run.state, run.reason, run.skipped) == ("skipped", "unusable", 1)
    assert run.detail == "There is no value for {phone}."
    assert claim(schedule.next_due_at, worker="one", limit=10) == []


def test_a_room_that_left_the_unit_is_not_filled_with_anothers_values(world, make_schedule, give):
    give(world.hq, "phone", "02-100")
    give(world.tainan, "phone", "CANARY")
    rooms = [world.room, Room.objects.create(**UNLIMITED,
        unit=world.xinyi, account=world.sandbox, name="Moved room", address="moved")]  # fmt: skip
    schedule = register(make_schedule(text="{phone}", rooms=rooms), by=world.people["xinyi"])
    Room.objects.filter(name="Moved room").update(unit=world.tainan)
    plan(schedule.next_due_at)
    moved = Delivery.objects.get(room_name="Moved room")
    assert (moved.state, moved.reason, moved.own_payloads) == ("skipped", "reach", None)
    assert texts(Delivery.objects.filter(room=world.room)) == {"Xinyi room": "02-100"}


def test_two_texts_that_are_filled_alike_reach_a_room_once(world, make_schedule, give):
    give(world.xinyi, "greeting", "Good morning")
    first = register(make_schedule(text="{greeting}"), by=world.people["hq"])
    register(make_schedule(title="Twin", text="Good morning", date=first.date, time=first.time),
             by=world.people["hq"])  # fmt: skip
    plan(first.next_due_at)
    assert sorted(Delivery.objects.values_list("state", "reason")) == [
        ("planned", ""),
        ("skipped", "duplicate"),
    ]


def test_the_same_text_again_within_a_minute_is_a_duplicate(world, make_schedule):
    now_ = {"timing_kind": "now", "date": None, "time": None, "text": "{room} {time}"}
    register(make_schedule(**now_), by=world.people["hq"])
    with pytest.raises(Refused):
        register(make_schedule(title="Again", **now_), by=world.people["hq"])


def test_a_registered_text_can_be_edited_and_is_filled_anew(world, make_schedule, give):
    give(world.xinyi, "phone", "02-555")
    schedule = register(make_schedule(text="{phone}"), by=world.people["hq"])
    copy = actions.begin_edit(schedule, by=world.people["hq"])
    Schedule.objects.filter(pk=copy.pk).update(text="Call {phone}")
    changed = actions.change(Schedule.objects.get(pk=copy.pk), by=world.people["hq"])
    assert texts(plan_at(changed, changed.next_due_at)) == {"Xinyi room": "Call 02-555"}
