"""Two register the same at the very same moment: one of them is told so."""

from functools import partial
from uuid import uuid4

import pytest
from django.db import transaction

from channels.models import Room
from logs.models import History
from orgs.clock import database_now
from schedules.actions import (
    Refused,
    begin_edit,
    cancel,
    change,
    create_draft,
    duplicate,
    pause,
    register,
    resume,
)
from schedules.dispatch.plan import plan
from schedules.models import Delivery, Run, Schedule
from tests.schedules.api.calling import caller
from tests.schedules.at_once import at_once, on_postgresql, outcome_of, start, wait_until_blocked

pytestmark = pytest.mark.django_db(transaction=True)

GRID = {"timing_kind": "interval", "every_minutes": 30, "date": None, "time": None}


@pytest.fixture
def person(world):
    return world.people["hq"]


@pytest.fixture
def drafts(make_schedule):
    """Two drafts of one message."""
    return [make_schedule(title=title, **GRID) for title in ("First", "Second")]


def is_told(refused: object, title: str) -> bool:
    """Whether the answer is that of a duplicate, at its place."""
    assert isinstance(refused, Refused), refused
    assert list(refused.problems) == ["__all__"]
    return f"“{title}” already sends the same content" in refused.problems["__all__"][0]


def behind(first, second) -> object:
    """The answer to `second`, which begins while the transaction of `first` is still open."""
    with transaction.atomic():
        first()
        other = start(second)
        wait_until_blocked(other)
    return outcome_of(other)


def edit_to(schedule, person, text) -> Schedule:
    copy = begin_edit(schedule, by=person)
    copy.text = text
    copy.save()
    return copy


def registered(make_schedule, person, text) -> Schedule:
    return register(make_schedule(title=text, text=text, **GRID), by=person)


def test_of_two_registrations_at_once_the_second_is_refused(drafts, person):
    first, second = (partial(register, draft, by=person) for draft in drafts)
    assert is_told(behind(first, second), "First")
    assert Schedule.objects.filter(state="active").get().title == "First"
    assert History.objects.filter(verb="created").count() == 1


def test_whoever_comes_first_exactly_one_of_many_is_registered(make_schedule, person):
    drafts = [make_schedule(**GRID) for _ in range(4)]
    answers = at_once(*(partial(register, draft, by=person) for draft in drafts))
    assert sorted(isinstance(answer, Refused) for answer in answers) == [False, True, True, True]
    assert Schedule.objects.filter(state="active").count() == 1


def test_a_room_in_common_is_enough(world, make_schedule, person):
    at_hq = {"unit": world.hq, **GRID}
    one = make_schedule(title="One", rooms=[world.tainan_room, world.room], **at_hq)
    two = make_schedule(title="Two", rooms=[world.room], **at_hq)
    answer = behind(partial(register, one, by=person), partial(register, two, by=person))
    assert is_told(answer, "One")


def test_now_on_two_tabs_is_sent_once(make_schedule, person):
    drafts = [make_schedule(title="Opening", timing_kind="now") for _ in range(2)]
    answers = at_once(*(partial(register, draft, by=person) for draft in drafts))
    (refused,) = [answer for answer in answers if isinstance(answer, Refused)]
    assert is_told(refused, "Opening")
    assert Delivery.objects.count() == 1


def test_now_may_be_sent_again_after_a_while_and_when_nothing_of_it_left(make_schedule, person):
    first = register(make_schedule(timing_kind="now"), by=person)
    cancel(first, by=person)
    register(make_schedule(timing_kind="now"), by=person)
    Delivery.objects.update(due_at=database_now().replace(year=2020))
    assert register(make_schedule(timing_kind="now"), by=person).state == "active"


