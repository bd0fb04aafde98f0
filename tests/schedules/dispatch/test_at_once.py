"""Two of the machine's parts at once, and people among them: no deadlock, nothing twice."""

import os
import random
from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any

import pytest
from django.db import transaction

from channels.adapters.base import later
from channels.models import Room
from logs.models import Attempt
from orgs.clock import database_now
from schedules.actions import (
    Refused,
    begin_edit,
    cancel,
    change,
    delete,
    execute,
    pause,
    register,
    resume,
)
from schedules.dispatch.claim import release
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.plan import plan
from schedules.dispatch.settle import settle
from schedules.dispatch.slots import Slots
from schedules.dispatch.sweep import sweep
from schedules.dispatch.waiting import Waiting
from schedules.models import Delivery, Run, Schedule
from tests.schedules.at_once import (
    act_at,
    at_once,
    before_statement,
    on_postgresql,
    outcome_of,
    start,
    wait_until_blocked,
)
from tests.schedules.conftest import SECOND, accepted, claim_at, not_accepted, on_the_wire
from tests.unlimited import UNLIMITED

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

GRID = {"timing_kind": "interval", "every_minutes": 1, "date": None, "time": None}
ROUNDS = int(os.environ.get("TEIJI_TEST_SEARCH") or 12)


@pytest.fixture
def rooms(world) -> list[Room]:
    add = partial(Room.objects.create, unit=world.xinyi, account=world.sandbox, **UNLIMITED)
    return [add(name=f"Room {9 - n}", address=f"r{n}") for n in range(6)]


@pytest.fixture
def register_some(world, make_schedule, rooms) -> Callable[..., list[Schedule]]:
    """So many schedules to all of the rooms, due at one moment."""

    numbers = count()

    def make(how_many: int, **timing: Any) -> list[Schedule]:
        drafts = [
            make_schedule(text=f"Text {next(numbers)}", rooms=rooms, **timing)
            for _ in range(how_many)
        ]
        for draft in drafts[1:]:
            draft.date, draft.time = drafts[0].date, drafts[0].time
            draft.save()
        return [register(draft, by=world.people["hq"]) for draft in drafts]

    return make


def test_two_planners_plan_each_occurrence_once(register_some, rooms):
    now = register_some(8)[0].next_due_at
    answers = at_once(*(partial(plan, now) for _ in range(3)))
    assert sum(answers) == 8 == Run.objects.count()
    assert Delivery.objects.count() == 8 * len(rooms)


def test_a_second_planner_at_any_statement_of_the_first_plans_nothing_twice(register_some):
    for place in range(0, 200, 3):
        Schedule.objects.update(state="cancelled", next_due_at=None)
        schedules = register_some(2, **GRID)
        now = schedules[0].next_due_at
        with before_statement(place, partial(plan, now)) as begun:
            planned = plan(now)
        planned += outcome_of(begun[0]) if begun else 0
        assert planned == Run.objects.filter(schedule__in=schedules).count() == 2
        if not begun:
            return
    raise AssertionError("a plan of so many statements is none")


@on_postgresql
def test_a_planner_that_stands_still_holds_up_its_own_rooms_alone(world, make_schedule, rooms):
    by = world.people["hq"]
    held, free = [
        register(make_schedule(text=f"Text {n}", rooms=[rooms[n]]), by=by) for n in range(2)
    ]
    now = held.next_due_at
    with transaction.atomic():
        list(Room.objects.filter(pk=rooms[0].pk).select_for_update(no_key=True))
        other = start(plan, now)
        wait_until_blocked(other)
        assert other.done(), "it waits"
    assert (outcome_of(other), Run.objects.get().schedule) == (1, free)
    assert (plan(now), plan(now)) == (1, 0)
    assert set(Run.objects.values_list("schedule", flat=True)) == {held.pk, free.pk}


