"""A run is paused while it is under way, and goes on: nothing more of it leaves in between."""

from datetime import timedelta
from typing import Any

import pytest

from logs.models import History
from orgs.reach import Role
from schedules.actions import OutOfReach, Refused
from schedules.actions.pause_run import pause_run, resume_run
from schedules.dispatch import mark
from schedules.dispatch.frozen import Frozen
from schedules.dispatch.mark import mark_wire
from schedules.models import Delivery, Run, RunPause
from tests.conftest import World
from tests.schedules.conftest import claim_at, on_the_wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(world: World, planned: Any) -> tuple[Delivery, Delivery]:
    """Of two runs of Xinyi; the second one later by nothing."""
    (one,) = planned(title="One")
    (other,) = planned(title="Other", text="Other")
    return one, other


def ids(claimed: Any) -> set[int]:
    return {delivery.id for delivery in claimed}


def test_nothing_of_it_is_claimed_until_it_goes_on(world: World, two: Any) -> None:
    one, other = two
    clerk, due_at = world.person(world.xinyi, Role.OPERATOR), max(one.due_at, other.due_at)
    pause_run(one.run, by=clerk)
    assert ids(claim_at(due_at)) == {other.pk}
    resume_run(one.run, by=clerk)
    assert ids(on_the_wire(due_at)) == {one.pk}
    verbs = History.objects.filter(kind="run").values_list("verb", flat=True)
    assert list(verbs.order_by("id")) == ["paused", "resumed"]


def test_what_is_in_hand_is_given_back_at_the_mark(world: World, two: Any) -> None:
    one, other = two
    due_at = max(one.due_at, other.due_at)
    claimed = claim_at(due_at)
    pause_run(one.run, by=world.people["xinyi"])
    assert mark_wire(claimed, due_at)[:2] == ({other.pk}, {})
    one.refresh_from_db()
    assert (one.state, one.reason) == ("planned", "paused")


def test_a_pause_that_comes_while_it_is_marked_holds(
    world: World, two: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    due_at = max(one.due_at, other.due_at)
    claimed = claim_at(due_at)
    pause_run(one.run, by=world.people["xinyi"])
    monkeypatch.setattr(mark, "frozen_now", Frozen)  # read just before it
    assert mark_wire(claimed, due_at)[0] == {other.pk}


def test_past_its_grace_it_is_skipped_with_the_reason(world: World, two: Any) -> None:
    one, _other = two
    pause_run(one.run, by=world.people["xinyi"])
    late = one.due_at + timedelta(minutes=11)
    claimed = [delivery for delivery in claim_at(late) if delivery.id == one.pk]
    assert mark_wire(claimed, late)[1] == {one.pk: "paused"}


def test_only_who_may_run_it_pauses_it(world: World, two: Any) -> None:
    run = two[0].run
    for person in (world.people["tainan"], world.people["stranger"],
                   world.person(world.xinyi, Role.VIEWER)):  # fmt: skip
        for act in (pause_run, resume_run):
            with pytest.raises(OutOfReach):
                act(run, by=person)
    assert not RunPause.objects.exists()


def test_who_stands_below_does_not_let_it_go_on(world: World, two: Any) -> None:
    run = two[0].run
    pause_run(run, by=world.people["hq"])
    with pytest.raises(Refused, match="already"):
        pause_run(run, by=world.people["xinyi"])
    with pytest.raises(Refused, match="HQ"):
        resume_run(run, by=world.people["xinyi"])
    resume_run(run, by=world.people["hq"])
    with pytest.raises(Refused, match="not paused"):
        resume_run(run, by=world.people["hq"])


def test_what_has_ended_is_not_paused(world: World, two: Any) -> None:
    run = two[0].run
    Run.objects.filter(pk=run.pk).update(state="sent")
    with pytest.raises(Refused, match="nothing of it waits"):
        pause_run(run, by=world.people["xinyi"])
