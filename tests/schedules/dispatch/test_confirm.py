"""Asking the channel whether a message arrived."""

from dataclasses import replace
from datetime import timedelta

import pytest

from channels.adapters.base import Receipt, later, refused, unknown
from logs.models import Attempt
from schedules.actions import resolve
from schedules.actions.resolve import Verdict
from schedules.dispatch.confirm import Answer, due_questions, write_answers
from schedules.dispatch.settle import settle
from schedules.models import Delivery, Run
from tests.schedules.conftest import SECOND, accepted, claim_at, not_accepted, on_the_wire

pytestmark = pytest.mark.django_db

LATER = timedelta(minutes=1)


def ask_and_hear(now, has_it: bool | None) -> None:
    answers = [Answer(question, has_it) for question in due_questions(now)]
    assert answers
    write_answers(answers, now)


@pytest.fixture
def sent(planned) -> Delivery:
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    settle([accepted(claimed, delivery.due_at, confirms=True)])
    return delivery


@pytest.fixture
def in_doubt(planned, make_images) -> Delivery:
    """Of three parts, the first has no answer."""
    (delivery,) = planned(images=make_images(2), interval_seconds=5)
    (claimed,) = on_the_wire(delivery.due_at)
    error = unknown("no answer")
    settle([not_accepted(claimed, delivery.due_at, error, takes_key=False, confirms=True)])
    return delivery


def test_nothing_is_asked_before_its_time(sent):
    assert due_questions(sent.due_at) == []


def test_what_the_channel_has_is_confirmed_and_not_asked_again(sent):
    ask_and_hear(sent.due_at + LATER, True)
    assert Delivery.objects.get().state == "confirmed"
    assert due_questions(sent.due_at + LATER) == []


@pytest.mark.parametrize("answer", [False, None])
def test_what_the_channel_has_not_or_cannot_tell_stays_as_it_is(sent, answer):
    ask_and_hear(sent.due_at + LATER, answer)
    assert Delivery.objects.get().state == "sent"
    assert due_questions(sent.due_at + LATER) == []


def test_a_part_in_doubt_that_did_arrive_is_followed_by_the_next(in_doubt):
    now = in_doubt.due_at + LATER
    ask_and_hear(now, True)
    row = Delivery.objects.get()
    assert (row.state, row.part) == ("planned", 1)
    assert Run.objects.get().state == "sending"
    (claimed,) = on_the_wire(now)
    assert claimed.part == 1


def test_a_part_in_doubt_that_did_not_arrive_waits_for_a_person(in_doubt):
    ask_and_hear(in_doubt.due_at + LATER, False)
    assert Delivery.objects.get().state == "unconfirmed"


def test_what_a_person_sends_again_is_not_asked_about_meanwhile(world, in_doubt):
    now = in_doubt.due_at + LATER
    questions = due_questions(now)
    resolve(in_doubt, Verdict.SEND_AGAIN, by=world.people["hq"])
    assert due_questions(now) == []
    assert len(claim_at(now)) == 1
    write_answers([Answer(question, True) for question in questions], now)
    assert Delivery.objects.get().state == "sending"


@pytest.fixture
def queued(planned, make_images) -> Delivery:
    """Its channel has taken the first of two parts in, and says no more than that."""
    (delivery,) = planned(images=make_images(1), interval_seconds=20)
    (claimed,) = on_the_wire(delivery.due_at)
    outcome = accepted(claimed, delivery.due_at, takes_key=False, confirms=True)
    settle([replace(outcome, receipt=Receipt(status=200, queued=True))])
    return Delivery.objects.get()


def test_what_was_only_taken_in_is_being_confirmed(queued):
    assert (queued.state, queued.part, queued.is_asked_about) == ("unconfirmed", 0, True)
    assert Attempt.objects.get().outcome == "accepted"


def test_it_is_asked_about_again_until_its_time_is_over(queued, settings):
    asked = []
    now = queued.due_at
    while due := list(Delivery.objects.exclude(confirm_at=None).values_list("confirm_at")):
        ((now,),) = due
        ask_and_hear(now, None)
        asked.append((now - queued.due_at).total_seconds())
    assert asked == [2, 5, 8, 11, 14, 15]
    assert settings.TEIJI_CONFIRM_SECONDS == 15
    left = Delivery.objects.get()
    assert (left.state, left.part, left.is_asked_about) == ("unconfirmed", 0, False)


