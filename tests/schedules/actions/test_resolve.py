"""What a person says of deliveries that may or may not have arrived."""

from datetime import timedelta
from functools import partial

import pytest

from channels.models import Account, Room
from logs.models import History
from schedules.actions import Doubt, NeedsSure, OutOfReach, Refused, Verdict, resolve, resolve_many
from schedules.actions.lifecycle import cancel
from schedules.dispatch.confirm import Answer, due_questions, write_answers
from schedules.dispatch.settle import settle
from schedules.models import Delivery, LeftOpen, Run
from tests.schedules.at_once import at_once
from tests.schedules.conftest import SECOND, accepted, on_the_wire

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def without_keys(world):
    Account.objects.update(config={"honours_key": "no"})


@pytest.fixture
def other_clerk(world):
    return world.people["xinyi"]


def seen(row: Delivery) -> str:
    return row.completed_at.isoformat()


def doubt(row: Delivery) -> Doubt:
    return Doubt(row.pk, seen(row))


def state(row: Delivery) -> str:
    return Delivery.objects.get(pk=row.pk).state


def test_the_note_stands_in_the_history_with_who_and_when(doubtful, clerk):
    row = doubtful()
    resolve(row, Verdict.ARRIVED, by=clerk, note="Seen in the room")
    entry = History.objects.get(kind="delivery", object_id=str(row.pk))
    assert (entry.verb, entry.actor) == ("arrived", clerk.username)
    assert entry.changes["note"] == "Seen in the room"


def test_what_is_left_stays_and_goes_to_another_part_of_the_list(doubtful, clerk):
    row = doubtful()
    assert list(Delivery.objects.to_decide()) == [row]
    resolve(row, Verdict.LEAVE, by=clerk, note="Asked the branch")
    assert state(row) == "unconfirmed"
    assert list(Delivery.objects.to_decide()) == []
    assert list(Delivery.objects.left_as_they_are()) == [row]
    left = LeftOpen.objects.get()
    assert (left.by, left.note) == (clerk.username, "Asked the branch")


def test_a_newer_doubt_of_what_was_left_is_to_be_decided_again(doubtful, clerk):
    row = doubtful()
    resolve(row, Verdict.LEAVE, by=clerk)
    Delivery.objects.update(completed_at=row.completed_at + SECOND)
    assert list(Delivery.objects.to_decide()) == [row]
    assert list(Delivery.objects.left_as_they_are()) == []
    resolve(row, Verdict.LEAVE, by=clerk)
    assert list(Delivery.objects.left_as_they_are()) == [row]


def test_what_is_still_asked_is_not_to_be_decided(doubtful):
    row = doubtful("asked")
    assert list(Delivery.objects.to_decide()) == []
    assert list(Delivery.objects.being_asked()) == [row]


def test_what_was_asked_in_vain_is_to_be_decided(doubtful):
    row = doubtful("asked")
    end = row.completed_at + HOUR
    write_answers([Answer(question, None) for question in due_questions(end)], end)
    assert list(Delivery.objects.to_decide()) == [row]


@pytest.mark.parametrize("verdict", [Verdict.ARRIVED, Verdict.SEND_AGAIN])
def test_too_early_a_verdict_needs_to_be_meant(doubtful, clerk, verdict):
    row = doubtful("asked")
    with pytest.raises(NeedsSure):
        resolve(row, verdict, by=clerk, seen=seen(row), sure=False)
    assert state(row) == "unconfirmed"
    resolve(row, verdict, by=clerk, seen=seen(row), sure=True)
    assert state(row) != "unconfirmed"


@pytest.mark.parametrize(("ago", "is_asked"), [(HOUR, True), (timedelta(minutes=5), False)])
def test_to_send_what_is_long_past_needs_to_be_meant(doubtful, clerk, ago, is_asked):
    row = doubtful(ago=ago)
    if is_asked:
        with pytest.raises(NeedsSure, match="long past"):
            resolve(row, Verdict.SEND_AGAIN, by=clerk, sure=False)
    resolve(row, Verdict.SEND_AGAIN, by=clerk, sure=is_asked)
    assert state(row) == "planned"


def test_it_arrived_needs_no_second_thought_however_long_ago(doubtful, clerk):
    row = doubtful(ago=HOUR)
    assert resolve(row, Verdict.ARRIVED, by=clerk, sure=False).state == "sent"


