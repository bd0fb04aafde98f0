"""What dead workers leave behind finds its way."""

from datetime import timedelta

import pytest

from channels.adapters.base import refused
from channels.models import Account
from logs.models import Attempt
from schedules.actions import register
from schedules.dispatch.settle import settle
from schedules.dispatch.sweep import complete, sweep, take_back
from schedules.dispatch.verdict import KEY_LIFE
from schedules.models import Delivery, Heartbeat, Run
from tests.schedules.conftest import SECOND, accepted, claim_at, not_accepted, on_the_wire

pytestmark = pytest.mark.django_db

LATER = timedelta(minutes=2)  # every lease has run out by then


def keyless() -> None:
    Account.objects.update(config={"honours_key": "no"})


def test_a_lease_that_holds_is_left_alone(planned):
    (delivery,) = planned()
    claim_at(delivery.due_at)
    assert take_back(delivery.due_at + SECOND) == 0


def test_what_never_was_on_the_wire_is_planned_again_within_seconds(planned):
    keyless()
    (delivery,) = planned()
    claim_at(delivery.due_at)
    taken_back_at = delivery.due_at + 8 * SECOND
    assert take_back(taken_back_at) == 1
    assert len(on_the_wire(taken_back_at)) == 1


def heard_of(worker: str, at) -> None:
    Heartbeat.beat(Heartbeat.Kind.LOOP, worker, at)


def test_what_a_silent_worker_holds_is_not_kept_until_its_lease_ends(planned):
    (delivery,) = planned()
    claim_at(delivery.due_at, worker="silent")
    heard_of("silent", delivery.due_at)
    assert take_back(delivery.due_at + 2 * SECOND) == 0
    assert take_back(delivery.due_at + 4 * SECOND) == 1
    assert Delivery.objects.get().crashes == 0


def test_what_a_silent_worker_has_handed_over_is_kept_until_its_lease_ends(planned):
    (delivery,) = planned()
    on_the_wire(delivery.due_at)
    heard_of("one", delivery.due_at)
    assert take_back(delivery.due_at + 4 * SECOND) == 0


def test_a_worker_that_still_speaks_keeps_what_it_holds(planned):
    (delivery,) = planned()
    claim_at(delivery.due_at, worker="busy")
    heard_of("silent", delivery.due_at)
    heard_of("busy", delivery.due_at + 4 * SECOND)
    assert take_back(delivery.due_at + 4 * SECOND) == 0


def test_what_was_on_the_wire_goes_again_where_the_channel_takes_a_key(planned):
    (delivery,) = planned()
    (lost,) = on_the_wire(delivery.due_at)
    take_back(delivery.due_at + LATER)
    (again,) = on_the_wire(delivery.due_at + LATER)
    assert (again.part_key, again.part) == (lost.part_key, lost.part)


def test_a_refusal_after_a_takeover_is_no_proof_that_nothing_arrived(planned):
    (delivery,) = planned()
    on_the_wire(delivery.due_at)
    take_back(delivery.due_at + LATER)
    (again,) = on_the_wire(delivery.due_at + LATER)
    settle([not_accepted(again, delivery.due_at + LATER, refused("No"))])
    assert Delivery.objects.get().state == "unconfirmed"


def test_what_was_on_the_wire_without_a_key_waits_for_a_person(planned):
    keyless()
    (delivery,) = planned()
    on_the_wire(delivery.due_at)
    take_back(delivery.due_at + LATER)
    assert Delivery.objects.get().state == "unconfirmed"
    assert Run.objects.get().state == "unconfirmed"


def test_a_worker_that_was_given_up_changes_nothing_when_it_comes_back(planned):
    (delivery,) = planned()
    (lost,) = on_the_wire(delivery.due_at)
    take_back(delivery.due_at + LATER)
    assert settle([accepted(lost, delivery.due_at + LATER)]) == 0
    assert (Delivery.objects.get().state, Attempt.objects.count()) == ("planned", 0)


def test_a_key_is_not_used_after_its_life(planned):
    (delivery,) = planned()
    on_the_wire(delivery.due_at)
    take_back(delivery.due_at + KEY_LIFE + SECOND)
    assert Delivery.objects.get().state == "unconfirmed"


def test_a_delivery_that_kills_its_workers_is_parked(planned):
    (delivery,) = planned()
    now = delivery.due_at
    for _ in range(3):
        assert len(on_the_wire(now)) == 1
        now += LATER
        take_back(now)
    assert Delivery.objects.get().state == "unconfirmed"


def test_waiting_for_a_slow_worker_is_no_crash(planned):
    (delivery,) = planned()
    now = delivery.due_at
    for _ in range(5):
        assert len(claim_at(now)) == 1
        now += 10 * SECOND
        take_back(now)
    assert (Delivery.objects.get().state, Delivery.objects.get().crashes) == ("planned", 0)


def test_an_account_that_cannot_be_used_does_not_hold_up_the_sweep(world, planned):
    (delivery,) = planned()
    on_the_wire(delivery.due_at)
    Account.objects.update(kind="gone")
    assert take_back(delivery.due_at + LATER) == 1
    assert Delivery.objects.get().state == "unconfirmed"


def test_an_account_that_prefers_twice_to_never_is_sent_again(planned):
    Account.objects.update(config={"honours_key": "no"}, on_unknown="resend")
    (delivery,) = planned()
    on_the_wire(delivery.due_at)
    take_back(delivery.due_at + LATER)
    assert Delivery.objects.get().state == "planned"


def test_a_schedule_without_anything_to_come_is_completed_after_its_last_run(planned):
    (delivery,) = planned()
    assert complete(delivery.due_at) == 0
    (claimed,) = on_the_wire(delivery.due_at)
    settle([accepted(claimed, delivery.due_at)])
    assert complete(delivery.due_at) == 1
    assert Run.objects.get().schedule.state == "completed"


def test_a_schedule_with_something_to_come_goes_on(world, make_schedule, now):
    schedule = register(make_schedule(), by=world.people["xinyi"])
    sweep(now)
    schedule.refresh_from_db()
    assert schedule.state == "active"


def test_a_channel_that_can_be_asked_is_asked_what_a_dead_worker_handed_over(planned):
    Account.objects.update(kind="iris", config={"url": "http://10.0.0.1", "variant": "iris"})
    (delivery,) = planned()
    on_the_wire(delivery.due_at)
    take_back(delivery.due_at + LATER)
    left = Delivery.objects.get()
    assert (left.state, left.confirm_at) == ("unconfirmed", delivery.due_at + LATER)


def test_one_that_cannot_be_asked_is_not(planned):
    keyless()
    (delivery,) = planned()
    on_the_wire(delivery.due_at)
    take_back(delivery.due_at + LATER)
    assert Delivery.objects.get().confirm_at is None