@on_postgresql
def test_many_that_wait_for_their_rooms_do_not_delay_those_behind_them(
    world, make_schedule, rooms, monkeypatch
):
    monkeypatch.setattr("schedules.dispatch.plan.SCHEDULES_A_TURN", 3)
    by = world.people["hq"]
    *held, free = [
        register(make_schedule(text=f"Text {n}", rooms=[rooms[n // 7]]), by=by) for n in range(8)
    ]
    now = free.next_due_at
    with transaction.atomic():
        list(Room.objects.filter(pk=rooms[0].pk).select_for_update(no_key=True))
        assert outcome_of(start(plan, now)) == 1
    assert Run.objects.get().schedule == free
    assert [plan(now) for _turn in range(4)] == [3, 3, 1, 0]
    assert Run.objects.filter(schedule__in=held).count() == 7


@on_postgresql
def test_a_planner_that_writes_a_large_one_holds_up_no_other(
    world, make_schedule, rooms, monkeypatch
):
    monkeypatch.setattr("schedules.models.schedule.LARGE_ROOMS", 1)
    by = world.people["hq"]
    first, second, small = [
        register(make_schedule(text=f"Text {n}", rooms=some), by=by)
        for n, some in enumerate([rooms[:2], rooms[2:4], rooms[4:5]])
    ]
    now = small.next_due_at
    with transaction.atomic():
        Schedule.objects.select_for_update().get(pk=first.pk)
        for schedule in (small, second):
            assert outcome_of(start(plan, now)) == 1
            assert Run.objects.filter(schedule=schedule).exists()
        assert outcome_of(start(plan, now)) == 0
    assert plan(now) == 1


def test_one_answer_settled_by_two_counts_once(register_some):
    now = register_some(3)[0].next_due_at
    plan(now)
    outcomes = [accepted(claimed, now) for claimed in on_the_wire(now)]
    answers = at_once(partial(settle, outcomes), partial(settle, outcomes[::-1]))
    assert sorted(answers) == [0, len(outcomes)]
    assert Attempt.objects.count() == len(outcomes)


def test_two_that_settle_halves_of_the_same_runs_count_right(register_some, rooms):
    now = register_some(4)[0].next_due_at
    plan(now)
    outcomes = [accepted(claimed, now) for claimed in on_the_wire(now)]
    halves = outcomes[::2], outcomes[1::2][::-1]
    assert sum(at_once(*(partial(settle, half) for half in halves))) == 4 * len(rooms)
    assert set(Run.objects.values_list("state", "sent")) == {("sent", len(rooms))}


def test_an_answer_and_a_cancel_at_once_leave_a_true_log(world, register_some, rooms):
    schedules = register_some(6)
    now = schedules[0].next_due_at
    plan(now)
    for schedule in schedules:
        claimed = [c for c in claim_at(now, limit=4) if mark_wire([c], now)[0]]
        answers = at_once(
            partial(settle, [accepted(c, now) for c in claimed]),
            partial(cancel, schedule, by=world.people["hq"]),
        )
        assert answers[0] == len(claimed)
        assert answers[1].state == "cancelled"
    for run in Run.objects.all():
        states = list(run.deliveries.values_list("state", flat=True))
        assert set(states) <= {"sent", "cancelled", "planned"}
        assert run.sent == states.count("sent")
        assert (run.completed_at is None) == ("planned" in states)


def test_whatever_meets_whatever_the_database_never_says_no(world, register_some, monkeypatch):
    """Random acts of people and steps of workers, four at once, over the same rows."""
    schedules = register_some(5, **GRID)
    chance = random.Random(os.environ.get("TEIJI_TEST_SEARCH") or 4711)
    now = schedules[0].next_due_at
    for _ in range(ROUNDS):
        now += 20 * SECOND
        # What was ended for good is replaced, else soon nothing would be left to collide.
        alive = Schedule.objects.filter(pk__in=[row.pk for row in schedules], deleted_at=None)
        schedules = list(alive.exclude(state="cancelled"))
        act_at(monkeypatch, database_now())
        schedules += register_some(5 - len(schedules), **GRID)
        act_at(monkeypatch, now)
        works = [chance.choice(WORKS) for _ in range(4)]
        answers = at_once(
            *(partial(work, now, chance.choice(schedules), world.people["hq"]) for work in works)
        )
        trouble = [a for a in answers if isinstance(a, Exception) and not isinstance(a, Refused)]
        assert trouble == [], [work.__qualname__ for work in works]
    keys = Attempt.objects.filter(outcome="accepted").values_list("key", flat=True)
    assert len(keys) == len(set(keys)), "a part was accepted twice"


def test_of_two_claims_of_one_delivery_in_one_workers_hands_one_is_handed_over(register_some):
    """As when a worker was stopped for longer than its lease, and claims again on waking."""
    now = register_some(1)[0].next_due_at
    plan(now)
    first = claim_at(now)
    awake = now + 10 * SECOND
    sweep(awake)
    second = claim_at(awake)
    assert len(first) == len(second) == Delivery.objects.count()
    waiting = Waiting()
    waiting.add(first)
    waiting.add(second)
    taken = waiting.take(awake, Slots(1000))
    marked = mark_wire(taken, awake)[0]
    leaving = [claimed for claimed in taken if claimed.id in marked]
    assert sorted(claimed.id for claimed in leaving) == sorted(marked)
    assert {claimed.token for claimed in leaving} == {second[0].token}


def turn(now: datetime, *_: Any) -> None:
    plan(now)
    claimed = claim_at(now)
    marked = mark_wire(claimed, now)[0]
    mine = [c for c in claimed if c.id in marked]
    busy = later("Busy", after=10)
    settle([accepted(c, now) if c.id % 3 else not_accepted(c, now, busy) for c in mine[::-1]])


def give_back(now: datetime, *_: Any) -> None:
    release(claim_at(now))


def lose(now: datetime, *_: Any) -> None:
    mark_wire(claim_at(now, limit=4), now)


def tidy(now: datetime, *_: Any) -> None:
    sweep(now)


def edit(now: datetime, schedule: Schedule, by: Any) -> None:
    copy = begin_edit(schedule, by=by)
    copy.text = f"Text of {now} for {schedule.pk}"
    copy.save()
    change(copy, by=by)


def person(act: Callable[..., Any]) -> Callable[..., None]:
    def do(_now: datetime, schedule: Schedule, by: Any) -> None:
        act(schedule, by=by)

    return do


WORKS: list[Callable[..., None]] = [
    turn, turn, turn, give_back, lose, tidy, edit, edit,
    person(pause), person(resume), person(resume), person(execute), person(cancel), person(delete),
]  # fmt: skip
