"""Nothing is sent that nobody let go: who is asked, what is bound, and what voids it."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from channels.models import Alert
from logs.models import History
from orgs.clock import database_now
from orgs.reach import Role
from schedules.actions import (
    OutOfReach,
    Refused,
    approve,
    begin_edit,
    cancel,
    change,
    change_one,
    execute,
    pause,
    refuse,
    register,
    resume,
    send_test,
    set_priority,
    shift,
)
from schedules.clearance import is_cleared
from schedules.models import (
    Approval,
    Delivery,
    OccurrenceChange,
    PlaceholderValue,
    Run,
    Schedule,
)
from schedules.recurrence import Change
from schedules.runs.freeze import freeze, with_content
from schedules.runs.store import store
from tests.schedules.approving import agency_of, approved, demand, seen
from tests.schedules.at_once import on_postgresql, outcome_of, start, wait_until_blocked
from tests.schedules.conftest import plan_at

pytestmark = pytest.mark.django_db

GRID = {"timing_kind": "interval", "every_minutes": 30, "date": None, "time": None}


@pytest.fixture
def agency(world):
    return agency_of(world)


@pytest.fixture
def waiting(agency, make_schedule) -> Schedule:
    return register(make_schedule(**GRID), by=agency.clerk)


@pytest.fixture
def running(agency, waiting) -> Schedule:
    return approved(waiting, agency.chief)


def edited(schedule: Schedule, by, **values) -> Schedule:
    copy = begin_edit(schedule, by=by)
    for name, value in values.items():
        setattr(copy, name, value)
    copy.save()
    return change(copy, by=by)


def state_of(schedule: Schedule) -> str:
    return Schedule.objects.values_list("state", flat=True).get(pk=schedule.pk)


# Who is asked.


def test_what_an_operator_registers_waits_and_is_not_planned(waiting):
    assert waiting.state == "waiting" and waiting.next_due_at is not None
    assert plan_at(waiting, waiting.next_due_at) == [] and not Run.objects.exists()
    assert Alert.objects.get().unit_path == Approval.objects.get().unit.path


def test_approved_it_goes_each_time_without_being_asked_again(running):
    assert running.state == "active"
    for _day in range(3):
        due = Schedule.objects.get(pk=running.pk).next_due_at
        plan_at(running, due)
    assert set(Run.objects.values_list("state", "reason")) == {("planned", "")}
    assert Run.objects.count() >= 3


@pytest.mark.parametrize(
    ("unit", "role", "state"),
    [
        ("taipei", Role.OPERATOR, "waiting"),
        ("taipei", Role.APPROVER, "active"),
        ("taipei", Role.MANAGER, "active"),
        ("north", Role.APPROVER, "active"),
        ("north", Role.OPERATOR, "waiting"),
        # Of a lower unit: those of the agency are asked.
        ("xinyi", Role.APPROVER, "waiting"),
        ("xinyi", Role.MANAGER, "waiting"),
    ],
)
def test_who_may_approve_there_needs_no_approval(world, make_schedule, unit, role, state):
    demand(world.taipei)
    person = world.person(getattr(world, unit), role)
    assert register(make_schedule(), by=person).state == state


def test_the_nearest_word_of_a_unit_counts(world, agency, make_schedule):
    demand(world.xinyi, "free")
    assert register(make_schedule(), by=agency.clerk).state == "active"
    demand(world.xinyi, "demanded")
    assert register(make_schedule(text="Other"), by=agency.clerk).state == "waiting"
    assert Approval.objects.get().unit == world.xinyi
    demand(world.xinyi, "")
    demand(world.taipei, "")
    assert register(make_schedule(text="Third"), by=agency.clerk).state == "active"


# Who answers.


@pytest.mark.parametrize("who", ["hq", "north", "taipei"])
def test_the_unit_that_demands_it_and_those_above_answer(world, waiting, who):
    assert approved(waiting, world.people[who]).state == "active"


@pytest.mark.parametrize("who", ["south", "tainan", "stranger"])
def test_elsewhere_it_does_not_exist(world, waiting, who):
    for act in (partial(approve, seen=seen(waiting)), partial(refuse, note="no")):
        with pytest.raises(OutOfReach):
            act(waiting, by=world.people[who])
    assert state_of(waiting) == "waiting"


def test_below_and_with_a_lower_role_nobody_answers(world, agency, waiting):
    for person in (world.people["xinyi"], world.person(world.taipei, Role.OPERATOR)):
        with pytest.raises(Refused):
            approved(waiting, person)
    assert state_of(waiting) == "waiting"


def test_nobody_approves_what_they_registered_or_changed_last(world, agency, waiting):
    colleague = world.person(world.taipei, Role.OPERATOR)
    edited(waiting, colleague, text="Changed by a colleague")
    Schedule.objects.filter(pk=waiting.pk).update(registered_by=agency.clerk)
    for person in (agency.clerk, colleague):
        person.member.unit, person.member.role = world.taipei, Role.APPROVER
        person.member.save()
        with pytest.raises(Refused, match="Nobody approves"):
            approved(waiting, type(person).objects.get(pk=person.pk))
    assert approved(waiting, agency.chief).state == "active"


def test_the_table_holds_no_approval_of_ones_own(agency, waiting):
    row = Approval.objects.filter(schedule=waiting)
    values = {"verdict": "approved", "answered_at": database_now(), "answered_by": agency.clerk}
    with pytest.raises(IntegrityError), transaction.atomic():
        row.update(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.update(**values | {"answered_by": agency.chief, "verdict": "refused"})


# What is bound.

MATTERS = [
    {"text": "Other"}, {"every_minutes": 20}, {"zone": "Asia/Seoul"}, {"interval_seconds": 3},
    {"on_quiet": "skip"}, {"holiday_country": "KR"}, {"skip_dates": ["2031-01-01"]},
    {"timing_kind": "daily", "time": "09:00:00"},
]  # fmt: skip
DOES_NOT = [
    {"title": "Other"}, {"description": "Other"}, {"priority": 90}, {"max_retries": 1},
    {"label": "other"}, {"text": " Good morning\n"},
]  # fmt: skip


@pytest.mark.parametrize("values", MATTERS, ids=str)
def test_a_change_of_what_is_sent_or_when_voids_it(agency, running, values):
    assert edited(running, agency.clerk, **values).state == "waiting"
    assert plan_at(running, database_now() + timedelta(hours=1)) == []
    assert approved(running, agency.chief).state == "active"


@pytest.mark.parametrize("values", DOES_NOT, ids=str)
def test_a_change_of_anything_else_does_not(agency, running, values):
    assert edited(running, agency.clerk, **values).state == "active"


def test_another_place_voids_it(world, agency, running):
    copy = begin_edit(running, by=agency.clerk)
    copy.rooms.set([world.test_room])
    assert change(copy, by=agency.clerk).state == "waiting"


def test_other_images_or_another_order_of_them_void_it(agency, make_schedule, make_images):
    first, second = make_images(2)
    schedule = register(make_schedule(images=[first, second], **GRID), by=agency.clerk)
    schedule = approved(schedule, agency.chief)
    schedule.schedule_images.all().delete()
    for position, image in enumerate([second, first]):
        schedule.schedule_images.create(image=image, position=position)
    assert not is_cleared(Schedule.objects.get(pk=schedule.pk))


def test_back_to_what_was_approved_before_is_asked_again(agency, running):
    edited(running, agency.clerk, text="Other")
    with pytest.raises(Refused, match="changed since"):
        approve(running, by=agency.chief, seen=running.cleared)


def test_an_approver_may_change_it_and_answers_for_all_of_it(agency, waiting):
    assert edited(waiting, agency.chief, text="Mended").state == "active"
    assert edited(waiting, agency.clerk, text="Mended again").state == "waiting"


def test_a_value_that_others_give_a_placeholder_voids_it(world, agency, make_schedule):
    value = PlaceholderValue.objects.create(unit=world.taipei, name="phone", value="1")
    schedule = register(make_schedule(text="Call {phone}", **GRID), by=agency.clerk)
    schedule = approved(schedule, agency.chief)
    value.value = "0900-666-666"
    value.save()
    assert plan_at(schedule, schedule.next_due_at) == []
    assert state_of(schedule) == "waiting"
    asked = Approval.objects.get()
    assert (asked.verdict, asked.asked_by) == ("", agency.clerk)
    assert approved(schedule, agency.chief).state == "active"


# Every way to a run.


def test_an_operator_cannot_run_what_is_approved_at_another_time(agency, running):
    with pytest.raises(Refused, match="its own times"):
        execute(running, by=agency.clerk)
    assert execute(running, by=agency.chief).state == "planned"


def test_nobody_runs_what_waits(agency, waiting):
    for person in (agency.clerk, agency.chief):
        with pytest.raises(Refused):
            execute(waiting, by=person)
    assert not Run.objects.exists()


def test_it_can_be_tested_before(agency, waiting):
    assert send_test(waiting, by=agency.clerk).state == "planned"


def test_a_shift_by_an_operator_waits_and_by_an_approver_does_not(agency, make_schedule):
    schedule = register(make_schedule(due_in=90_000), by=agency.clerk)
    schedule = approved(schedule, agency.chief)
    assert shift(schedule, by=agency.chief, span=timedelta(hours=1)).state == "active"
    assert shift(schedule, by=agency.clerk, span=timedelta(hours=1)).state == "waiting"


def test_who_shifts_or_resumes_does_not_vouch_for_what_others_wrote(agency, running):
    pause(running, by=agency.clerk)
    assert edited(running, agency.clerk, text="Other").state == "paused"
    assert resume(running, by=agency.chief).state == "waiting"
    assert History.objects.filter(verb="resumed").exists()


def test_paused_and_resumed_unchanged_it_goes_on(agency, running):
    pause(running, by=agency.clerk)
    assert resume(running, by=agency.clerk).state == "active"


def test_a_priority_is_no_new_question(agency, waiting):
    set_priority(waiting, by=agency.clerk, priority=90)
    assert approved(waiting, agency.chief).state == "active"


def test_whatever_makes_a_run_what_is_not_cleared_is_not_sent(agency, waiting):
    """A way round all acts: the state alone lets nothing go."""
    Schedule.objects.filter(pk=waiting.pk).update(state="active")
    now = database_now()
    row = with_content(Schedule.objects.all()).get(pk=waiting.pk)
    by_hand = freeze(row, now + timedelta(seconds=1), now=now, trigger="hand")
    store([freeze(row, now, now=now), by_hand], now)
    assert set(Run.objects.values_list("state", "reason")) == {("skipped", "unapproved")}
    assert not Delivery.objects.exists()


def test_now_is_sent_when_it_is_approved(agency, make_schedule):
    values = {"timing_kind": "now", "date": None, "time": None}
    schedule = register(make_schedule(**values), by=agency.clerk)
    assert schedule.state == "waiting" and not Run.objects.exists()
    approved(schedule, agency.chief)
    assert Run.objects.get().state == "planned"
    with pytest.raises(Refused):
        approved(schedule, agency.chief)


def test_what_waits_can_be_cancelled(agency, waiting):
    assert cancel(waiting, by=agency.clerk).state == "cancelled"
    assert not Approval.objects.waiting().exists()


def test_what_ran_before_the_unit_demanded_it_goes_on_until_it_is_changed(world, make_schedule):
    clerk = world.person(world.xinyi, Role.OPERATOR)
    schedule = register(make_schedule(**GRID), by=clerk)
    agency = world.people["taipei"]
    demand(world.taipei)
    assert len(plan_at(schedule, schedule.next_due_at)) == 1
    assert edited(schedule, clerk, text="Other").state == "waiting"
    assert approved(schedule, agency).state == "active"


# A no.


def test_refused_it_is_a_draft_of_its_author_again_with_the_reason(agency, waiting):
    with pytest.raises(Refused) as refused:
        refuse(waiting, by=agency.chief, note=" ")
    assert "note" in refused.value.problems
    row = refuse(waiting, by=agency.chief, note="Wrong price")
    assert (row.state, row.next_due_at, row.approval.note) == ("draft", None, "Wrong price")
    row.text = "Right price"
    row.save()
    assert register(row, by=agency.clerk).state == "waiting"
    assert approved(row, agency.chief).state == "active"
    verbs = History.objects.filter(object_id=row.pk).order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["created", "asked", "refused", "updated", "asked", "approved"]


def test_what_its_author_was_changing_when_it_was_refused_is_kept(agency, waiting):
    copy = begin_edit(waiting, by=agency.clerk)
    copy.text = "Half written"
    copy.save()
    row = refuse(waiting, by=agency.chief, note="Wrong price")
    assert row.text == "Half written" and not row.drafts.exists()


def test_the_history_holds_who_said_what_to_which_content(agency, running):
    entry = History.objects.get(verb="approved")
    assert (entry.actor, entry.changes["digest"]) == ("taipei-approver", running.cleared)


# At the same moment.


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_an_edit_and_an_approval_at_once_never_let_the_unseen_go(agency, waiting):
    look = seen(waiting)
    with transaction.atomic():
        edited(waiting, agency.clerk, text="Never seen")
        other = start(partial(approve, waiting, by=agency.chief, seen=look))
        wait_until_blocked(other)
    assert isinstance(outcome_of(other), Refused)
    assert state_of(waiting) == "waiting"


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_an_approval_and_an_edit_at_once_leave_it_waiting(agency, waiting):
    copy = begin_edit(waiting, by=agency.clerk)
    Schedule.objects.filter(pk=copy.pk).update(text="Never seen")
    with transaction.atomic():
        approved(waiting, agency.chief)
        other = start(partial(change, copy, by=agency.clerk))
        wait_until_blocked(other)
    assert outcome_of(other).state == "waiting"


# Single times.


def reworded(schedule: Schedule, by, text: str) -> None:
    at = Schedule.objects.get(pk=schedule.pk).next_due_at
    change_one(schedule, at, Change(text=text), by=by)


def test_the_text_that_an_approver_gives_a_single_time_goes(agency, running):
    reworded(running, agency.chief, "Only this time.")
    due = Schedule.objects.get(pk=running.pk).next_due_at
    plan_at(running, due)
    texts = [run.content["text"] for run in Run.objects.order_by("due_at")]
    assert texts[0] == "Only this time." and set(texts[1:]) <= {running.text}
    assert set(Run.objects.values_list("state", "reason")) == {("planned", "")}


def test_who_needs_approval_gives_no_single_time_another_text(agency, running):
    with pytest.raises(Refused, match="approval"):
        reworded(running, agency.clerk, "Only this time.")


def test_a_text_given_before_approval_was_demanded_goes_on_with_the_rest(world, make_schedule):
    clerk = world.person(world.xinyi, Role.OPERATOR)
    schedule = register(make_schedule(**GRID), by=clerk)
    reworded(schedule, clerk, "Only this time.")
    demand(world.taipei)
    plan_at(schedule, Schedule.objects.get(pk=schedule.pk).next_due_at)
    assert Run.objects.get().content["text"] == "Only this time."
    assert state_of(schedule) == "active"


def test_an_approval_is_bound_to_single_times_as_they_were_seen(world, agency, waiting):
    before = seen(waiting)
    OccurrenceChange.objects.create(
        schedule=waiting, appointed_at=waiting.next_due_at, text="Later.", changed_at=database_now()
    )
    assert seen(waiting) != before
    with pytest.raises(Refused):
        approve(waiting, by=agency.chief, seen=before)


@pytest.mark.parametrize("wanted", [Change(skips=True), Change(text="Only this time.")])
def test_who_changes_a_single_time_does_not_approve_what_others_changed(agency, running, wanted):
    Schedule.objects.filter(pk=running.pk).update(text="Nobody has looked at this.")
    at = Schedule.objects.get(pk=running.pk).next_due_at
    change_one(running, at, wanted, by=agency.chief)
    assert not is_cleared(Schedule.objects.get(pk=running.pk))
