"""Lifting the fence: by whom, what becomes of what was due, and on which machines."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from channels.models import Alert, SandboxMessage
from logs.models import History
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Role
from schedules.actions import OutOfReach, Refused, execute, register
from schedules.actions.fence import lift, stop
from schedules.dispatch import known
from schedules.dispatch.fence import Fence
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.plan import plan
from schedules.models import Delivery, Installation, Run
from schedules.models.installation import LEAP
from tests.schedules.conftest import SECOND, claim_at
from tests.schedules.fencing import HOUR, fenced_by_the_machine, row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]


@pytest.mark.parametrize("who", ["north", "taipei", "xinyi", "stranger"])
def test_only_a_manager_of_the_headquarters_may(world, who):
    with pytest.raises(OutOfReach):
        stop(by=world.people[who], note="")
    fenced_by_the_machine()
    with pytest.raises(OutOfReach):
        lift(by=world.people[who], note="")
    assert row().fenced_at


def test_an_operator_of_the_headquarters_may_not(world):
    fenced_by_the_machine()
    with pytest.raises(OutOfReach):
        lift(by=world.person(world.hq, Role.OPERATOR), note="")


def test_what_is_not_stopped_cannot_be_lifted_and_the_other_way_round(world):
    boss = world.people["hq"]
    with pytest.raises(Refused):
        lift(by=boss, note="")
    stop(by=boss, note="wait")
    with pytest.raises(Refused):
        stop(by=boss, note="again")


def test_a_lifted_fence_stays_down_on_every_machine(world, restarted, settings, tmp_path):
    Fence().look()
    machines = [tmp_path / "one", tmp_path / "two"]
    for number, folder in enumerate(machines):
        folder.mkdir()
        settings.TEIJI_DATA_DIR = folder
        known.remember(row().uid, 500 + number)
    assert restarted().look()
    Installation.objects.update(place={"file": "9"}, clock_at=database_now() + HOUR)
    lift(by=world.people["hq"], note="restored on purpose")
    for folder in machines:
        settings.TEIJI_DATA_DIR = folder
        assert not restarted().look()
    assert row().generation > LEAP
    assert (row().lifted_by, row().reason) == ("hq", "")
    assert History.objects.get(verb="lifted").changes["note"] == "restored on purpose"


def test_an_older_copy_is_fenced_again_after_a_lift(world, restarted):
    fenced_by_the_machine()
    before = row().generation
    lift(by=world.people["hq"], note="")
    assert not restarted().look()
    Installation.objects.update(generation=before + 1000)
    assert restarted().look()


def test_what_came_due_is_skipped_with_its_retries_and_parts(world, planned):
    due, later, retried = (planned(text=text)[0] for text in ("due", "later", "retried"))
    now = database_now()
    rows = Delivery.objects.all()
    rows.filter(pk=due.pk).update(due_at=now - SECOND, next_try_at=now - SECOND)
    rows.filter(pk=retried.pk).update(
        due_at=now - SECOND, next_try_at=now + HOUR, tries=1, in_doubt=True,
        started_at=now - SECOND,
    )  # fmt: skip
    fenced_by_the_machine()
    assert lift(by=world.people["hq"], note="") == 2
    found = dict(rows.values_list("pk", "state"))
    assert found == {due.pk: "skipped", later.pk: "planned", retried.pk: "skipped"}
    assert set(rows.filter(state="skipped").values_list("reason", flat=True)) == {"fenced"}
    assert rows.get(pk=retried.pk).error
    assert Run.objects.get(pk=due.run_id).state == "skipped"


@pytest.mark.parametrize(
    ("on_the_wire", "lease", "state"),
    [(False, HOUR, "skipped"), (False, -HOUR, "skipped"),
     (True, HOUR, "sending"), (True, -HOUR, "unconfirmed")],
)  # fmt: skip
def test_of_what_was_claimed_only_what_is_under_way_goes_on(
    world, planned, on_the_wire, lease, state
):
    (delivery,) = planned()
    claimed = claim_at(delivery.due_at)
    now = database_now()
    Delivery.objects.update(
        due_at=now - SECOND, lease_until=now + lease, wire_at=now - SECOND if on_the_wire else None
    )
    fenced_by_the_machine()
    lift(by=world.people["hq"], note="")
    delivery.refresh_from_db()
    assert delivery.state == state
    assert mark_wire(claimed, now)[0] == ({delivery.pk} if state == "sending" else set())


def test_occurrences_that_passed_are_planned_as_missed(world, make_schedule):
    hourly = {"timing_kind": "interval", "every_minutes": 1, "date": None, "time": None}
    schedule = register(make_schedule(**hourly), by=world.people["xinyi"])
    fenced_by_the_machine()
    passed = schedule.next_due_at - timedelta(minutes=5)
    type(schedule).objects.update(next_due_at=passed)
    lift(by=world.people["hq"], note="")
    plan(database_now())
    runs = Run.objects.filter(due_at__lte=database_now())
    assert runs.count() >= 4
    assert set(runs.values_list("state", "reason")) == {("skipped", "fenced")}
    schedule.refresh_from_db()
    assert schedule.next_due_at > database_now()


def test_send_due_lets_go_what_is_within_its_grace(world, planned, make_schedule):
    (delivery,) = planned()
    now = database_now()
    Delivery.objects.update(due_at=now - SECOND, next_try_at=now - SECOND)
    fenced_by_the_machine()
    assert lift(by=world.people["hq"], note="", send_due=True) == 0
    assert [claimed.id for claimed in claim_at(database_now())] == [delivery.pk]


@pytest.fixture
def other_boss(world):
    """A manager of another headquarters in the same database."""
    other = Unit.objects.add_root({"kind": "headquarters", "code": "other", "name": "Other"})
    return world.person(other, Role.MANAGER)


def test_nobody_sends_what_was_due_of_a_headquarters_that_they_do_not_reach(
    world, planned, other_boss
):
    (delivery,) = planned()
    Delivery.objects.update(due_at=database_now() - SECOND)
    fenced_by_the_machine()
    for boss in (other_boss, world.people["hq"]):
        with pytest.raises(Refused, match="Other headquarters"):
            lift(by=boss, note="", send_due=True)
    assert row().fenced_at
    assert lift(by=other_boss, note="") == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == ("skipped", "fenced")
    assert Alert.objects.filter(kind="missed", unit_path=delivery.unit_path).exists()


@pytest.mark.usefixtures("other_boss")
def test_the_operator_sends_what_was_due_of_all(planned):
    (delivery,) = planned()
    Delivery.objects.update(due_at=database_now() - SECOND)
    fenced_by_the_machine()
    assert run_fence("--lift", "--send-due")[0] == 0
    delivery.refresh_from_db()
    assert delivery.state == "planned"


@pytest.mark.django_db(transaction=True)
def test_the_loop_of_a_copy_sends_nothing(world, make_schedule, dispatch):
    schedule = register(make_schedule(timing_kind="now"), by=world.people["xinyi"])
    assert dispatch() == 1
    execute(schedule, by=world.people["xinyi"])
    Installation.objects.update(place=dict.fromkeys(row().place, "another"))
    assert dispatch() == 0
    assert SandboxMessage.objects.count() == 1
    lift(by=world.people["hq"], note="")
    assert dispatch() == 0
    execute(schedule, by=world.people["xinyi"])
    dispatch()
    assert SandboxMessage.objects.count() == 2


# The command.


def run_fence(*arguments: str) -> tuple[int, str]:
    said = StringIO()
    try:
        call_command("fence", *arguments, stdout=said)
    except SystemExit as end:
        return int(str(end.code)), said.getvalue()
    return 0, said.getvalue()


def test_the_command_does_not_take_an_empty_reason_for_a_question(world):
    with pytest.raises(CommandError, match="Sending goes on: give --up a reason"):
        run_fence("--up", " ")


def test_the_command_says_what_was_due_and_lifts(world, planned):
    assert run_fence()[0] == 0
    planned(title="Morning notice")
    now = database_now()
    Delivery.objects.update(due_at=now - SECOND, next_try_at=now - SECOND)
    assert run_fence("--up", "a wrong text") == (
        0, "All sending is stopped. Lift it with: manage.py fence --lift\n"
    )  # fmt: skip
    status, said = run_fence()
    assert status == 1
    for words in ("a wrong text", "1  Xinyi · sandbox", "Morning notice → Xinyi room"):
        assert words in said
    assert "1 skipped" in run_fence("--lift", "--note", "right now", "--by", "hq")[1]
    assert run_fence()[0] == 0
    entry = History.objects.get(verb="lifted")
    assert (entry.actor, entry.via) == ("hq", "command")


def test_the_command_finds_a_copy_before_any_worker_does():
    run_fence()
    Installation.objects.update(place=dict.fromkeys(row().place, "another"))
    status, said = run_fence()
    assert status == 1
    assert "copied or moved" in said
