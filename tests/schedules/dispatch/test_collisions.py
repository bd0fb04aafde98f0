"""A person acts while the machine is at it, at every statement of either: the old or the new
goes out, never both, never half, and what people are told is what happened."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

import pytest

from channels.adapters.base import unknown
from channels.models import Account, Room
from logs.models import Attempt, History
from orgs.clock import database_now
from orgs.models import User
from schedules.actions import (
    Refused,
    Verdict,
    begin_edit,
    cancel,
    change,
    delete,
    execute,
    pause,
    register,
    resolve,
)
from schedules.dispatch.claim import Claimed
from schedules.dispatch.confirm import Answer, due_questions, write_answers
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.plan import plan
from schedules.dispatch.settle import settle
from schedules.dispatch.sweep import sweep
from schedules.models import Delivery, Run, Schedule
from tests.conftest import World
from tests.schedules.at_once import act_at, before_statement, outcome_of
from tests.schedules.conftest import SECOND, accepted, claim_at, not_accepted
from tests.unlimited import UNLIMITED

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

NEW = "New: "
MINUTE = 60 * SECOND
# Every so-manieth place is tried; TEIJI_TEST_SEARCH=1 tries all of them.
STRIDE = 1 if os.environ.get("TEIJI_TEST_SEARCH") else 9


@dataclass
class Worker:
    """A worker whose channel accepts everything and remembers it."""

    seen: list[tuple[datetime, str, str]] = field(default_factory=list)  # when, room, text

    def plan(self, now: datetime) -> None:
        plan(now)

    def claim(self, now: datetime) -> list[Claimed]:
        return claim_at(now)

    def mark(self, claimed: list[Claimed], now: datetime) -> list[Outcome]:
        """Hand them over one by one: a run begins with one room and ends with another."""
        outcomes = []
        for delivery in claimed:
            marked, barred = mark_wire([delivery], now)[:2]
            if delivery.id in barred:
                reason = barred[delivery.id]
                outcomes.append(Outcome(delivery, False, False, answered_at=now, barred=reason))
            elif delivery.id in marked:
                text = delivery.payload["messages"][0]["text"]
                self.seen.append((delivery.due_at, delivery.room_name, text))
                outcomes.append(accepted(delivery, now))
        return outcomes

    def settle(self, outcomes: list[Outcome]) -> None:
        settle(outcomes)

    def work(self, now: datetime) -> None:
        """One turn from the plan to the outcome."""
        self.plan(now)
        self.settle(self.mark(self.claim(now), now))

    def work_on(self, now: datetime) -> None:
        """Leave nothing undone, nor what becomes due within half an hour."""
        for minutes in (0, 10, 30):
            self.work(now + minutes * MINUTE)
            sweep(now + minutes * MINUTE)


@dataclass
class Scene:
    """A schedule to two rooms that is due, and what comes of it."""

    world: World
    person: User
    schedule: Schedule
    due_at: datetime
    now: datetime  # for the person
    worker: Worker = field(default_factory=Worker)

    @property
    def rooms(self) -> set[str]:
        return set(self.schedule.rooms.values_list("name", flat=True))

    def seen_at(self, due_at: datetime) -> list[tuple[str, str]]:
        return [(room, text) for when, room, text in self.worker.seen if when == due_at]

    def run(self) -> Run | None:
        return Run.objects.filter(schedule=self.schedule, due_at=self.due_at).first()

    def edit(self, **values: Any) -> Schedule:
        copy = begin_edit(self.schedule, by=self.person)
        copy.created_at = self.now
        for name, value in values.items():
            setattr(copy, name, value)
        copy.save()
        return change(copy, by=self.person)


@pytest.fixture
def scenes(world, make_schedule, monkeypatch) -> Callable[..., Scene]:
    """A new scene at each call; what the last one left is over."""
    room = Room.objects.create(
        unit=world.xinyi, account=world.sandbox, name="Second room", address="second", **UNLIMITED
    )
    number = count()

    def make(act: "Act") -> Scene:
        Account.objects.update(is_active=True)
        Room.objects.filter(pk=world.room.pk).update(unit=world.xinyi)
        Schedule.objects.update(state="cancelled", next_due_at=None)
        act_at(monkeypatch, database_now())
        text = f"Text {next(number)}"  # else the scenes of one second would be twins
        draft = make_schedule(text=text, rooms=[world.room, room], **act.timing)
        schedule = register(draft, by=world.people["xinyi"])
        now = schedule.next_due_at + (3 * SECOND if act.is_late else -SECOND)
        act_at(monkeypatch, now)
        return Scene(world, world.people["xinyi"], schedule, schedule.next_due_at, now)

    return make


HALF_HOURLY = {"timing_kind": "interval", "every_minutes": 30, "date": None, "time": None}


@dataclass
class Act:
    """What a person does, and what may come of it. `is_late`: after the due second, as when the
    machine was down."""

    do: Callable[[Scene], Any]
    check: Callable[[Scene, Any], None]
    timing: dict[str, Any] = field(default_factory=lambda: HALF_HOURLY)
    is_late: bool = False
    verb: str | None = None  # what the history then says


def either_text(scene: Scene, answer: Any) -> None:
    """Each room has one message, all of them the same: the one that the log shows."""
    assert isinstance(answer, Schedule)
    seen = scene.seen_at(scene.due_at)
    assert {room for room, _ in seen} == scene.rooms and len(seen) == len(scene.rooms)
    (text,) = {text for _, text in seen}
    assert scene.run().content["text"] == text
    assert text in (scene.schedule.text, NEW + scene.schedule.text)


def all_or_none(scene: Scene, answer: Any) -> None:
    """A pause lets a run go that has begun, and of any other nothing."""
    assert answer.state == "paused"
    seen, run = scene.seen_at(scene.due_at), scene.run()
    if seen:
        assert Counter(room for room, _ in seen) == Counter(scene.rooms)
        assert run.state == "sent"
    else:
        assert run is None or (run.state, run.sent) == ("cancelled", 0)


def no_more(scene: Scene, answer: Any) -> None:
    """What had left has left; the log says which."""
    assert not isinstance(answer, Exception)
    scene.schedule.refresh_from_db()
    assert scene.schedule.state == "cancelled"
    seen, run = scene.seen_at(scene.due_at), scene.run()
    assert len(seen) == len(set(seen))
    assert len(scene.worker.seen) == len(seen)
    if run:
        states = {0: {"cancelled", "skipped"}, 1: {"partial"}, 2: {"sent"}}
        assert run.state in states[len(seen)]
        assert run.sent == len(seen)
    else:
        assert not seen


def one_of_two_times(scene: Scene, answer: Any) -> None:
    """Either it was moved and goes at the new time alone, or the person was told that it is too
    late and it went at the old one alone."""
    when = scene.due_at if isinstance(answer, Refused) else scene.due_at + 10 * MINUTE
    assert Counter(scene.worker.seen) == Counter(
        (when, room, scene.schedule.text) for room in scene.rooms
    )


def barred_or_sent(reason: str, touched: Callable[[Scene], set[str]]) -> Callable[..., None]:
    def check(scene: Scene, answer: Any) -> None:
        seen = Counter(room for room, _ in scene.seen_at(scene.due_at))
        assert set(seen.values()) <= {1}
        for row in scene.run().deliveries.all():
            if row.room_name in seen:
                assert row.state == "sent"
            else:
                assert (row.state, row.reason) == ("skipped", reason)
                assert row.room_name in touched(scene)

    return check


def move_room(scene: Scene) -> None:
    Room.objects.filter(pk=scene.world.room.pk).update(unit=scene.world.tainan)


def move_time(scene: Scene) -> Schedule:
    at = scene.due_at + 10 * MINUTE
    return scene.edit(date=at.date(), time=at.time())


def edit_text(scene: Scene) -> Schedule:
    return scene.edit(text=NEW + scene.schedule.text)


def acting(act: Callable[..., Any]) -> Callable[[Scene], Any]:
    return lambda scene: act(scene.schedule, by=scene.person)


ACTS = {
    "edit": Act(edit_text, either_text, verb="updated"),
    "edit late": Act(edit_text, either_text, verb="updated", is_late=True),
    "pause": Act(acting(pause), all_or_none, verb="paused"),
    "pause late": Act(acting(pause), all_or_none, verb="paused", is_late=True),
    "cancel": Act(acting(cancel), no_more, verb="cancelled"),
    "cancel late": Act(acting(cancel), no_more, verb="cancelled", is_late=True),
    "delete": Act(acting(delete), no_more, verb="deleted"),
    "move time": Act(move_time, one_of_two_times, verb="updated", timing={}),
    "move time late": Act(move_time, one_of_two_times, verb="updated", timing={}, is_late=True),
    "move room": Act(move_room, barred_or_sent("reach", lambda scene: {scene.world.room.name})),
    "deactivate": Act(
        lambda scene: Account.objects.update(is_active=False),
        barred_or_sent("inactive", lambda scene: scene.rooms),
    ),
}
# The mark is where it is decided; before and after it, acts that are late add nothing.
STEPS = [("mark", name) for name in ACTS] + [
    (step, name) for step in ("plan", "claim", "settle") for name, act in ACTS.items()
    if not act.is_late
]  # fmt: skip


def answer_of(act: Act, scene: Scene) -> Any:
    try:
        return act.do(scene)
    except Refused as refused:
        return refused


def check(scene: Scene, act: Act, answer: Any) -> None:
    """The machine does the rest; then the promise of the act is looked at."""
    scene.worker.work_on(scene.due_at + 4 * SECOND)
    assert answer is None or isinstance(answer, Schedule | Refused | int), repr(answer)
    act.check(scene, answer)
    runs = Run.objects.filter(schedule=scene.schedule)
    rows = Delivery.objects.filter(run__in=runs)
    sent = Counter((row.due_at, row.room_name) for row in rows.filter(state="sent"))
    assert sent == Counter((when, room) for when, room, _ in scene.worker.seen)
    assert Attempt.objects.filter(schedule_id=scene.schedule.pk).count() == sum(sent.values())
    assert not rows.exclude(state__in=["sent", "skipped", "cancelled"]).exists()
    verbs = set(History.objects.filter(object_id=scene.schedule.pk).values_list("verb", flat=True))
    is_told = isinstance(answer, Refused) or act.verb is None
    assert (act.verb in verbs) != is_told


def places(first: int = 0, stride: int = STRIDE) -> Iterator[int]:
    yield from range(first, 500, stride)


@pytest.mark.parametrize(("step", "name"), STEPS)
def test_an_act_at_any_statement_of_a_workers_step(scenes, name, step):
    act = ACTS[name]
    stride = min(STRIDE, 2) if step == "mark" else STRIDE  # there it is decided
    for place in places(hash_of(name) % stride, stride):
        scene = scenes(act)
        now = scene.due_at + (4 * SECOND if act.is_late else -0.15 * SECOND)
        work = {
            "plan": scene.worker.plan, "claim": scene.worker.claim,
            "mark": scene.worker.mark, "settle": scene.worker.settle,
        }  # fmt: skip
        args: tuple[Any, ...] = (now,)
        begun: list[Any] = []
        for each, do in work.items():
            if each != step:
                given = do(*args)
            else:
                with before_statement(place, lambda scene=scene: act.do(scene)) as begun:
                    given = do(*args)
            args = (given, now) if each == "claim" else (given,) if each == "mark" else (now,)
        answer = outcome_of(begun[0]) if begun else answer_of(act, scene)
        check(scene, act, answer)
        if not begun:
            return
    raise AssertionError("a step of so many statements is none")


@pytest.mark.parametrize("name", ACTS)
def test_a_workers_turn_at_any_statement_of_an_act(scenes, name):
    act = ACTS[name]
    for place in places(hash_of(name) % STRIDE):
        scene = scenes(act)
        now = scene.due_at + (4 * SECOND if act.is_late else -0.15 * SECOND)
        if place % 2:
            scene.worker.plan(now)
        with before_statement(place, lambda scene=scene, now=now: scene.worker.work(now)) as begun:
            answer = answer_of(act, scene)
        if begun:
            assert outcome_of(begun[0]) is None
        check(scene, act, answer)
        if not begun:
            return
    raise AssertionError("an act of so many statements is none")


def hash_of(name: str) -> int:
    return sum(map(ord, name))


def test_a_single_message_can_be_edited_anew_once_it_is_completed(scenes):
    act = ACTS["move time"]
    scene = scenes(act)
    scene.worker.work(scene.due_at)
    scene.now = scene.due_at + SECOND
    with pytest.raises(Refused):
        act.do(scene)  # it may have been asked for before its second
    sweep(scene.now)
    assert isinstance(act.do(scene), Schedule)
    scene.worker.work_on(scene.now)
    assert len(scene.worker.seen) == 2 * len(scene.rooms)


def test_an_edit_in_time_removes_the_reason_for_which_it_would_be_skipped(scenes):
    scene = scenes(ACTS["edit"])
    rooms = list(scene.schedule.rooms.all())
    scene.schedule.rooms.clear()
    scene.worker.plan(scene.due_at - 5 * SECOND)
    assert scene.run().reason == "no_room"
    copy = begin_edit(scene.schedule, by=scene.person)
    copy.rooms.set(rooms)
    change(copy, by=scene.person)
    scene.worker.work(scene.due_at)
    assert len(scene.seen_at(scene.due_at)) == len(rooms)


def in_doubt(scene: Scene) -> Delivery:
    """One whose channel gave no answer."""
    scene.worker.plan(scene.due_at)
    (claimed, *_others) = claim_at(scene.due_at)
    mark_wire([claimed], scene.due_at)
    error = unknown("No answer")
    settle([not_accepted(claimed, scene.due_at, error, takes_key=False, confirms=True)])
    return Delivery.objects.get(pk=claimed.id)


def test_what_was_cancelled_cannot_be_sent_again_and_the_person_is_told(scenes):
    scene = scenes(ACTS["cancel"])
    delivery = in_doubt(scene)
    cancel(scene.schedule, by=scene.person)
    with pytest.raises(Refused):
        resolve(delivery, Verdict.SEND_AGAIN, by=scene.person)
    assert resolve(delivery, Verdict.ARRIVED, by=scene.person).state == "sent"


def test_an_answer_about_an_earlier_part_does_not_settle_a_later_one(scenes):
    delivery = in_doubt(scenes(ACTS["edit"]))
    Delivery.objects.filter(pk=delivery.pk).update(parts=3)
    (question,) = due_questions(delivery.completed_at + MINUTE)
    Delivery.objects.filter(pk=delivery.pk).update(part=1)  # as when a person said: it arrived
    write_answers([Answer(question, True)], delivery.completed_at + MINUTE)
    row = Delivery.objects.get(pk=delivery.pk)
    assert (row.state, row.part) == ("unconfirmed", 1)


def test_a_run_by_hand_never_takes_the_place_of_an_appointed_one(scenes, monkeypatch):
    scene = scenes(ACTS["edit"])
    act_at(monkeypatch, scene.due_at)
    by_hand = execute(scene.schedule, by=scene.person)
    scene.worker.work(scene.due_at)
    assert {run.trigger for run in Run.objects.filter(schedule=scene.schedule)} == {
        "hand",
        "timing",
    }
    assert by_hand.due_at - scene.due_at < SECOND
