"""What must hold of the log, and who is told when it does not."""

from datetime import timedelta

import pytest

from channels.adapters.base import Receipt, unknown
from channels.models import Account
from channels.models.alert import Alert
from logs.models import Attempt, Counter
from schedules.actions import Verdict, resolve
from schedules.dispatch.claim import claim
from schedules.dispatch.invariants import look
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.plan import plan
from schedules.dispatch.settle import settle
from schedules.dispatch.sweep import take_back
from schedules.models import Delivery, Schedule
from tests.schedules.conftest import SECOND, accepted, not_accepted, on_the_wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(planned):
    """A delivery that was accepted at its time."""
    (row,) = planned()
    settle([accepted(claimed, row.due_at) for claimed in on_the_wire(row.due_at)])
    return Delivery.objects.get()


def told() -> list[str]:
    return list(Alert.objects.filter(kind="broken").values_list("key", flat=True))


def double(row: Delivery, **values) -> None:
    attempt = Attempt.objects.get(delivery_id=row.pk)
    attempt.pk, attempt._state.adding = None, True
    for name, value in values.items():
        setattr(attempt, name, value)
    attempt.save()


def test_nobody_is_told_of_a_log_that_adds_up(sent):
    assert look(sent.completed_at + SECOND) == 0


def test_sent_without_a_try_that_was_accepted_is_told_once(world, sent):
    Attempt.objects.all()._raw_delete("default")
    for _minute in range(2):
        assert look(sent.completed_at + SECOND) == 1
    assert told() == [f"broken:unproven:{sent.pk}"]
    assert Alert.objects.get().unit_path == world.xinyi.path


def test_sent_after_a_try_that_was_refused_is_told(sent):
    Attempt.objects.update(outcome="refused")
    assert look(sent.completed_at + SECOND) == 1


def test_what_quiet_hours_held_for_hours_is_looked_at_as_well(sent):
    Attempt.objects.all()._raw_delete("default")
    hours = timedelta(hours=9)
    Delivery.objects.update(due_at=sent.due_at - hours, slot_at=sent.due_at)
    assert look(sent.completed_at + SECOND) == 1


@pytest.mark.parametrize(("confirms", "told"), [("yes", 0), ("no", 1)])
def test_a_try_without_an_answer_proves_nothing_unless_the_channel_can_be_asked(
    sent, confirms, told
):
    Attempt.objects.update(outcome="unknown")
    Account.objects.update(config={"honours_key": confirms})
    assert look(sent.completed_at + SECOND) == told


def test_what_a_person_has_seen_arrive_needs_no_other_proof(world, planned):
    Account.objects.update(config={"honours_key": "no"})
    (row,) = planned()
    on_the_wire(row.due_at)
    take_back(row.due_at + timedelta(minutes=2))
    arrived = resolve(Delivery.objects.get(), Verdict.ARRIVED, by=world.people["hq"])
    Delivery.objects.update(crashes=0)
    assert not Attempt.objects.exists()
    Delivery.objects.update(due_at=arrived.completed_at)
    assert look(arrived.completed_at + SECOND) == 0


def test_two_accepted_tries_of_one_part_are_told(sent):
    double(sent, number=2)
    assert look(sent.completed_at + SECOND) == 1
    assert told() == [f"broken:doubled:{sent.pk}"]


@pytest.mark.parametrize("values", [{"part": 1}, {"already": True}, {"outcome": "unknown"}])
def test_other_parts_and_tries_that_the_channel_knew_are_no_doubles(sent, values):
    double(sent, number=2, **values)
    assert look(sent.completed_at + SECOND) == 0


def test_an_account_that_sends_again_may_be_accepted_twice(sent):
    Account.objects.update(on_unknown="resend")
    double(sent, number=2)
    assert look(sent.completed_at + SECOND) == 0


def test_what_the_channel_knew_already_is_noted_with_its_try(planned):
    (row,) = planned()
    (claimed,) = on_the_wire(row.due_at)
    at = row.due_at + SECOND
    settle([not_accepted(claimed, at, unknown("The line broke."))])
    (again,) = on_the_wire(Delivery.objects.get().next_try_at)
    receipt = Receipt(status=409, request_id="r-1", already=True)
    settle([Outcome(again, answered_at=at, handed_at=at, receipt=receipt, takes_key=True,
                    confirms=False)])  # fmt: skip
    assert list(Attempt.objects.values_list("outcome", "already")) == [
        ("unknown", False), ("accepted", True),
    ]  # fmt: skip
    assert Counter.objects.get().name == "already_accepted"
    assert look(at + SECOND) == 0


def test_an_outcome_whose_claim_is_lost_is_counted_and_not_written(planned):
    (row,) = planned()
    (claimed,) = claim(row.due_at, worker="one", limit=1)
    take_back(row.due_at + timedelta(minutes=2))
    settle([accepted(claimed, row.due_at)])
    assert Delivery.objects.get().state == "planned"
    assert (Counter.objects.get().name, Counter.objects.get().value) == ("fenced_write", 1)


def test_what_was_missed_is_counted(world, make_schedule, planned):
    (row,) = planned()
    plan(row.due_at)
    Schedule.objects.update(next_due_at=row.due_at - timedelta(hours=1), date=row.due_at.date())
    schedule = Schedule.objects.get()
    schedule.timing_kind, schedule.every_minutes = "interval", 30
    schedule.save()
    plan(row.due_at + timedelta(minutes=45))
    missed = Counter.objects.get(name="missed").value
    assert missed == schedule.runs.filter(reason="missed").count() > 0
