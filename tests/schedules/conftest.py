"""A branch's clerk, and deliveries in the states that the tests need, made by the machine's own
steps."""

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from channels.adapters.base import Receipt, SendError, refused, unknown
from channels.adapters.line import LineAdapter
from channels.models import Account, Audience, Recipient, Room
from orgs.clock import database_now
from orgs.models import User
from orgs.reach import Role
from schedules.actions import register
from schedules.dispatch import fence
from schedules.dispatch.claim import Claimed, claim
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.plan import plan
from schedules.dispatch.settle import settle
from schedules.dispatch.sweep import take_back
from schedules.models import Delivery, Run, Schedule
from tests.conftest import World
from tests.fakes.line import ACCESS_TOKEN, LineFake
from tests.fakes.serving import in_thread
from tests.unlimited import UNLIMITED

SECOND = timedelta(seconds=1)


@pytest.fixture
def clerk(world: World) -> User:
    return world.person(world.xinyi, Role.OPERATOR)


@pytest.fixture
def daily(make_schedule: Callable[..., Schedule], clerk: User) -> Schedule:
    """Every day at nine in Taipei."""
    timing = {"timing_kind": "daily", "time": time(9), "date": None, "zone": "Asia/Taipei"}
    return register(make_schedule(**timing), by=clerk)


@pytest.fixture
def once(make_schedule: Callable[..., Schedule], clerk: User) -> Schedule:
    """In forty hours, and never again."""
    return register(make_schedule(due_in=40 * 3600, text="Once", title="Single"), by=clerk)


@pytest.fixture
def desk(client: Client, clerk: User) -> Client:
    """The clerk's browser."""
    client.force_login(clerk)
    return client


@pytest.fixture
def planned(world, make_schedule) -> Callable[..., list[Delivery]]:
    """Register a schedule (as make_schedule) and plan it when its time comes."""

    def make(**values) -> list[Delivery]:
        schedule = register(make_schedule(**values), by=world.people["hq"])
        return plan_at(schedule, schedule.next_due_at)

    return make


@pytest.fixture
def failed(world, planned):
    """Deliveries that their channel refused; other values are the schedule's."""

    def make(**values) -> list[Delivery]:
        rows = planned(**values)
        claimed = on_the_wire(rows[0].due_at)
        settle([not_accepted(one, one.due_at, refused("No such room.", status=400))
                for one in claimed])  # fmt: skip
        return list(Delivery.objects.filter(pk__in=[row.pk for row in rows]).order_by("id"))

    return make


@pytest.fixture
def group(world):
    """Some more rooms of xinyi."""

    def make(count: int) -> list[Room]:
        add = partial(Room.objects.create, unit=world.xinyi, account=world.sandbox, **UNLIMITED)
        return [add(name=f"Room {number}", address=f"r{number}") for number in range(count)]

    return make


def plan_at(schedule: Schedule, now: datetime) -> list[Delivery]:
    plan(now)
    return list(Delivery.objects.filter(run__schedule=schedule).order_by("id"))


def claim_at(now: datetime, worker: str = "one", limit: int = 100) -> list[Claimed]:
    return claim(now, worker=worker, limit=limit)


def on_the_wire(now: datetime) -> list[Claimed]:
    """Claim what is due and mark it as handed over."""
    claimed = claim_at(now)
    marked, barred, _lease = mark_wire(claimed, now)
    assert not barred
    return [delivery for delivery in claimed if delivery.id in marked]


def accepted(claimed: Claimed, at: datetime, **values) -> Outcome:
    facts = {"takes_key": True, "confirms": False} | values
    receipt = Receipt(status=200, request_id="r-1")
    return Outcome(claimed, answered_at=at, handed_at=at, receipt=receipt, **facts)


def not_accepted(claimed: Claimed, at: datetime, error: SendError, **values) -> Outcome:
    facts = {"takes_key": True, "confirms": False} | values
    return Outcome(claimed, answered_at=at, handed_at=at, error=error, **facts)


