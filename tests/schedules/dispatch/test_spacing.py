"""However late its messages are, a room gets none sooner after another than it bears."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from channels.adapters.base import later, unknown
from channels.models import Room
from schedules import actions
from schedules.dispatch import spacing
from schedules.dispatch.claim import Claimed
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.pace import pace
from schedules.dispatch.plan import plan
from schedules.dispatch.settle import settle
from schedules.dispatch.sweep import sweep
from schedules.models import Delivery, Schedule
from schedules.states import ScheduleState, move
from tests.schedules.at_once import act_at
from tests.schedules.conftest import SECOND, accepted, claim_at, not_accepted

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = 60 * SECOND
INTERVAL = 30 * SECOND


@dataclass
class Workers:
    """They take what is due, hand it over as their pace lets them, and note what left when."""

    left: list[tuple[datetime, int | None, str]] = field(default_factory=list)
    answer: Callable[..., Outcome] = accepted

    def turn(self, now: datetime, limit: int = 100, *, answers: bool = True) -> list[Claimed]:
        """What is due at this moment; returns what is still on the wire."""
        claimed = claim_at(now, limit=limit)
        paced = pace(claimed, now)
        settle([Outcome(one, False, False, now, barred="busy") for one in paced.left_out])
        going = [one for one in claimed if one.id in paced.times]
        marked = mark_wire(going, now)[0]
        going = [one for one in going if one.id in marked]
        for one in going:
            self.left.append((paced.times[one.id], one.room_id, one.title))
        if answers:
            settle([self.answer(one, paced.times[one.id]) for one in going])
        return going

    def until(self, end: datetime, since: datetime, step: timedelta = SECOND) -> None:
        while since <= end:
            while plan(since):
                pass
            self.turn(since)
            since += step

    def gaps(self) -> list[timedelta]:
        """Between each two messages of one room."""
        times: dict[int | None, list[datetime]] = {}
        for at, room_id, _title in sorted(self.left):
            times.setdefault(room_id, []).append(at)
        return [after - at for one in times.values() for at, after in pairwise(one)]


@pytest.fixture
def room(world) -> Room:
    Room.objects.filter(pk=world.room.pk).update(min_interval_seconds=30, daily_cap=0)
    return Room.objects.get(pk=world.room.pk)


@pytest.fixture
def due(make_schedule) -> Callable[..., Schedule]:
    """A schedule that is due at this moment."""

    def make(due_at: datetime, **values: Any) -> Schedule:
        schedule = make_schedule(**{"text": f"{due_at}", "title": f"{due_at:%M:%S}"} | values)
        when = {"date": due_at.date(), "time": due_at.time(), "next_due_at": due_at}
        move(Schedule.objects.filter(pk=schedule.pk), ScheduleState.ACTIVE, **when)
        return schedule

    return make


def delivery_of(schedule: Schedule) -> Delivery:
    return Delivery.objects.get(run__schedule=schedule)


def test_what_was_planned_in_time_keeps_its_distance_when_its_workers_come_back(room, due):
    due(NINE), due(NINE + 30 * SECOND), due(NINE + 5 * MINUTE)
    for at in (NINE, NINE + 30 * SECOND, NINE + 5 * MINUTE):
        plan(at - 5 * SECOND)
    back = NINE + 5 * MINUTE
    workers = Workers()
    workers.until(back + 2 * MINUTE, since=back)
    assert [(at, title) for at, _room, title in workers.left] == [
        (back, "00:00"),
        (back + INTERVAL, "00:30"),
        (back + 2 * INTERVAL, "05:00"),
    ]


def test_what_the_outage_has_delayed_is_late_and_not_what_the_limit_has(room, due):
    first, second = due(NINE, text="a"), due(NINE, text="b")
    back = NINE + 5 * MINUTE
    Workers().until(back + MINUTE, since=back)
    late = [delivery_of(schedule) for schedule in (first, second)]
    assert {delivery.due_at for delivery in late} == {NINE}
    assert [delivery.lateness_ms for delivery in late] == [300_000, 300_000]
    assert late[1].slot_at == NINE + INTERVAL


def test_while_it_waits_it_says_why_and_when_it_is_tried(room, due):
    due(NINE, text="a")
    second = due(NINE + INTERVAL, text="b")
    plan(NINE + INTERVAL)
    Workers().turn(NINE + MINUTE)
    waiting = delivery_of(second)
    assert (waiting.state, waiting.reason) == ("planned", "busy")
    assert waiting.next_try_at == NINE + MINUTE + INTERVAL


def test_what_would_wait_longer_than_the_grace_is_left_out(room, due, settings):
    settings.TEIJI_GRACE_SECONDS = 60
    due(NINE, text="a")
    second = due(NINE + INTERVAL, text="b")
    plan(NINE + INTERVAL)
    workers = Workers()
    workers.turn(NINE + MINUTE)
    assert delivery_of(second).state == "planned"
    Room.objects.filter(pk=room.pk).update(min_interval_seconds=300)
    workers.turn(NINE + 2 * MINUTE - INTERVAL)
    assert (delivery_of(second).state, delivery_of(second).reason) == ("skipped", "busy")


def test_nothing_follows_one_that_is_still_on_the_wire(room, due):
    due(NINE, text="a")
    due(NINE + INTERVAL, text="b")
    plan(NINE)
    plan(NINE + INTERVAL - SECOND)
    workers = Workers()
    (held,) = workers.turn(NINE, answers=False)
    assert not workers.turn(NINE + INTERVAL)
    assert not workers.turn(NINE + INTERVAL + SECOND)
    settle([accepted(held, NINE)])
    (second,) = workers.turn(NINE + INTERVAL + 2 * SECOND)
    assert second.title == "00:30"


def test_a_retry_keeps_its_distance_too(room, due):
    due(NINE, text="a")
    due(NINE + MINUTE, text="b")
    plan(NINE)
    workers = Workers(answer=lambda one, at: not_accepted(one, at, later("Busy", after=55)))
    workers.turn(NINE)
    workers.left.clear()  # the channel has not taken it
    workers.answer = accepted
    workers.until(NINE + 3 * MINUTE, since=NINE + 50 * SECOND)
    assert len(workers.left) == 2
    assert min(workers.gaps()) >= INTERVAL


def test_what_may_have_arrived_is_kept_away_from(room, due):
    due(NINE, text="a")
    due(NINE + 20 * SECOND, text="b")
    plan(NINE)
    workers = Workers(answer=lambda one, at: not_accepted(one, at, unknown("?"), takes_key=False))
    workers.turn(NINE + 5 * SECOND)
    workers.answer = accepted
    workers.until(NINE + MINUTE, since=NINE + 20 * SECOND)
    assert workers.gaps() == [INTERVAL]


def test_of_two_workers_that_come_back_at_once_only_one_writes_to_a_room(room, due):
    due(NINE, text="a"), due(NINE + INTERVAL, text="b")
    plan(NINE + INTERVAL)
    back = NINE + 5 * MINUTE
    one, other = claim_at(back, worker="one", limit=1), claim_at(back, worker="two", limit=1)
    second, first = pace(other, back), pace(one, back)
    assert (len(first.times), len(first.given_back)) == (1, 0)
    assert (len(second.times), len(second.given_back)) == (0, 1)


def test_a_run_by_hand_keeps_its_distance_to_what_is_overdue(room, due, world, monkeypatch):
    overdue, other = due(NINE, text="a"), due(NINE + timedelta(hours=5), text="b")
    plan(NINE)
    back = NINE + 5 * MINUTE
    act_at(monkeypatch, back)
    actions.execute(other, by=world.people["hq"])
    workers = Workers()
    workers.until(back + MINUTE, since=back)
    assert len(workers.left) == 2
    assert min(workers.gaps()) >= INTERVAL
    assert delivery_of(overdue).lateness_ms == 300_000


def test_the_parts_of_a_message_stay_together(room, due, make_images):
    due(NINE, text="a", images=make_images(2), interval_seconds=10)
    due(NINE + 30 * SECOND, text="b")
    plan(NINE + 30 * SECOND)
    back = NINE + 2 * MINUTE
    workers = Workers()
    workers.until(back + 3 * MINUTE, since=back)
    times = [at - back for at, _room, _title in workers.left]
    assert times == [0 * SECOND, 10 * SECOND, 20 * SECOND, 50 * SECOND]


def test_a_room_that_bears_everything_is_asked_nothing(world, due):
    due(NINE, text="a"), due(NINE, text="b")
    plan(NINE)
    workers = Workers()
    assert len(workers.turn(NINE + MINUTE)) == 2


def test_thirty_rooms_are_one_question(world, due, django_assert_num_queries):
    rooms = [
        Room.objects.create(unit=world.xinyi, account=world.sandbox, name=f"R{n}", address=f"r{n}")
        for n in range(30)
    ]
    due(NINE, rooms=rooms)
    plan(NINE)
    claimed = claim_at(NINE)
    with django_assert_num_queries(1):
        assert spacing.free_from(claimed, NINE) == {}
    with django_assert_num_queries(1):
        spacing.free_from(claimed[:1], NINE)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_no_room_is_written_to_sooner_than_it_bears(
    world, room, due, seed, monkeypatch
):
    """Outages of planner and workers, runs by hand and answers that come late, at random."""
    chance = random.Random(seed)
    schedules = [
        due(NINE + chance.randrange(150) * SECOND, text=f"Text {number}", rooms=[room])
        for number in range(12)
    ]
    workers, on_the_wire, now = Workers(), [], NINE
    planning = working = True
    for _second in range(240):
        now += SECOND
        act_at(monkeypatch, now)
        planning ^= chance.random() < 0.04
        working ^= chance.random() < 0.04
        if planning:
            plan(now)
        if chance.random() < 0.03:
            with suppress(actions.Refused):
                actions.execute(chance.choice(schedules), by=world.people["hq"])
        if working:
            on_the_wire += workers.turn(now, limit=chance.choice([1, 100]), answers=False)
        if chance.random() < 0.5:
            for one in on_the_wire:
                at = next(at for at, _room, title in workers.left[::-1] if title == one.title)
                settle([accepted(one, at)])
            on_the_wire = []
    sweep(now)
    assert len(workers.left) > 2
    assert min(workers.gaps()) >= INTERVAL