def test_once_it_is_seen_the_next_part_keeps_the_distance_that_people_chose(queued):
    ask_and_hear(queued.due_at + 2 * SECOND, True)
    row = Delivery.objects.get()
    assert (row.state, row.part) == ("planned", 1)
    assert row.next_try_at == queued.due_at + 20 * SECOND


def test_the_question_names_the_part_and_when_it_was_handed_over(queued):
    (question,) = due_questions(queued.due_at + LATER)
    assert question.part.at == queued.due_at.timestamp()
    assert question.part.payload == queued.run.payloads[str(queued.account_id)][0]


def hear(now, error) -> None:
    """The channel says this of all that it is asked about."""
    answers = [Answer(question, None, error) for question in due_questions(now)]
    assert answers
    write_answers(answers, now)


def test_what_the_channel_will_never_send_has_failed_with_its_words(queued):
    hear(queued.due_at + LATER, refused("It was withdrawn."))
    row = Delivery.objects.get()
    assert (row.state, row.error, row.confirm_at) == ("failed", "It was withdrawn.", None)
    assert Run.objects.get().state == "failed"


def test_what_was_accepted_does_not_fail_for_an_answer_to_a_question(sent):
    hear(sent.due_at + LATER, refused("I know nothing of it."))
    assert Delivery.objects.get().state == "sent"


def test_a_refusal_of_an_earlier_part_says_nothing_of_a_later_one(queued):
    now = queued.due_at + LATER
    (question,) = due_questions(now)
    Delivery.objects.update(part=1)
    write_answers([Answer(question, None, refused("no"))], now)
    assert Delivery.objects.get().state == "unconfirmed"


def test_a_channel_that_will_know_is_asked_for_as_long_as_it_says_so(queued):
    now = queued.due_at + timedelta(hours=1)  # long after others have been given up
    hear(now, later("It still waits.", after=7))
    assert Delivery.objects.get().confirm_at == now + timedelta(seconds=7)
    hear(now + LATER, later("It still waits."))
    assert Delivery.objects.get().confirm_at == now + LATER + timedelta(seconds=3)


def test_what_is_to_be_asked_at_once_is_not_put_off_by_an_earlier_question(queued):
    now = queued.due_at + LATER
    (question,) = due_questions(now)
    Delivery.objects.update(confirm_at=now)  # something has happened meanwhile
    write_answers([Answer(question, None, later("It still waits.", after=7))], now)
    assert Delivery.objects.get().confirm_at == now


def test_a_run_is_an_error_in_the_log_only_once_nobody_is_asked_any_more(queued, caplog):
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    hear(queued.due_at + LATER, unknown("It cannot say."))
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage() == f"delivery {queued.pk} of run {queued.run_id}: not confirmed"


def test_a_run_without_a_channel_to_ask_is_an_error_at_once(planned, caplog):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    error = unknown("no answer")
    settle([not_accepted(claimed, delivery.due_at, error, takes_key=False)])
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "unconfirmed" in record.getMessage()


def hear_all(now, **said) -> None:
    write_answers([Answer(question, **said) for question in due_questions(now)], now)


def test_whom_an_accepted_message_did_not_reach_is_told_by_the_log(sent):
    receipt = Receipt(200, "group", {"refused": ["010"], "failed": {"010": "no such number"}})
    hear_all(sent.due_at + LATER, has_it=True, receipt=receipt)
    assert Delivery.objects.get().state == "confirmed"
    row = Attempt.objects.latest("id")
    assert (row.outcome, row.already, row.billed, row.wire_at) == ("accepted", True, 0, None)
    assert row.answer["refused"] == ["010"]


def test_a_receipt_that_names_nobody_adds_nothing_to_the_log(sent):
    hear_all(sent.due_at + LATER, has_it=True, receipt=Receipt(200, "group"))
    assert Attempt.objects.count() == 1


def test_what_was_sent_and_reached_nobody_stays_sent_and_says_why(sent):
    error = refused("Solapi: no such number (3104)", answer={"refused": ["010"]})
    hear_all(sent.due_at + LATER, has_it=None, error=error)
    row = Delivery.objects.get()
    assert (row.state, row.error, row.confirm_at) == ("sent", str(error), None)
    assert [a.outcome for a in Attempt.objects.order_by("id")] == ["accepted", "refused"]


def test_a_part_in_doubt_that_reached_some_says_whom_it_did_not(in_doubt):
    receipt = Receipt(200, "group", {"refused": ["010"]})
    hear_all(in_doubt.due_at + LATER, has_it=True, receipt=receipt)
    assert Delivery.objects.get().part == 1
    assert Attempt.objects.latest("id").answer == {"refused": ["010"]}
