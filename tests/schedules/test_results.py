"""What became of runs is a fact for others: each once, in the transaction in which it happened."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from channels.models import Fact
from orgs.clock import database_now
from orgs.models import Member
from orgs.reach import Role
from schedules.actions import register
from schedules.actions.retry import retry
from schedules.dispatch.hour import DUTIES
from schedules.dispatch.plan import plan
from schedules.models import Delivery, Run
from schedules.results import note_skipped
from schedules.states import RunState
from schedules.totals import add_up
from tests.conftest import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_xinyi_reaches_all")]


@pytest.fixture
def _xinyi_reaches_all(world):
    """For runs to rooms of several units."""
    person = world.people["xinyi"]
    Member.objects.filter(user=person).update(unit=world.hq)
    person.__dict__.pop("_member", None)


def kinds():
    return list(Fact.objects.order_by("id").values_list("kind", flat=True))


@pytest.fixture
def planned(world: World, make_schedule):
    """A run to the rooms given, of which nothing has left."""

    def make(**values) -> Run:
        by = world.people["xinyi"]
        schedule = register(make_schedule(registered_by=by, **values), by=by)
        plan(schedule.next_due_at)
        return Run.objects.get(schedule=schedule)

    return make


def end(run: Run, *states: str, **values) -> None:
    rows = list(Delivery.objects.filter(run=run).order_by("id"))
    for row, state in zip(rows, states, strict=True):
        Delivery.objects.filter(pk=row.pk).update(state=state, **values)
    with transaction.atomic():
        add_up([run.pk], database_now())


@pytest.mark.parametrize(
    ("states", "kind"),
    [
        (["sent", "sent"], "run.sent"),
        (["sent", "failed"], "run.partial"),
        (["failed", "failed"], "run.failed"),
        (["sent", "unconfirmed"], "run.unconfirmed"),
        (["skipped", "skipped"], "run.skipped"),
    ],
)
def test_how_a_run_ended_is_a_fact(world, planned, states, kind):
    run = planned(rooms=[world.room, world.tainan_room], unit=world.hq)
    end(run, *states)
    fact = Fact.objects.get()
    assert (fact.kind, fact.unit_path, fact.owner) == (kind, world.hq.path, world.people["xinyi"])
    assert fact.data["run"] == run.pk
    assert fact.data["deliveries"]["total"] == 2
    with transaction.atomic():
        add_up([run.pk], database_now())
    assert kinds() == [kind]


def test_it_holds_neither_text_nor_rooms(world, planned):
    run = planned(text="A secret offer")
    end(run, "sent")
    kept = str(Fact.objects.values().get())
    assert "Morning notice" in kept
    assert "secret offer" not in kept
    assert world.room.name not in kept


def test_what_is_undone_leaves_no_fact(world, planned):
    run = planned()
    Delivery.objects.filter(run=run).update(state="sent")
    with pytest.raises(RuntimeError), transaction.atomic():
        add_up([run.pk], database_now())
        raise RuntimeError
    assert kinds() == []


def test_a_doubt_that_is_settled_and_a_retry_are_facts_of_their_own(world, planned):
    run = planned()
    end(run, "unconfirmed")
    end(run, "failed")
    retry([Delivery.objects.get().pk], by=world.people["hq"])
    end(run, "sent")
    assert kinds() == ["run.unconfirmed", "run.failed", "run.sent"]


def test_what_a_person_cancels_is_no_news(world, planned):
    run = planned()
    end(run, "cancelled")
    assert Run.objects.get().state == RunState.CANCELLED
    assert kinds() == []


def test_what_no_worker_sent_in_time_is_missed(world, make_schedule):
    schedule = register(make_schedule(), by=world.people["xinyi"])
    long_after = schedule.next_due_at + timedelta(hours=3)
    plan(long_after)
    assert kinds() == ["run.missed"]
    plan(long_after)
    assert kinds() == ["run.missed"]


def test_a_delivery_that_was_missed_makes_its_run_missed(world, planned):
    run = planned()
    end(run, "skipped", reason=Delivery.Reason.MISSED)
    assert kinds() == ["run.missed"]


def test_who_is_asked_for_approval_is_a_fact(world, make_schedule):
    type(world.xinyi).objects.filter(pk=world.xinyi.pk).update(approval="demanded")
    clerk = world.person(world.xinyi, Role.OPERATOR)
    schedule = register(make_schedule(), by=clerk)
    fact = Fact.objects.get()
    assert (fact.kind, fact.data["schedule"]) == ("approval.asked", schedule.pk)
    assert fact.data["approving_unit"] == "xinyi"


def test_facts_are_kept_for_a_month(world, planned):
    end(planned(), "sent")
    forget = DUTIES["facts and the log of webhooks are forgotten"]
    assert forget(database_now() + timedelta(days=29)) == 0
    assert forget(database_now() + timedelta(days=31)) == 1


def test_twenty_missed_runs_cost_as_many_questions_as_one(planned):
    one = planned()
    values = {f.attname: getattr(one, f.attname) for f in Run._meta.concrete_fields[1:]}
    values |= {"state": "skipped", "reason": "missed", "skipped": 1}
    runs = [
        Run.objects.create(**values | {"due_at": one.due_at + timedelta(hours=n)})
        for n in range(1, 21)
    ]

    def asked(some: list[Run]) -> int:
        with CaptureQueriesContext(connection) as queries:
            note_skipped(some, database_now())
        return len(queries)

    assert asked(runs[:1]) == asked(runs)
    assert kinds() == ["run.missed"] * 21