@pytest.fixture
def machine(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that knows no database, and a process that has seen none."""
    settings.TEIJI_DATA_DIR = tmp_path
    monkeypatch.setattr(fence, "seen", fence.Seen())
    return tmp_path


@pytest.fixture
def restarted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], fence.Fence]:
    """The watch of a worker that has just started: what another process saw, it has not."""

    def make() -> fence.Fence:
        monkeypatch.setattr(fence, "seen", fence.Seen())
        return fence.Fence()

    return make


@pytest.fixture
def line_account(world) -> Account:
    made = Account(unit=world.hq, name="LINE", kind="line", is_shared=True)
    made.secrets = {"access_token": ACCESS_TOKEN}
    made.save()
    return made


@pytest.fixture
def at_line(settings: Any) -> Iterator[LineFake]:
    """The LINE that is asked."""
    fake = LineFake()
    with in_thread(fake) as url:
        settings.TEIJI_LINE_API_HOST = url
        settings.TEIJI_PUBLIC_URL = "https://teiji.example"
        yield fake


@pytest.fixture
def line_rooms(world: World, line_account: Account) -> list[Room]:
    """Two groups of one account."""
    return [
        Room.objects.create(
            unit=world.xinyi, account=line_account, name=f"Group {n}", address=f"C{n:032x}",
            **UNLIMITED,
        )
        for n in (1, 2)
    ]  # fmt: skip


@pytest.fixture
def in_transactions(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each request to LINE, whether it was made in a transaction."""
    found: list[bool] = []
    post: Any = LineAdapter._post

    async def noted(*given: Any) -> Any:
        found.append(connection.in_atomic_block)
        return await post(*given)

    monkeypatch.setattr(LineAdapter, "_post", noted)
    return found


@pytest.fixture
def make_audience(world, line_account):
    """An audience of xinyi with so many people."""

    def make(count: int) -> Audience:
        people = Recipient.objects.bulk_create(
            Recipient(unit=world.xinyi, account=line_account, address=f"U{number:032x}")
            for number in range(count)
        )
        audience = Audience.objects.create(unit=world.xinyi, account=line_account, name="Members")
        audience.recipients.set(people)
        return audience

    return make


@pytest.fixture
def doubtful(world, make_schedule) -> Callable[..., Delivery]:
    """A delivery handed over `ago`, of which nobody knows: `how` is “lost_answer”, “asked” or
    “lost_worker”. Other values are the schedule's."""

    def make(how: str = "lost_answer", *, ago: timedelta = timedelta(), **values: Any) -> Delivery:
        draft = make_schedule(**values)
        schedule = register(draft, by=world.people["hq"])
        due_at = schedule.next_due_at
        plan_at(schedule, due_at)
        claimed = [c for c in on_the_wire(due_at) if c.schedule_id == schedule.pk]
        if how == "lost_worker":
            take_back(due_at + timedelta(minutes=2))
        else:
            settle([_answer(how, one, due_at) for one in claimed])
        return _set_back(schedule, due_at, ago)

    return make


def _answer(how: str, claimed: Any, at: Any) -> Outcome:
    facts = {"answered_at": at, "handed_at": at, "takes_key": False}
    if how == "asked":
        receipt = Receipt(status=200, request_id="r-9", queued=True)
        return Outcome(claimed, confirms=True, receipt=receipt, **facts)
    return Outcome(claimed, confirms=False, error=unknown("The line broke."), **facts)


def _set_back(schedule: Schedule, due_at: Any, ago: timedelta) -> Delivery:
    """As it would be if its appointed time had been so long ago."""
    back = due_at - (database_now() - ago)
    row = Delivery.objects.get(run__schedule=schedule)
    times = {"due_at": row.due_at - back, "completed_at": row.completed_at - back}
    if row.confirm_at:
        times["confirm_at"] = row.confirm_at - back
    Delivery.objects.filter(pk=row.pk).update(**times)
    Run.objects.filter(pk=row.run_id).update(due_at=row.due_at - back)
    row.refresh_from_db()
    return row
