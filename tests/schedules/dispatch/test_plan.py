"""Occurrences become runs: each once, with the content frozen, or with the reason why not."""

from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from channels.models import Account, Room
from schedules.actions import register
from schedules.dispatch.plan import plan
from schedules.models import Delivery, HolidayException, Run, Schedule
from schedules.models.schedule import LARGE_PEOPLE
from tests.schedules.conftest import SECOND, plan_at
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db

HALF_HOUR = {"timing_kind": "interval", "every_minutes": 30, "date": None, "time": None}


@pytest.fixture
def half_hourly(world, make_schedule):
    return register(make_schedule(**HALF_HOUR), by=world.people["xinyi"])


def test_nothing_is_planned_before_the_horizon(half_hourly):
    assert plan(half_hourly.next_due_at - timedelta(minutes=1)) == 0
    assert not Run.objects.exists()


def test_an_occurrence_becomes_one_run_and_the_next_time_moves_on(half_hourly):
    due_at = half_hourly.next_due_at
    assert plan(due_at - SECOND) == 1
    assert plan(due_at - SECOND) == 0
    run = Run.objects.get()
    assert (run.due_at, run.state, run.total) == (due_at, "planned", 1)
    half_hourly.refresh_from_db()
    assert half_hourly.next_due_at == due_at + timedelta(minutes=30)


def test_two_runs_of_one_occurrence_are_impossible(half_hourly):
    due_at = half_hourly.next_due_at
    plan(due_at)
    Schedule.objects.update(next_due_at=due_at)  # as if a planner had lost its memory
    plan(due_at)
    (run,) = Run.objects.all()
    with pytest.raises(IntegrityError), transaction.atomic():
        run.pk = None
        run.save(force_insert=True)


def test_what_was_missed_by_less_than_the_grace_is_still_planned(half_hourly, settings):
    due_at = half_hourly.next_due_at
    plan(due_at + timedelta(seconds=settings.TEIJI_GRACE_SECONDS - 1))
    assert Run.objects.get(due_at=due_at).state == "planned"


def test_what_was_missed_by_more_is_skipped_and_said(half_hourly):
    due_at = half_hourly.next_due_at
    while plan(due_at + timedelta(days=2)):
        pass
    missed = Run.objects.filter(state="skipped", reason="missed")
    assert missed.count() == 96  # two days of half hours; the 97th is due now
    assert Run.objects.exclude(state="skipped").count() == 1
    assert Delivery.objects.count() == 1


def test_the_content_is_frozen_when_it_is_planned(world, half_hourly):
    plan(half_hourly.next_due_at)
    Schedule.objects.update(text="Something else")
    run = Run.objects.get()
    assert run.content["text"] == "Good morning"
    assert run.payloads[str(world.sandbox.pk)][0]["messages"][0]["text"] == "Good morning"


def test_a_holiday_is_a_skipped_run_with_its_name(world, make_schedule):
    schedule = register(make_schedule(**HALF_HOUR, holiday_country="KR"), by=world.people["xinyi"])
    local_day = schedule.next_due_at.date()
    HolidayException.objects.create(country="KR", date=local_day, is_holiday=True)
    plan(schedule.next_due_at)
    run = Run.objects.get()
    assert (run.state, run.reason) == ("skipped", "holiday")


def test_a_schedule_whose_rooms_are_gone_says_so(world, half_hourly):
    half_hourly.rooms.clear()
    plan(half_hourly.next_due_at)
    assert (Run.objects.get().state, Run.objects.get().reason) == ("skipped", "no_room")


def test_a_channel_that_is_not_installed_does_not_hold_up_the_others(world, make_schedule):
    account = Account.objects.create(unit=world.xinyi, name="Old", kind="sandbox")
    room = Room.objects.create(unit=world.xinyi, account=account, name="Old", address="old")
    person = world.people["xinyi"]
    broken = register(make_schedule(rooms=[room], text="Broken"), by=person)
    sound = register(make_schedule(), by=person)
    Account.objects.filter(pk=account.pk).update(kind="gone")
    plan(max(broken.next_due_at, sound.next_due_at))
    assert Run.objects.get(schedule=broken).reason == "unusable"
    assert Run.objects.get(schedule=sound).state == "planned"


def test_a_timing_that_became_unusable_is_an_error_and_holds_up_nobody(world, make_schedule):
    person = world.people["xinyi"]
    broken = register(make_schedule(text="Broken"), by=person)
    sound = register(make_schedule(), by=person)
    Schedule.objects.filter(pk=broken.pk).update(zone="Atlantis/Capital")
    plan(max(broken.next_due_at, sound.next_due_at))
    broken.refresh_from_db()
    assert (broken.state, broken.next_due_at) == ("error", None)
    assert Run.objects.get().schedule == sound