def test_two_requests_at_once_make_one_schedule(world, person):
    body = {
        "title": "Sale", "unit": world.xinyi.pk, "rooms": [world.room.pk], "text": "Cheap",
        "timing_kind": "interval", "every_minutes": 30,
    }  # fmt: skip
    api = caller(person)
    answers = at_once(*(partial(api.post, "/schedules", body) for _ in range(2)))
    created, refused = sorted(answers, key=lambda answer: answer.status_code)
    assert (created.status_code, refused.status_code // 100) == (201, 4), refused.content
    assert "already sends the same content" in refused.content.decode()
    assert Schedule.objects.count() == 1


def test_an_edit_and_a_registration_at_once_do_not_become_twins(make_schedule, person):
    other = registered(make_schedule, person, "Other")
    copy = edit_to(other, person, "Good morning")
    draft = make_schedule(title="First", **GRID)
    answer = behind(partial(register, draft, by=person), partial(change, copy, by=person))
    assert is_told(answer, "First")
    other.refresh_from_db()
    assert other.text == "Other"


def test_two_edits_at_once_do_not_become_twins(make_schedule, person):
    one, two = (registered(make_schedule, person, text) for text in ("One", "Two"))
    copies = [edit_to(schedule, person, "The same") for schedule in (one, two)]
    answers = at_once(*(partial(change, copy, by=person) for copy in copies))
    assert sum(isinstance(answer, Refused) for answer in answers) == 1
    assert Schedule.objects.present().filter(text="The same").count() == 1


def test_what_was_registered_meanwhile_is_named_when_a_paused_one_is_resumed(drafts, person):
    first, second = drafts
    pause(register(first, by=person), by=person)
    register(second, by=person)
    with pytest.raises(Refused) as caught:
        resume(first, by=person)
    assert is_told(caught.value, "Second")
    first.refresh_from_db()
    assert first.state == "paused"


def test_two_that_are_resumed_at_once_do_not_become_twins(drafts, person):
    first, second = drafts
    pause(register(first, by=person), by=person)
    pause(register(second, by=person), by=person)
    answer = behind(partial(resume, first, by=person), partial(resume, second, by=person))
    assert is_told(answer, "First")


def test_two_copies_of_a_schedule_do_not_become_twins(make_schedule, person):
    source = registered(make_schedule, person, "Source")
    cancel(source, by=person)
    copies = [duplicate(source, by=person, uid=uuid4()) for _ in range(2)]
    first, second = (partial(register, copy, by=person) for copy in copies)
    assert is_told(behind(first, second), "Source")


def test_one_form_sent_twice_at_once_is_one_draft(world, person):
    uid = uuid4()
    make = partial(create_draft, by=person, unit=world.xinyi, uid=uid, title="A")
    first, second = at_once(make, make)
    assert first.pk == second.pk
    assert Schedule.objects.count() == 1


def test_one_draft_registered_twice_at_once_is_registered_once(make_schedule, person):
    draft = make_schedule(timing_kind="now")
    answers = at_once(partial(register, draft, by=person), partial(register, draft, by=person))
    assert [answer.state for answer in answers] == ["active", "active"]
    assert (Run.objects.count(), History.objects.filter(verb="created").count()) == (1, 1)


@on_postgresql
def test_a_registration_waits_for_none_to_other_rooms(world, make_schedule, person):
    near = make_schedule(**GRID)
    far = make_schedule(unit=world.hq, rooms=[world.tainan_room], **GRID)
    with transaction.atomic():
        register(near, by=person)
        assert outcome_of(start(register, far, by=person)).state == "active"


@on_postgresql
def test_a_registration_does_not_hold_up_what_is_planned_for_its_rooms(make_schedule, person):
    due = registered(make_schedule, person, "Due")
    with transaction.atomic():
        registered(make_schedule, person, "New")
        assert outcome_of(start(plan, due.next_due_at)) == 1


def test_rooms_in_any_order_make_no_deadlock(world, make_schedule, person):
    room = partial(Room.objects.create, unit=world.xinyi, account=world.sandbox)
    rooms = [room(name=f"Room {9 - n}", address=f"r{n}") for n in range(8)]
    for turn in range(5):
        some = [rooms[turn:], rooms[: 8 - turn], rooms[::-1], rooms]
        drafts = [make_schedule(text=f"{turn} {n}", rooms=r, **GRID) for n, r in enumerate(some)]
        answers = at_once(*(partial(register, draft, by=person) for draft in drafts))
        assert [answer.state for answer in answers] == ["active"] * 4


def test_saving_a_working_copy_and_cancelling_at_once_do_not_wait_for_each_other(
    make_schedule, person
):
    schedule = registered(make_schedule, person, "Old")
    copy = edit_to(schedule, person, "New")
    with transaction.atomic():
        Schedule.objects.select_for_update().get(pk=schedule.pk)
        other = start(change, copy, by=person)
        wait_until_blocked(other)
        cancel(schedule, by=person)  # throws the copy away
    assert isinstance(outcome_of(other), Refused)
    schedule.refresh_from_db()
    assert (schedule.state, schedule.text) == ("cancelled", "Old")


def test_an_act_that_waited_acts_at_the_time_at_which_it_went_on(make_schedule, person):
    schedule = registered(make_schedule, person, "Text")
    with transaction.atomic():
        Schedule.objects.select_for_update().get(pk=schedule.pk)
        other = start(pause, schedule, by=person)
        wait_until_blocked(other)
        went_on = database_now()
    assert outcome_of(other).state == "paused"
    assert History.objects.get(verb="paused").at >= went_on