def test_what_is_sent_again_goes_at_once_and_is_not_late(doubtful, clerk):
    row = doubtful(ago=HOUR)
    again = resolve(row, Verdict.SEND_AGAIN, by=clerk)
    (claimed,) = on_the_wire(again.next_try_at)
    settle([accepted(claimed, again.next_try_at)])
    sent = Delivery.objects.get()
    assert (sent.state, sent.lateness_ms) == ("sent", None)


def test_many_are_decided_at_once_and_each_refusal_is_named(world, doubtful, clerk):
    rows = [doubtful(text=f"Text {number}") for number in range(3)]
    foreign = doubtful(unit=world.tainan, rooms=[world.tainan_room])
    resolve(rows[1], Verdict.ARRIVED, by=clerk)
    asked = [doubt(rows[0]), doubt(rows[1]), Doubt(rows[2].pk, "2020-01-01"), doubt(foreign)]
    resolved = resolve_many([*asked, Doubt(10**9)], Verdict.ARRIVED, by=clerk)
    assert resolved.decided == [rows[0].pk]
    refused = resolved.refused
    assert set(refused) == {rows[1].pk, rows[2].pk, foreign.pk, 10**9}
    assert clerk.username in str(refused[rows[1].pk])
    assert "tried again" in str(refused[rows[2].pk])
    assert isinstance(refused[foreign.pk], OutOfReach)
    assert str(refused[foreign.pk]) == str(refused[10**9])
    assert [state(row) for row in (*rows, foreign)] == ["sent", "sent", *["unconfirmed"] * 2]
    assert Run.objects.get(deliveries=rows[0]).state == "sent"


def test_of_a_cancelled_schedule_nothing_is_sent_again_but_the_rest_is_decided(doubtful, clerk):
    gone, kept = doubtful(text="One"), doubtful(text="Two")
    cancel(gone.run.schedule, by=clerk)
    resolved = resolve_many([doubt(gone), doubt(kept)], Verdict.SEND_AGAIN, by=clerk)
    assert (resolved.decided, set(resolved.refused)) == ([kept.pk], {gone.pk})


def test_who_comes_second_is_told_who_was_first(doubtful, clerk, other_clerk):
    row = doubtful()
    resolve(row, Verdict.SEND_AGAIN, by=other_clerk, seen=seen(row))
    with pytest.raises(Refused, match=f"{other_clerk.username} has decided at .* Asia|UTC") as told:
        resolve(row, Verdict.ARRIVED, by=clerk, seen=seen(row))
    assert "it did not, send now" in str(told.value)
    assert state(row) == "planned"


def test_who_leaves_what_somebody_has_left_is_told(doubtful, clerk, other_clerk):
    row = doubtful()
    resolve(row, Verdict.LEAVE, by=other_clerk)
    with pytest.raises(Refused, match=other_clerk.username):
        resolve(row, Verdict.LEAVE, by=clerk)
    assert History.objects.filter(verb="leave").count() == 1


def test_what_its_channel_has_settled_says_so(doubtful, clerk):
    row = doubtful("asked")
    end = row.completed_at + HOUR
    write_answers([Answer(question, True) for question in due_questions(end)], end)
    with pytest.raises(Refused, match="settled meanwhile: it is “sent”"):
        resolve(row, Verdict.SEND_AGAIN, by=clerk, seen=seen(row))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verdict", list(Verdict))
def test_of_two_who_decide_at_the_same_moment_one_is_told(
    world, doubtful, clerk, other_clerk, verdict
):
    add = partial(Room.objects.create, unit=world.xinyi, account=world.sandbox)
    rooms = [add(name=f"Room {number}", address=f"r{number}") for number in range(4)]
    rows = [doubtful(text=f"Text {n}", rooms=[room]) for n, room in enumerate(rooms)]
    both = [
        partial(resolve_many, [doubt(row) for row in order], verdict, by=who)
        for order, who in ((rows, clerk), (rows[::-1], other_clerk))
    ]
    answers = at_once(*both)
    assert [len(answer.decided) + len(answer.refused) for answer in answers] == [4, 4]
    decided = [pk for answer in answers for pk in answer.decided]
    assert sorted(decided) == sorted(row.pk for row in rows), "each by exactly one"
    assert History.objects.filter(verb=verdict.value).count() == 4
