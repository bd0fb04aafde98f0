"""A claim is a token: who holds it may send, and nobody else."""

from datetime import timedelta

import pytest

from orgs.models import Unit
from schedules.dispatch.claim import release, release_marked
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.settle import settle
from schedules.models import Delivery, Run
from tests.schedules.conftest import SECOND, accepted, claim_at, on_the_wire

pytestmark = pytest.mark.django_db


def test_what_is_due_soon_is_claimed_once(planned):
    (delivery,) = planned()
    now = delivery.due_at - SECOND
    assert [claimed.id for claimed in claim_at(now)] == [delivery.pk]
    assert claim_at(now, worker="two") == []


def test_what_is_due_later_is_left(planned):
    (delivery,) = planned()
    assert claim_at(delivery.due_at - timedelta(seconds=30)) == []


def test_a_higher_priority_is_claimed_first(planned):
    (low,) = planned(priority=10, text="low")
    (high,) = planned(priority=90, text="high")
    now = max(low.due_at, high.due_at)
    assert [claimed.id for claimed in claim_at(now, limit=1)] == [high.pk]


def test_the_mark_moves_the_run_to_sending(planned):
    (delivery,) = planned()
    on_the_wire(delivery.due_at)
    delivery.refresh_from_db()
    assert delivery.wire_at == delivery.due_at
    assert Run.objects.get().state == "sending"


def test_a_claim_whose_lease_ran_out_cannot_reach_the_wire(planned):
    (delivery,) = planned()
    claimed = claim_at(delivery.due_at)
    marked, barred, _lease = mark_wire(claimed, delivery.due_at + timedelta(seconds=60))
    assert (marked, barred) == (set(), {})


def test_a_claim_that_was_given_to_another_worker_changes_nothing(planned):
    (delivery,) = planned()
    lost = claim_at(delivery.due_at, worker="zombie")
    release(lost)
    (mine,) = on_the_wire(delivery.due_at)
    assert mark_wire(lost, delivery.due_at)[:2] == (set(), {})
    assert settle([accepted(lost[0], delivery.due_at)]) == 0
    assert settle([accepted(mine, delivery.due_at)]) == 1


def test_what_is_given_back_can_be_claimed_at_once(planned):
    (delivery,) = planned()
    assert release(claim_at(delivery.due_at)) == 1
    assert len(claim_at(delivery.due_at, worker="two")) == 1


def test_what_is_on_the_wire_cannot_be_given_back(planned):
    (delivery,) = planned()
    assert release(on_the_wire(delivery.due_at)) == 0


def test_a_room_that_moved_out_of_the_unit_is_not_sent_to(world, planned):
    (delivery,) = planned()
    claimed = claim_at(delivery.due_at)
    world.room.unit = world.tainan
    world.room.save()
    assert mark_wire(claimed, delivery.due_at)[:2] == (set(), {delivery.pk: "reach"})


@pytest.mark.parametrize("what", ["room", "account", "unit", "unit above"])
def test_nothing_is_sent_for_what_is_inactive(world, planned, what):
    (delivery,) = planned()
    claimed = claim_at(delivery.due_at)
    thing = {
        "room": world.room, "account": world.sandbox, "unit": world.xinyi, "unit above": world.north
    }[what]  # fmt: skip
    type(thing).objects.filter(pk=thing.pk).update(is_active=False)
    assert mark_wire(claimed, delivery.due_at)[:2] == (set(), {delivery.pk: "inactive"})


def test_another_units_inactivity_bars_nobody(world, planned):
    (delivery,) = planned()
    Unit.objects.filter(pk=world.south.pk).update(is_active=False)
    assert len(on_the_wire(delivery.due_at)) == 1


def test_a_first_try_past_the_grace_is_barred(planned, settings):
    (delivery,) = planned()
    now = delivery.due_at + timedelta(seconds=settings.TEIJI_GRACE_SECONDS + 1)
    assert mark_wire(claim_at(now), now)[:2] == (set(), {delivery.pk: "missed"})


def test_marking_thirty_asks_as_often_as_marking_one(world, planned, django_assert_num_queries):
    for number in range(31):
        planned(text=f"Text {number}")
    now = max(Delivery.objects.values_list("due_at", flat=True))
    claimed = claim_at(now)
    mark_wire(claimed[:1], now)
    with django_assert_num_queries(8):
        mark_wire(claimed[1:], now)


def test_what_was_marked_and_never_left_is_given_back_without_a_trace(planned):
    (delivery,) = planned()
    claimed = on_the_wire(delivery.due_at)
    assert release_marked(claimed) == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.wire_at, delivery.claim) == ("planned", None, None)
    assert (delivery.crashes, delivery.in_doubt) == (0, False)


def test_what_another_worker_holds_by_now_is_not_given_back(planned):
    (delivery,) = planned()
    lost = on_the_wire(delivery.due_at)
    release_marked(lost)
    (held,) = claim_at(delivery.due_at, "two")
    assert release_marked(lost) == 0
    delivery.refresh_from_db()
    assert delivery.claim == held.token
