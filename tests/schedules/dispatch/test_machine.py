"""People and workers in any order, with time passing: every move is one of the table, nothing
in doubt goes twice, every total is true, and nothing is without an exit.

TEIJI_TEST_SEARCH=2000 searches that many examples at random instead of the same few.
"""

import json
import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from channels.adapters.base import Receipt
from channels.models import Account, Image, Room
from schedules import actions
from schedules.actions import Refused, Verdict
from schedules.dispatch.claim import release
from schedules.dispatch.confirm import Answer, Question, due_questions, write_answers
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.plan import plan
from schedules.dispatch.settle import settle
from schedules.dispatch.sweep import sweep
from schedules.models import Delivery, Run, Schedule, ScheduleImage
from schedules.models.delivery import part_key
from schedules.states import (
    MOVES,
    OPEN_DELIVERY,
    OPEN_RUN,
    SUCCESS,
    DeliveryState,
    RunState,
    ScheduleState,
    run_state,
)
from tests.conftest import World
from tests.schedules.at_once import act_at
from tests.schedules.conftest import claim_at
from tests.schedules.dispatch.held import ANSWERS, Held
from tests.unlimited import UNLIMITED

SEARCH = int(os.environ.get("TEIJI_TEST_SEARCH") or 0)
SETTINGS = settings(
    max_examples=SEARCH or 24,
    stateful_step_count=50 if SEARCH else 40,
    derandomize=not SEARCH,
    database=None,
    phases=tuple(Phase) if SEARCH else (Phase.generate,),  # to find the shortest takes minutes
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

SECOND = timedelta(seconds=1)
KINDS: dict[type, Any] = {
    Schedule: ScheduleState, Run: RunState, Delivery: DeliveryState,
}  # fmt: skip
ENDED = {"sent", "confirmed", "failed", "unconfirmed", "skipped", "cancelled"}
which = st.integers(0, 20)  # one of what there is


class Teiji(RuleBasedStateMachine):
    """The machine with all who touch it. Each example is rolled back."""

    world: World
    images: list[Image]

    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.patch = pytest.MonkeyPatch()
        self.rooms = self.make_rooms()
        self.by = self.world.people["hq"]
        self.held: list[Held] = []
        self.questions: list[Question] = []
        self.payloads: dict[Any, str] = {}  # of each part that was handed over
        self.doubtful: set[Any] = set()  # handed over, and its answer is not in the table
        self.done: set[Any] = set()  # parts that count as sent
        self.states = self.look()
        self.hops = 1  # moves that one rule may make of a row
        self.set_clock(datetime(2026, 3, 2, 8, 59, 30, tzinfo=UTC))

    def make_rooms(self) -> list[Room]:
        unkeyed = {"config": {"honours_key": "no"}, "kind": "sandbox", "unit": self.world.hq}
        ask = Account.objects.create(name="Ask", **unkeyed)
        resend = Account.objects.create(name="Resend", on_unknown="resend", **unkeyed)
        accounts = [self.world.sandbox, ask, ask, resend]
        return [
            Room.objects.create(
                unit=self.world.xinyi,
                account=account,
                name=f"R{number}",
                address=f"r{number}",
                **UNLIMITED,
            )
            for number, account in enumerate(accounts)
        ]

    def set_clock(self, now: datetime) -> None:
        self.now = now
        act_at(self.patch, now)

    # What people do.

    @rule(
        kind=st.sampled_from(["once", "interval", "now"]),
        minutes=st.sampled_from([1, 5]),
        rooms=st.sets(st.integers(0, 3), min_size=1),
        parts=st.sampled_from([1, 1, 3]),
        retries=st.sampled_from([0, 4]),
        text=st.sampled_from(["A", "B"]),
    )
    @precondition(lambda self: Schedule.objects.count() < 4)
    def register(self, **chosen) -> None:
        self.register_one(**chosen)

    def register_one(self, *, kind, minutes, rooms, parts, retries, text) -> None:
        at = self.now + minutes * 60 * SECOND
        draft = Schedule.objects.create(
            unit=self.world.hq, title=text, text=text, zone="UTC", timing_kind=kind,
            date=at.date(), time=at.time(), every_minutes=minutes, uid=uuid4(),
            max_retries=retries, interval_seconds=5 if parts > 1 else 0,
        )  # fmt: skip
        draft.rooms.set([self.rooms[number] for number in rooms])
        for position, image in enumerate(self.images[: parts - 1]):
            ScheduleImage.objects.create(schedule=draft, image=image, position=position)
        self.attempt(lambda: actions.register(draft, by=self.by))

    @precondition(lambda self: Schedule.objects.present().exists())
    @rule(number=which, act=st.sampled_from(["pause", "resume", "cancel", "delete", "execute"]))
    def act(self, number, act) -> None:
        self.on_a_schedule(number, lambda row: getattr(actions, act)(row, by=self.by))

    @precondition(lambda self: Schedule.objects.present().exists())
    @rule(number=which, text=st.sampled_from(["A", "B", "C"]), minutes=st.sampled_from([1, 2, 5]))
    def edit(self, number, text, minutes) -> None:
        def change(row: Schedule) -> None:
            copy = actions.begin_edit(row, by=self.by)
            at = self.now + minutes * 60 * SECOND
            copy.text, copy.created_at, copy.every_minutes = text, self.now, minutes
            copy.date, copy.time = at.date(), at.time()
            copy.save()
            actions.change(copy, by=self.by)

        self.on_a_schedule(number, change)

    @precondition(lambda self: Delivery.objects.filter(state="unconfirmed").exists())
    @rule(number=which, verdict=st.sampled_from(Verdict))
    def decide(self, number, verdict) -> None:
        row = pick(Delivery.objects.filter(state="unconfirmed").order_by("id"), number)
        if row and self.attempt(lambda: actions.resolve(row, verdict, by=self.by)):
            self.judge(row, verdict)

    def judge(self, row: Delivery, verdict: Verdict) -> None:
        if verdict == Verdict.ARRIVED:
            self.done.add(part_key(row.key, row.part))
        if verdict != Verdict.LEAVE:
            self.doubtful.discard(part_key(row.key, row.part))

    def on_a_schedule(self, number: int, act: Callable[[Schedule], Any]) -> None:
        row = pick(Schedule.objects.present().order_by("id"), number)
        if row:
            self.hops = 2  # what was claimed is given back, then cancelled
            self.attempt(lambda: act(row))

    def attempt(self, act: Callable[[], Any]) -> bool:
        """Whether it was allowed. What is refused must have changed nothing."""
        try:
            with transaction.atomic():
                act()
        except Refused:
            return False
        return True

    # What the machine does.

    @rule()
    def plan(self) -> None:
        while plan(self.now):
            pass

    @rule(limit=st.sampled_from([1, 3, 100]))
    def claim(self, limit) -> None:
        self.held += [Held(claimed) for claimed in claim_at(self.now, limit=limit)]

    @rule(numbers=st.sets(which, min_size=1, max_size=6))
    @precondition(lambda self: self.held)
    def mark(self, numbers) -> None:
        chosen = {id(self.held[n % len(self.held)]): self.held[n % len(self.held)] for n in numbers}
        self.hand_over([held for held in chosen.values() if not held.is_marked])

    @rule(number=which, answer=st.sampled_from(sorted(ANSWERS)), confirms=st.booleans(),
          is_kept=st.booleans())  # fmt: skip
    @precondition(lambda self: any(held.is_marked for held in self.held))
    def settle(self, number, answer, confirms, is_kept) -> None:
        """`is_kept`: the answer is written once more later on."""
        marked = [held for held in self.held if held.is_marked]
        held = marked[number % len(marked)]
        self.write(held, answer, confirms=confirms)
        if not is_kept:
            self.held.remove(held)

    @rule(number=which)
    @precondition(lambda self: self.held)
    def release(self, number) -> None:
        release([self.held[number % len(self.held)].claimed])

    @rule(is_all=st.booleans())
    @precondition(lambda self: self.held)
    def crash(self, is_all) -> None:
        """A worker is gone, and with it what it knew."""
        self.held = [] if is_all else self.held[1:]

    @rule()
    def go_on(self) -> None:
        """What comes next is handed over at its time."""
        coming = Schedule.objects.exclude(next_due_at=None).values_list("next_due_at", flat=True)
        waiting = Delivery.objects.filter(state="planned").values_list("next_try_at", flat=True)
        self.set_clock(max(self.now, min([*coming, *waiting], default=self.now)))
        for step in (self.plan, lambda: self.claim(limit=100)):
            step()
            self.every_move_is_allowed()
        self.hand_over([held for held in self.held if not held.is_marked])

    @rule()
    def sweep(self) -> None:
        sweep(self.now)

    @rule()
    def ask(self) -> None:
        self.questions = due_questions(self.now)

    @rule(has_it=st.sampled_from([True, True, False, None]))
    @precondition(lambda self: self.questions)
    def hear(self, has_it) -> None:
        """The answer may come long after the question."""
        before = dict(Delivery.objects.values_list("pk", "part"))
        write_answers([Answer(question, has_it) for question in self.questions], self.now)
        for row in Delivery.objects.filter(pk__in=before):
            if row.part > before[row.pk]:
                self.done.add(part_key(row.key, before[row.pk]))
        self.questions = []

    @rule(seconds=st.sampled_from([1, 1, 4, 10, 30, 60, 61, 300, 700, 3600, 90_000]))
    def wait(self, seconds) -> None:
        self.set_clock(self.now + seconds * SECOND)

    def hand_over(self, chosen: list[Held]) -> None:
        """Of one delivery that was claimed again, the claims are in the hands of two workers."""
        chosen = list({held.claimed.id: held for held in chosen}.values())
        marked, barred = mark_wire([held.claimed for held in chosen], self.now)[:2]
        for held in chosen:
            if held.claimed.id in barred:
                reason = barred[held.claimed.id]
                settle([Outcome(held.claimed, False, False, self.now, barred=reason)])
                self.held.remove(held)
            elif held.claimed.id in marked:
                self.note_hand_over(held)
            else:
                self.held.remove(held)

    def note_hand_over(self, held: Held) -> None:
        held.is_marked = True
        name, payload = held.name, json.dumps(held.claimed.payload, sort_keys=True)
        assert name not in self.done, "a part that was sent goes again"
        assert held.may_go_twice or name not in self.doubtful, "a part in doubt goes again"
        assert self.payloads.setdefault(name, payload) == payload, "one key, two messages"
        row = Delivery.objects.get(pk=held.claimed.id)
        assert part_key(row.key, held.claimed.part) == held.claimed.part_key
        self.doubtful.add(name)

    def write(self, held: Held, answer: str, *, confirms: bool = False) -> None:
        given = ANSWERS[answer]
        result = {"receipt" if isinstance(given, Receipt) else "error": given}
        outcome = Outcome(
            held.claimed, held.takes_key, confirms, self.now, handed_at=self.now, **result
        )
        if settle([outcome]) and answer != "no answer":
            self.doubtful.discard(held.name)
            if isinstance(given, Receipt):
                self.done.add(held.name)

    # What always holds.

    @invariant()
    def every_move_is_allowed(self) -> None:
        states = self.look()
        for (model, pk), before in self.states.items():
            after = states.get((model, pk))
            if after is None:
                assert before in ("draft", "planned", "sending", "skipped"), "what began is gone"
            elif after != before:
                assert can_become(KINDS[model], before, after, self.hops), (model, before, after)
        for model, pk in states.keys() - self.states.keys():
            assert states[model, pk] in ("draft", "active", "planned", "skipped")
        self.states, self.hops = states, 1

    @invariant()
    def sending_is_held(self) -> None:
        for row in Delivery.objects.all():
            is_sending = row.state == "sending"
            assert is_sending == (row.claim is not None) == (row.lease_until is not None)
            assert is_sending or row.wire_at is None
            assert row.part < row.parts or row.state in SUCCESS

    @invariant()
    def totals_are_true(self) -> None:
        for run in Run.objects.prefetch_related("deliveries"):
            rows = list(run.deliveries.all())
            if not rows:
                assert (run.state, run.total) == ("skipped", 0)
                continue
            counts = Counter(row.state for row in rows)
            begun = any(r.part for r in rows if r.state in ("failed", "cancelled", "skipped"))
            expected = run_state(counts, parts_sent=begun)
            assert run.state == expected or (run.state, expected) == ("planned", "sending")
            assert (run.state in OPEN_RUN) == (run.completed_at is None)
            assert run.total == len(rows)
            assert run.sent == sum(counts[state] for state in SUCCESS)
            assert (run.failed, run.unconfirmed, run.skipped) == (
                counts["failed"], counts["unconfirmed"], counts["skipped"]
            )  # fmt: skip

    @invariant()
    def what_waits_is_waited_for(self) -> None:
        """An active schedule that has nothing to come is not forgotten, others plan nothing."""
        idle = Schedule.objects.exclude(state="active").exclude(next_due_at=None)
        assert not idle.exists()

    def teardown(self) -> None:
        try:
            if self.states is not None:
                self.come_to_an_end()
        finally:
            self.patch.undo()
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)

    def come_to_an_end(self) -> None:
        """With a healthy worker and time, all ends: in a final state, or shown to a person."""
        Schedule.objects.update(next_due_at=None)
        for _ in range(60):
            self.held = []
            self.claim(limit=100)
            self.every_move_is_allowed()
            self.hand_over(self.held[:])
            self.every_move_is_allowed()
            for held in self.held:
                self.write(held, "accepted")
            self.every_move_is_allowed()
            sweep(self.now)
            self.every_move_is_allowed()
            waiting = Delivery.objects.filter(state__in=OPEN_DELIVERY)
            if not waiting.exists():
                break
            moments = waiting.values_list("next_try_at", "lease_until")
            soonest = min(max(t for t in both if t) for both in moments)
            self.set_clock(max(self.now, soonest) + SECOND)
        self.totals_are_true()
        assert set(Delivery.objects.values_list("state", flat=True)) <= ENDED
        assert not Run.objects.filter(state__in=OPEN_RUN).exists()
        assert not Schedule.objects.filter(state="active").exists()

    def look(self) -> dict[tuple[type, int], str]:
        """The state of every row."""
        return {
            (model, pk): state
            for model in KINDS
            for pk, state in model.objects.values_list("pk", "state")
        }


def pick(rows: Any, number: int) -> Any:
    """One of these rows, or None."""
    found = list(rows)
    return found[number % len(found)] if found else None


def can_become(kind: Any, before: str, after: str, hops: int) -> bool:
    nearest = MOVES[kind][kind(before)]
    return after in nearest or (
        hops > 1 and any(can_become(kind, state, after, hops - 1) for state in nearest)
    )


@pytest.mark.thorough
@pytest.mark.django_db
@pytest.mark.timeout(0 if SEARCH else 300)
def test_people_and_machine_in_any_order(world, make_images):
    Teiji.world, Teiji.images = world, make_images(2)
    run_state_machine_as_test(Teiji, settings=SETTINGS)