def test_the_same_content_for_a_room_at_one_time_is_planned_once(world, make_schedule):
    person = world.people["xinyi"]
    first = register(make_schedule(), by=person)
    second = make_schedule(text="Another", date=first.date, time=first.time)
    second = register(second, by=person)
    # Past the check at registration: the database itself must hold.
    Schedule.objects.filter(pk=second.pk).update(text=first.text)
    plan(first.next_due_at)
    states = sorted(Delivery.objects.values_list("state", "reason"))
    assert states == [("planned", ""), ("skipped", "duplicate")]
    assert sorted(Run.objects.values_list("state", flat=True)) == ["planned", "skipped"]


def test_a_run_that_is_there_already_holds_up_nobody(world, make_schedule):
    twice, other = (
        register(make_schedule(text=text), by=world.people["hq"]) for text in ("twice", "other")
    )
    plan_at(twice, twice.next_due_at)
    Schedule.objects.filter(pk=twice.pk).update(next_due_at=twice.next_due_at)
    plan_at(other, max(twice.next_due_at, other.next_due_at))
    assert Run.objects.filter(schedule=twice).count() == 1
    assert Run.objects.filter(schedule=other).count() == 1
    assert not Schedule.objects.filter(next_due_at__isnull=False).exists()


@pytest.fixture
def sized(world, make_schedule, monkeypatch):
    """Registers schedules to so many rooms each, all due at one time; beyond two it is large."""
    monkeypatch.setattr("schedules.models.schedule.LARGE_ROOMS", 2)
    add = partial(Room.objects.create, unit=world.xinyi, account=world.sandbox, **UNLIMITED)
    rooms = [add(name=f"Sized {n}", address=f"sized{n}") for n in range(4)]

    def register_them(*sizes: int) -> list[Schedule]:
        drafts = [make_schedule(text=f"{n}", rooms=rooms[:size]) for n, size in enumerate(sizes)]
        found = [register(draft, by=world.people["hq"]) for draft in drafts]
        Schedule.objects.update(next_due_at=found[0].next_due_at)
        Schedule.objects.update(date=found[0].date, time=found[0].time)
        return found

    return register_them


def planned_by_turns(now: datetime) -> list[list[str]]:
    """The texts of what each turn of the planner writes."""
    turns: list[list[str]] = []
    seen: set[int] = set()
    while plan(now):
        runs = Run.objects.exclude(pk__in=seen).order_by("schedule_id")
        turns.append([run.content["text"] for run in runs])
        seen |= {run.pk for run in runs}
    return turns


def test_small_ones_are_written_before_large_ones_and_those_each_alone(sized):
    now = sized(4, 1, 3, 2)[0].next_due_at
    assert planned_by_turns(now) == [["1", "3"], ["0"], ["2"]]


def test_a_message_to_very_many_people_is_large(sized):
    many, few = sized(1, 1)
    Schedule.objects.filter(pk=many.pk).update(expected=LARGE_PEOPLE + 1)
    Schedule.objects.filter(pk=few.pk).update(expected=LARGE_PEOPLE)
    assert planned_by_turns(few.next_due_at) == [["1"], ["0"]]


def test_a_turn_ends_when_it_has_written_enough(sized, monkeypatch):
    monkeypatch.setattr("schedules.dispatch.plan.ROWS_A_TURN", 3)
    now = sized(2, 2, 2, 1)[0].next_due_at
    assert planned_by_turns(now) == [["0", "1"], ["2", "3"]]


def test_planning_thirty_schedules_asks_as_often_as_planning_one(
    world, make_schedule, django_assert_num_queries, django_assert_max_num_queries
):
    person = world.people["xinyi"]
    due = None
    for number in range(31):
        schedule = make_schedule(text=f"Text {number}", holiday_country="KR")
        schedule = register(schedule, by=person)
        due = due or schedule
    Schedule.objects.exclude(pk=due.pk).update(next_due_at=due.next_due_at + timedelta(hours=1))
    with django_assert_max_num_queries(40) as one:
        plan_at(due, due.next_due_at)
    Schedule.objects.filter(next_due_at__gt=due.next_due_at).update(next_due_at=due.next_due_at)
    Schedule.objects.exclude(pk=due.pk).update(date=due.date, time=due.time)
    with django_assert_num_queries(len(one)):
        plan_at(due, due.next_due_at)
    assert Run.objects.count() == 31
