"""What becomes of an answer."""

from datetime import timedelta

import pytest
from django.db import OperationalError

from channels.adapters.base import Receipt, later, refused, unknown
from channels.models import Account, Room
from logs.models import Attempt
from schedules import totals
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.settle import settle
from schedules.dispatch.sweep import sweep
from schedules.dispatch.verdict import KEY_LIFE
from schedules.models import Delivery, Run
from schedules.totals import add_up_owed
from tests.schedules.conftest import SECOND, accepted, claim_at, not_accepted, on_the_wire

pytestmark = pytest.mark.django_db


def one(state: str) -> Delivery:
    delivery = Delivery.objects.get()
    assert delivery.state == state
    return delivery


@pytest.fixture
def large_run(world, planned, monkeypatch):
    """What is on the wire of a run that counts as large: three rooms at one time."""
    monkeypatch.setattr(totals, "LARGE", 2)
    monkeypatch.setattr(totals, "_added_up", {})
    monkeypatch.setattr(totals, "_owed", set())
    third = Room.objects.create(unit=world.hq, account=world.sandbox, name="Third", address="third")
    rooms = [world.room, world.tainan_room, third]
    (delivery, *_others) = planned(unit=world.hq, rooms=rooms)
    return on_the_wire(delivery.due_at)


def run_now() -> tuple[str, int]:
    return Run.objects.values_list("state", "sent").get()


