"""What the machine tells administrators: each thing once, with its cause, and nothing else."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from channels.adapters.base import Standing, later, refused, unknown
from channels.alerts.gather import gather
from channels.models import Account, AccountCheck, Alert, Notice, Room
from orgs.clock import database_now
from orgs.models import Unit
from schedules.actions import Verdict, cancel, pause, register, resolve
from schedules.actions.fence import Trouble, lift, own_installation, put_up, stop
from schedules.dispatch.check_accounts import Checked, write
from schedules.dispatch.confirm import Answer, due_questions, write_answers
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.pace import note_answers
from schedules.dispatch.plan import plan
from schedules.dispatch.settle import settle
from schedules.dispatch.stalled import STALLED_AFTER, look
from schedules.dispatch.sweep import take_back
from schedules.models import Delivery
from tests.schedules.at_once import at_once
from tests.schedules.conftest import SECOND, accepted, not_accepted, on_the_wire

pytestmark = pytest.mark.django_db

LATER = timedelta(minutes=2)


@pytest.fixture
def handed(world, planned):
    """What is on the wire of one message to one room."""
    Account.objects.update(config={"honours_key": "no"})
    (delivery,) = planned()
    return on_the_wire(delivery.due_at)[0]


def raised() -> list[tuple[str, int]]:
    return list(Alert.objects.order_by("id").values_list("kind", "count"))


def only_alert() -> Alert:
    return Alert.objects.get()


def test_what_is_sent_or_tried_again_is_no_alert(handed):
    settle([not_accepted(handed, handed.due_at, later("Busy", after=1))])
    claimed = on_the_wire(handed.due_at + 61 * SECOND)
    settle([accepted(claimed[0], handed.due_at + 61 * SECOND)])
    assert Delivery.objects.get().state == "sent"
    assert raised() == []


def test_a_success_asks_and_writes_nothing_for_alerts(handed):
    with CaptureQueriesContext(connection) as captured:
        settle([accepted(handed, handed.due_at)])
    assert [q["sql"] for q in captured if "alert" in q["sql"]] == []


def test_a_refusal_is_told_with_the_room_and_what_was_said(handed):
    settle([not_accepted(handed, handed.due_at, refused("No such room", status=404))])
    alert = only_alert()
    assert (alert.kind, alert.unit_path) == ("failed", handed.unit_path)
    assert alert.lines == [[handed.due_at.isoformat(), "Morning notice → Xinyi room: No such room"]]


def test_the_last_failure_is_told_and_none_before_it(handed):
    now, tries = handed.due_at, handed.max_retries + 1
    for number in range(tries):
        assert raised() == []
        (claimed,) = [handed] if number == 0 else on_the_wire(now)
        settle([not_accepted(claimed, now, later("503"))])
        row = Delivery.objects.get()
        now = row.next_try_at
    assert row.state == "failed"
    assert raised() == [("failed", 1)]


def test_what_waits_for_a_person_is_told(handed):
    settle([not_accepted(handed, handed.due_at, unknown("Lost"), takes_key=False)])
    assert raised() == [("unconfirmed", 1)]


def test_what_is_still_asked_is_told_only_when_the_asking_has_ended(handed):
    at = handed.due_at
    settle([not_accepted(handed, at, unknown("Lost"), takes_key=False, confirms=True)])
    assert raised() == []
    for _ in range(2):
        answers = [Answer(question, None) for question in due_questions(at + LATER)]
        write_answers(answers, at + LATER)
    assert raised() == [("unconfirmed", 1)]


def test_two_workers_that_ask_in_vain_at_once_tell_once(handed):
    at = handed.due_at
    settle([not_accepted(handed, at, unknown("Lost"), takes_key=False, confirms=True)])
    answers = [[Answer(q, None) for q in due_questions(at + LATER)] for _ in range(2)]
    for number, answer in enumerate(answers):
        write_answers(answer, at + LATER + number * SECOND)
    assert raised() == [("unconfirmed", 1)]


def test_what_its_channel_finds_is_told_to_nobody(handed):
    at = handed.due_at
    settle([not_accepted(handed, at, unknown("Lost"), takes_key=False, confirms=True)])
    write_answers([Answer(q, True) for q in due_questions(at + LATER)], at + LATER)
    assert raised() == []


def test_what_was_lost_with_its_worker_is_told_once(handed):
    for _ in range(2):
        take_back(handed.due_at + LATER)
    assert raised() == [("unconfirmed", 1)]
    assert "Morning notice → Xinyi room" in only_alert().lines[0][1]


@pytest.mark.parametrize(
    ("reason", "count"),
    [("missed", 1), ("stopped", 1), ("reach", 1), ("left", 1),
     ("cancelled", 0), ("inactive", 0), ("fenced", 0)],
)  # fmt: skip
def test_what_was_skipped_is_told_unless_somebody_wanted_it(handed, reason, count):
    settle([Outcome(handed, False, False, answered_at=handed.due_at, barred=reason)])
    assert raised() == [("missed", 1)] * count


def test_an_answer_that_is_settled_again_is_not_told_again(handed):
    outcome = not_accepted(handed, handed.due_at, refused("No"))
    for _ in range(2):
        settle([outcome])
    assert raised() == [("failed", 1)]


def test_many_failures_are_few_rows(world, planned):
    rooms = [
        Room.objects.create(unit=world.xinyi, account=world.sandbox, name=f"R{n}", address=f"r{n}")
        for n in range(40)
    ]
    (first, *_rest) = planned(rooms=rooms)
    outcomes = [not_accepted(c, c.due_at, refused("No")) for c in on_the_wire(first.due_at)]
    settle(outcomes)
    assert raised() == [("failed", 40)]


def test_an_alert_that_cannot_be_written_disturbs_no_outcome(handed, monkeypatch, caplog):
    def refuse(*_args: Any, **_more: Any) -> None:
        Alert(key="x" * 200, raised_at=None).save(force_insert=True)

    monkeypatch.setattr(Alert.objects, "bulk_create", refuse)
    settle([not_accepted(handed, handed.due_at, refused("No"))])
    assert (Delivery.objects.get().state, raised()) == ("failed", [])
    assert "alerts could not be raised" in caplog.text


def test_killed_before_the_outcome_is_written_neither_is(handed):
    def settle_and_die() -> None:
        with transaction.atomic():
            settle([not_accepted(handed, handed.due_at, refused("No"))])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        settle_and_die()
    assert (Delivery.objects.get().state, raised()) == ("sending", [])


def test_killed_after_the_outcome_another_worker_still_tells(handed):
    settle([not_accepted(handed, handed.due_at, refused("No"))])
    assert gather(handed.due_at + SECOND) == 1
    assert Notice.objects.get().title.startswith("Teiji: 1 message failed")


def test_a_stopped_account_is_told_once_to_its_own_unit(world, handed):
    outcome = not_accepted(handed, handed.due_at, refused("Bad token", account_wide=True))
    for _ in range(2):
        note_answers([outcome])
    alert = only_alert()
    assert (alert.kind, alert.unit_path, alert.name) == ("stopped", world.hq.path, "Sandbox")
    assert "Bad token" in alert.lines[0][1]


def test_that_an_account_goes_on_is_told_where_it_was_stopped(world, client, handed):
    note_answers([not_accepted(handed, handed.due_at, refused("Bad", account_wide=True))])
    client.force_login(world.people["hq"])
    address = f"/admin/channels/account/{world.sandbox.pk}/change/"
    form = {"unit": world.hq.pk, "name": "Sandbox", "on_unknown": "ask", "is_shared": "on",
            "is_active": "on", "requests_per_second": "", "setting_behaviour": "accept",
            "setting_honours_key": "no"}  # fmt: skip
    answer = client.post(address, form)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    (row,) = AccountCheck.take(database_now(), 9)
    write([Checked(row, database_now(), Standing())], database_now())
    stopped, over = Alert.objects.order_by("id")
    assert (stopped.subject, over.subject, over.is_over) == (over.subject, stopped.subject, True)
    client.post(address, form)
    assert Alert.objects.count() == 2


@pytest.mark.parametrize("values", [{}, {"text": "Hello {nobody}"}])
def test_a_missed_run_is_told(world, make_schedule, values):
    schedule = make_schedule()
    schedule = register(schedule, by=world.people["hq"])
    due_at = schedule.next_due_at
    plan(due_at + timedelta(hours=1))
    alert = only_alert()
    assert alert.kind == "missed"
    assert alert.lines[0][0] == due_at.isoformat()
    assert "its time passed" in alert.lines[0][1]


def test_a_run_without_a_room_is_told_and_a_holiday_is_not(world, make_schedule):
    schedule = register(make_schedule(), by=world.people["hq"])
    schedule.rooms.clear()
    plan(schedule.next_due_at)
    assert "no room is left" in only_alert().lines[0][1]


def test_what_a_person_paused_or_cancelled_is_no_alert(world, make_schedule):
    for act in (pause, cancel):
        schedule = register(make_schedule(text=act.__name__), by=world.people["hq"])
        due_at = schedule.next_due_at
        plan(due_at)
        act(schedule, by=world.people["hq"])
        plan(due_at)
    assert raised() == []


def test_what_a_person_decides_is_no_alert(world, handed):
    settle([not_accepted(handed, handed.due_at, unknown("Lost"), takes_key=False)])
    Alert.objects.all().delete()
    resolve(Delivery.objects.get(), Verdict.SEND_AGAIN, by=world.people["hq"])
    assert raised() == []


def test_a_fence_and_its_end_are_told_to_operators_and_each_headquarters(world):
    other = Unit.objects.plant(kind="headquarters", code="hq2", name="Other HQ", zone="Asia/Seoul")
    own_installation()
    for _ in range(2):
        put_up(Trouble("clone", "16384 → 20481"), now=database_now())
    assert set(Alert.objects.values_list("unit_path", flat=True)) == {
        "", world.hq.path, other.path,
    }  # fmt: skip
    lift(by=world.people["hq"], note="It is the true one")
    assert Alert.objects.filter(kind="fenced", is_over=True).count() == 3


def test_units_are_told_what_the_fence_cost_them(world, planned):
    (delivery,) = planned()
    own_installation()
    stop(by=world.people["hq"], note="Wrong prices")
    Delivery.objects.update(due_at=database_now())
    lift(by=world.people["hq"], note="Mended")
    assert Delivery.objects.get().state == "skipped"
    alert = Alert.objects.get(kind="missed")
    assert (alert.unit_path, alert.count) == (delivery.unit_path, 1)


def test_what_is_overdue_is_told_once(world, planned):
    (delivery,) = planned()
    now = delivery.due_at
    assert look(now + STALLED_AFTER - SECOND) == 0
    for minutes in (0, 1, 2):
        assert look(now + STALLED_AFTER + minutes * 60 * SECOND) == 1
    alert = only_alert()
    assert (alert.kind, alert.unit_path) == ("stalled", world.xinyi.path)
    assert alert.lines[0][0] == now.isoformat()


def test_a_worker_that_never_came_back_is_overdue_too(handed):
    at = handed.due_at + timedelta(minutes=20)
    assert look(at) == 1


def test_nothing_is_overdue_that_waits_for_its_retry_or_behind_a_fence(world, handed):
    settle([not_accepted(handed, handed.due_at, later("Busy", after=3600))])
    assert look(handed.due_at + timedelta(minutes=30)) == 0
    Delivery.objects.update(next_try_at=handed.due_at)
    own_installation()
    stop(by=world.people["hq"], note="Wrong prices")
    assert look(handed.due_at + timedelta(minutes=30)) == 0


@pytest.mark.django_db(transaction=True)
def test_loops_at_once_tell_each_event_once(world, planned):
    """Settling, sweeping, gathering: three of each beside each other."""
    rooms = [
        Room.objects.create(unit=world.xinyi, account=world.sandbox, name=f"R{n}", address=f"r{n}")
        for n in range(6)
    ]
    Account.objects.update(config={"honours_key": "no"})
    (first, *_rest) = planned(rooms=rooms)
    now = first.due_at
    claimed = on_the_wire(now)
    outcomes = [not_accepted(c, now, refused("No")) for c in claimed[:3]]
    works = [partial(settle, outcomes), partial(settle, outcomes[::-1]),
             partial(take_back, now + LATER), partial(take_back, now + LATER),
             partial(gather, now + LATER), partial(gather, now + LATER)]  # fmt: skip
    trouble = [answer for answer in at_once(*works) if isinstance(answer, Exception)]
    assert trouble == []
    for minutes in (20, 40):
        at_once(*(partial(gather, now + timedelta(minutes=minutes)) for _ in range(2)))
    # What the sweep took first is in doubt, and a late “no” says nothing of that.
    states = list(Delivery.objects.values_list("state", flat=True))
    assert sum(Notice.objects.values_list("count", flat=True)) == len(states) == 6
    assert sum(Notice.objects.filter(kind="failed").values_list("count", flat=True)) == (
        states.count("failed")
    )
