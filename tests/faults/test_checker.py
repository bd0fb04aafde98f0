"""The checker itself: each sort of violation is named, and nothing is where nothing is wrong."""

from datetime import timedelta

import pytest

from logs.models import Attempt
from orgs.clock import database_now
from schedules.models import Delivery, Run
from tests.faults.checker import violations

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(bookings, vendors, dispatch, settings, both_stands):
    """One message to each channel that is due now and was sent as it should be."""
    settings.TEIJI_LINE_API_HOST = both_stands.line.url
    settings.TEIJI_OUTGOING_ALLOW = ["127.0.0.0/8"]
    schedule = bookings.once(vendors.rooms(1, 1), 2)
    settings.TEIJI_LEAD_SECONDS = 8.0
    dispatch()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
    return schedule


def found(bookings, accepted=None, **what) -> str:
    """The first violation, without the name of its place."""
    accepted = bookings.vendors.accepted if accepted is None else accepted
    said = violations(accepted, expected=bookings.expected, **what)
    return said[0].partition(":")[0] if said else ""


def test_what_is_right_is_not_found(bookings, sent):
    assert bookings.violations() == []


def test_a_second_acceptance(bookings, vendors, sent):
    assert found(bookings, [*vendors.accepted, vendors.line.log[0]]) == "accepted 2 times"
    assert found(bookings, [*vendors.accepted, vendors.webhook.log[0]]) == "accepted 2 times"


def test_an_acceptance_that_nobody_planned(bookings, vendors, sent):
    Run.objects.all().delete()
    assert found(bookings).startswith("accepted, but planned by nobody")


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({"state": "sent"}, "counted as sent, but never accepted"),
        ({"state": "planned", "part": 0}, "without an end"),
        ({"state": "unconfirmed", "part": 0}, "a key would have made it certain"),
        ({"state": "skipped", "reason": "missed", "part": 0}, "missed, though there was time"),
    ],
)
def test_a_state_without_its_acceptance(values, verdict, bookings, vendors, sent):
    Delivery.objects.filter(channel="line").update(**values)
    assert found(bookings, vendors.webhook.log) == verdict


def test_an_acceptance_that_is_called_failed(bookings, sent):
    Delivery.objects.filter(channel="webhook").update(state="failed")
    assert found(bookings) == "accepted, but called failed"


def test_an_early_arrival(bookings, sent):
    Delivery.objects.update(due_at=database_now() + timedelta(seconds=9))
    assert "early" in found(bookings)


def test_a_run_that_is_missing_or_too_many(bookings, sent):
    bookings.expected.add((sent.pk, database_now()))
    assert found(bookings) == "never planned"
    bookings.expected.clear()
    assert found(bookings) == "planned, but not expected"


def test_totals_that_are_not_the_sum(bookings, sent):
    Run.objects.update(sent=1)
    assert bookings.violations()[0].endswith("says 1 sent, its deliveries 2")


def test_a_sent_part_without_its_proof(bookings, sent):
    Attempt.objects.all()._raw_delete(Attempt.objects.db)
    assert found(bookings) == "sent without a proof in the log"
