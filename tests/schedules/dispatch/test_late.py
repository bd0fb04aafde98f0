"""Answers to what was on the wire when its worker was given up, and no key could tell."""

from datetime import timedelta

import pytest

from channels.adapters.base import refused
from channels.models import Account
from logs.models import Attempt
from schedules.actions import resolve
from schedules.actions.resolve import Verdict
from schedules.dispatch.settle import settle
from schedules.dispatch.sweep import take_back
from schedules.models import Delivery, Run
from tests.schedules.conftest import accepted, not_accepted, on_the_wire

pytestmark = pytest.mark.django_db

LATER = timedelta(minutes=2)  # every lease has run out by then


@pytest.fixture
def lost(planned):
    """Was on the wire when its worker was given up."""
    Account.objects.update(config={"honours_key": "no"})
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    take_back(delivery.due_at + LATER)
    return claimed


def test_an_answer_that_comes_after_the_worker_was_given_up_still_counts(lost):
    at = lost.due_at + LATER
    assert settle([accepted(lost, at, takes_key=False)]) == 0
    sent = Delivery.objects.get()
    assert (sent.state, sent.part, sent.request_id, sent.error) == ("sent", 1, "r-1", "")
    assert (Run.objects.get().state, Run.objects.get().sent) == ("sent", 1)
    assert Attempt.objects.get().outcome == "accepted"


def test_it_counts_once(lost):
    for _ in range(2):
        settle([accepted(lost, lost.due_at + LATER, takes_key=False)])
    assert Attempt.objects.count() == 1


def test_a_late_answer_that_says_no_is_evidence_and_decides_nothing(lost):
    no = refused("No such room", status=404)
    settle([not_accepted(lost, lost.due_at + LATER, no, takes_key=False)])
    assert Delivery.objects.get().state == "unconfirmed"
    assert Attempt.objects.get().error == "No such room"


def test_a_late_answer_does_not_undo_what_a_person_has_decided(world, lost):
    later = lost.due_at + LATER
    resolve(Delivery.objects.get(), Verdict.SEND_AGAIN, by=world.people["hq"])
    settle([accepted(lost, later, takes_key=False)])
    assert Delivery.objects.get().state == "planned"
    assert Attempt.objects.get().outcome == "accepted"


def test_a_late_answer_to_one_of_several_parts_plans_the_next(planned, make_images):
    Account.objects.update(config={"honours_key": "no"})
    (delivery,) = planned(images=make_images(1), interval_seconds=5)
    (claimed,) = on_the_wire(delivery.due_at)
    take_back(delivery.due_at + LATER)
    settle([accepted(claimed, delivery.due_at + LATER, takes_key=False)])
    row = Delivery.objects.get()
    assert (row.state, row.part, row.parts, row.in_doubt) == ("planned", 1, 2, False)


def test_a_late_answer_to_what_left_on_the_dot_says_so(lost):
    settle([accepted(lost, lost.due_at, takes_key=False)])
    assert Delivery.objects.get().lateness_ms == 0
    assert Attempt.objects.get().lateness_ms == 0