def test_an_accepted_delivery_is_sent_with_its_lateness_and_proof(planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    at = delivery.due_at + timedelta(milliseconds=120)
    settle([accepted(claimed, at)])
    sent = one("sent")
    assert (sent.lateness_ms, sent.request_id, sent.completed_at) == (120, "r-1", at)
    run = Run.objects.get()
    assert (run.state, run.sent, run.completed_at) == ("sent", 1, at)
    assert Attempt.objects.get().outcome == "accepted"


def test_an_answer_is_settled_once(planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    assert settle([accepted(claimed, delivery.due_at)]) == 1
    assert settle([accepted(claimed, delivery.due_at)]) == 0
    assert Attempt.objects.count() == 1


def test_what_was_refused_has_failed(planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    settle([not_accepted(claimed, delivery.due_at, refused("No such room", status=400))])
    failed = one("failed")
    assert (failed.error, failed.status) == ("No such room", 400)
    assert Run.objects.get().state == "failed"


def test_tries_wait_longer_each_time_and_end(planned, settings):
    (delivery,) = planned(max_retries=2)
    now = delivery.due_at
    waits = []
    for _ in range(3):
        (claimed,) = on_the_wire(now)
        settle([not_accepted(claimed, now, later("busy", status=503))])
        row = Delivery.objects.get()
        waits.append(row.next_try_at - now)
        now = row.next_try_at
    assert [wait / SECOND for wait in waits[:2]] == settings.TEIJI_RETRY_DELAYS[:2]
    assert one("failed").tries == 3
    assert [a.number for a in Attempt.objects.order_by("id")] == [1, 2, 3]
    assert len({a.key for a in Attempt.objects.all()}) == 1


def test_the_channels_own_wish_for_a_pause_is_honoured(planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    settle([not_accepted(claimed, delivery.due_at, later("slow down", after=7))])
    assert one("planned").next_try_at == delivery.due_at + 7 * SECOND


def test_a_channel_that_names_a_time_is_waited_for_until_the_grace_ends(planned, settings):
    (delivery,) = planned(max_retries=0)
    now, tries = delivery.due_at, 0
    while Delivery.objects.get().state == "planned":
        (claimed,) = on_the_wire(now)
        settle([not_accepted(claimed, now, later("slow down", after=1))])
        now, tries = Delivery.objects.get().next_try_at, tries + 1
    assert Delivery.objects.get().state == "failed"
    assert now - delivery.due_at >= settings.TEIJI_GRACE_SECONDS * SECOND
    assert tries < 30  # asked less and less often


def test_words_that_the_database_cannot_hold_are_kept_without_what_it_refuses(planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    error = refused("No\x00", answer={"said\x00": ["a\x00b", "\ud800"]}, request_id="r\x00")
    assert settle([not_accepted(claimed, delivery.due_at, error)]) == 1
    assert one("failed").error == "No"
    assert Attempt.objects.get().answer == {"said": ["ab", "?"]}


def test_a_retry_is_not_too_late_for_the_grace(planned, settings):
    settings.TEIJI_RETRY_DELAYS = [3600.0]
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    settle([not_accepted(claimed, delivery.due_at, later("busy"))])
    assert len(on_the_wire(delivery.due_at + timedelta(hours=1))) == 1


def test_an_unknown_answer_is_repeated_with_the_same_key_where_the_channel_takes_one(planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    settle([not_accepted(claimed, delivery.due_at, unknown("no answer"))])
    again = one("planned")
    (claimed_again,) = on_the_wire(again.next_try_at)
    assert claimed_again.part_key == claimed.part_key


def test_an_unknown_answer_without_a_key_waits_for_a_person(planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    settle([not_accepted(claimed, delivery.due_at, unknown("no answer"), takes_key=False)])
    one("unconfirmed")
    run = Run.objects.get()
    assert (run.state, run.unconfirmed, run.sent, run.failed) == ("unconfirmed", 1, 0, 0)
    assert claim_at(delivery.due_at + timedelta(days=1)) == []


def test_an_account_may_choose_to_send_again(world, planned):
    Account.objects.update(on_unknown="resend")
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    settle([not_accepted(claimed, delivery.due_at, unknown("no answer"), takes_key=False)])
    one("planned")


def test_a_key_that_is_about_to_be_forgotten_is_not_used_again(planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    late = Outcome(
        claimed, takes_key=True, confirms=False, handed_at=delivery.due_at,
        answered_at=delivery.due_at + KEY_LIFE, error=unknown("no answer"),
    )  # fmt: skip
    settle([late])
    one("unconfirmed")


def test_an_unknown_answer_at_the_last_try_is_not_called_a_failure(planned):
    (delivery,) = planned(max_retries=0)
    (claimed,) = on_the_wire(delivery.due_at)
    settle([not_accepted(claimed, delivery.due_at, unknown("no answer"))])
    one("unconfirmed")


def test_parts_follow_each_other_at_the_chosen_distance(world, planned, make_images):
    (delivery,) = planned(interval_seconds=5, images=make_images(2))
    assert delivery.parts == 3
    now = delivery.due_at
    for part in range(3):
        (claimed,) = on_the_wire(now)
        assert claimed.part == part
        settle([accepted(claimed, now)])
        now += 5 * SECOND
    assert one("sent").lateness_ms == 0
    keys = Attempt.objects.values_list("key", flat=True)
    assert len(set(keys)) == 3


def test_a_delivery_that_fails_in_the_middle_makes_the_run_partial(planned, make_images):
    (delivery,) = planned(interval_seconds=5, images=make_images(1))
    (first,) = on_the_wire(delivery.due_at)
    settle([accepted(first, delivery.due_at)])
    (second,) = on_the_wire(delivery.due_at + 5 * SECOND)
    settle([not_accepted(second, delivery.due_at, refused("No"))])
    assert one("failed").part == 1
    assert Run.objects.get().state == "partial"


def test_a_run_to_two_rooms_of_which_one_fails_is_partial(world, planned):
    rooms = [world.room, world.tainan_room]
    deliveries = planned(unit=world.hq, rooms=rooms)
    first, second = on_the_wire(deliveries[0].due_at)
    at = deliveries[0].due_at
    settle([accepted(first, at), not_accepted(second, at, refused("No"))])
    run = Run.objects.get()
    assert (run.state, run.sent, run.failed, run.total) == ("partial", 1, 1, 2)


def test_a_barred_delivery_is_skipped_without_an_attempt(planned):
    (delivery,) = planned()
    (claimed,) = claim_at(delivery.due_at)
    settle([Outcome(claimed, False, False, answered_at=delivery.due_at, barred="reach")])
    assert one("skipped").reason == "reach"
    assert Run.objects.get().state == "skipped"
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("late", [0, 60])
def test_settling_thirty_asks_as_often_as_settling_one(
    planned, django_assert_max_num_queries, django_assert_num_queries, late
):
    most = 14 if late else 12  # whether people held it is asked
    for number in range(31):
        planned(text=f"Text {number}")
    due_at = max(Delivery.objects.values_list("due_at", flat=True))
    Delivery.objects.update(due_at=due_at, next_try_at=due_at)
    now = due_at + late * SECOND
    claimed = on_the_wire(now)
    with django_assert_max_num_queries(most) as one_query:
        settle([accepted(claimed[0], now)])
    with django_assert_num_queries(len(one_query)):
        settle([accepted(delivery, now) for delivery in claimed[1:]])


def test_a_retry_that_was_missed_is_not_sent_late_but_shown_to_a_person(planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    settle([not_accepted(claimed, delivery.due_at, unknown("no answer"))])
    two_days_later = delivery.due_at + timedelta(days=2)
    (again,) = claim_at(two_days_later)
    _marked, barred, _lease = mark_wire([again], two_days_later)
    assert barred == {delivery.pk: "missed"}
    settle([Outcome(again, False, False, answered_at=two_days_later, barred="missed")])
    assert one("unconfirmed").reason == "missed"


def test_the_lateness_is_that_of_the_try_that_was_accepted(planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    settle([not_accepted(claimed, delivery.due_at, later("busy", after=90))])
    at = delivery.due_at + 90 * SECOND
    (again,) = on_the_wire(at)
    settle([accepted(again, at)])
    assert one("sent").lateness_ms == 90_000


def test_a_known_key_was_on_time_at_its_first_try(planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    settle([not_accepted(claimed, delivery.due_at, unknown("no answer"))])
    at = Delivery.objects.get().next_try_at
    (again,) = on_the_wire(at)
    receipt = Receipt(status=409, already=True)
    settle([Outcome(again, True, False, answered_at=at, handed_at=at, receipt=receipt)])
    assert one("sent").lateness_ms == 0


def test_a_large_run_is_counted_once_a_second(large_run):
    at = large_run[0].due_at
    settle([accepted(large_run[0], at)])
    settle([accepted(large_run[1], at + SECOND / 2)])
    assert run_now() == ("sending", 1)
    add_up_owed(at + SECOND / 2)
    assert run_now() == ("sending", 1)
    sweep(at + 2 * SECOND)
    assert run_now() == ("sending", 2)


def test_the_next_answer_after_a_second_brings_a_large_run_up_to_date(large_run):
    at = large_run[0].due_at
    settle([accepted(large_run[0], at)])
    settle([accepted(large_run[1], at + SECOND)])
    assert run_now() == ("sending", 2)


def test_a_clock_that_is_set_back_does_not_hold_up_the_count(large_run):
    at = large_run[0].due_at
    settle([accepted(large_run[0], at)])
    settle([accepted(large_run[1], at - timedelta(hours=3))])
    assert run_now() == ("sending", 2)


def test_the_end_of_a_large_run_is_not_late(large_run):
    at = large_run[0].due_at
    settle([accepted(large_run[0], at)])
    settle([accepted(claimed, at) for claimed in large_run[1:]])
    assert run_now() == ("sent", 3)
    assert Run.objects.get().completed_at == at


def test_a_large_run_whose_worker_died_as_it_ended_is_ended_by_the_sweep(large_run, monkeypatch):
    at = large_run[0].due_at
    settle([accepted(large_run[0], at)])
    with monkeypatch.context() as dying:
        dying.setattr("schedules.dispatch.settle.add_up_ended", lambda *_: None)
        settle([accepted(claimed, at) for claimed in large_run[1:]])
    assert run_now() == ("sending", 1)
    monkeypatch.setattr(totals, "_added_up", {})  # another process
    monkeypatch.setattr(totals, "_owed", set())
    sweep(at)
    assert run_now() == ("sent", 3)


def test_an_end_whose_answer_was_lost_is_made_good_by_the_second_try(large_run, monkeypatch):
    at = large_run[0].due_at
    settle([accepted(large_run[0], at)])
    last = [accepted(claimed, at) for claimed in large_run[1:]]
    with monkeypatch.context() as away:
        away.setattr("schedules.dispatch.settle.add_up_ended", _database_is_away)
        with pytest.raises(OperationalError):
            settle(last)
    assert settle(last) == 0
    assert run_now() == ("sent", 3)


def _database_is_away(*_args) -> None:
    raise OperationalError


def test_what_a_process_counted_is_forgotten_when_it_is_over(large_run):
    at = large_run[0].due_at
    settle([accepted(claimed, at) for claimed in large_run])
    add_up_owed(at + 2 * SECOND)
    assert (totals._added_up, totals._owed) == ({}, set())


def test_a_retry_that_the_channel_had_asked_for_is_skipped_not_doubted(planned):
    (delivery,) = planned()
    (claimed,) = on_the_wire(delivery.due_at)
    settle([not_accepted(claimed, delivery.due_at, later("busy", after=90))])
    (again,) = claim_at(delivery.due_at + 90 * SECOND)
    settle([Outcome(again, False, False, answered_at=again.next_try_at, barred="cancelled")])
    assert one("skipped").reason == "cancelled"


def test_a_doubt_outlives_a_later_answer_that_says_nothing_of_it(planned):
    (delivery,) = planned()
    at = delivery.due_at
    for error in (unknown("no answer"), later("busy", after=90)):
        (claimed,) = on_the_wire(at)
        settle([not_accepted(claimed, at, error)])
        at = one("planned").next_try_at
    (again,) = claim_at(at)
    settle([Outcome(again, False, False, answered_at=at, barred="cancelled")])
    assert one("unconfirmed").reason == "cancelled"


def test_an_acceptance_ends_the_doubt(planned):
    (delivery,) = planned(text="One", interval_seconds=5)
    (claimed,) = on_the_wire(delivery.due_at)
    settle([not_accepted(claimed, delivery.due_at, unknown("no answer"))])
    assert Delivery.objects.get().in_doubt
    (again,) = on_the_wire(Delivery.objects.get().next_try_at)
    settle([accepted(again, again.next_try_at)])
    assert not one("sent").in_doubt
