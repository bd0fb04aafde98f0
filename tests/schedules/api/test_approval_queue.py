"""What waits for approval, to a program."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orgs.clock import database_now
from orgs.models import Deputy, Member
from orgs.reach import Role
from schedules.actions import register
from schedules.models import Approval, Schedule
from tests.schedules.api.calling import Caller, caller
from tests.schedules.approving import agency_of

pytestmark = pytest.mark.django_db

QUEUE = "/approvals"


@pytest.fixture
def agency(world):
    return agency_of(world)


@pytest.fixture
def chief(agency) -> Caller:
    return caller(agency.chief, "read", "approve")


@pytest.fixture
def ask(agency, make_schedule):
    """Have somebody register what waits then; its id."""

    def ask_(title: str, **values) -> int:
        by = values.pop("by", agency.clerk)
        return register(make_schedule(title=title, text=title, **values), by=by).pk

    return ask_


def titles(answer) -> list[str]:
    return [row["title"] for row in answer.json()["results"]]


def test_what_goes_soonest_is_first_on_every_page(chief, ask):
    ask("Tomorrow", due_in=86_400)
    ask("At once", timing_kind="now", date=None, time=None)
    ask("Soon", due_in=3600)
    assert titles(chief.get(QUEUE)) == ["At once", "Soon", "Tomorrow"]
    assert titles(chief.get(f"{QUEUE}?ordering=-due_at")) == ["Tomorrow", "Soon", "At once"]
    first = chief.get(f"{QUEUE}?page_size=1")
    second = chief.get(first.json()["next"].partition("/api/v1")[2])
    assert titles(first) + titles(second) == ["At once", "Soon"]
    due = [row["due_at"] for row in chief.get(QUEUE).json()["results"]]
    assert due[0] is None and due[1] < due[2]


def test_what_is_read_there_is_approved_where_the_schedule_is(chief, ask, agency):
    pk = ask("Sale")
    [row] = chief.get(QUEUE).json()["results"]
    assert (row["schedule"], row["asked_by"]) == (pk, agency.clerk.username)
    assert row["content"]["text"] == "Sale"
    answer = chief.post(f"/schedules/{pk}/approve", {"digest": row["digest"]})
    assert (answer.status_code, answer.json()["state"]) == (200, "active")
    assert titles(chief.get(QUEUE)) == []


def test_one_s_own_is_told_apart(chief, ask, agency):
    ask("Another’s")
    Schedule.objects.filter(pk=ask("Mine")).update(registered_by=agency.chief)
    owned = {row["title"]: row["is_own"] for row in chief.get(QUEUE).json()["results"]}
    assert owned == {"Another’s": False, "Mine": True}
    assert titles(chief.get(f"{QUEUE}?is_own=true")) == ["Mine"]
    assert titles(chief.get(f"{QUEUE}?is_own=false")) == ["Another’s"]


def test_only_approvers_and_who_stands_in_for_one_see_it(world, ask, agency):
    ask("Sale")
    unit = Approval.objects.get().unit
    viewer = world.person(world.taipei, Role.VIEWER)
    assert caller(viewer).get(QUEUE).status_code == 403
    assert titles(caller(world.people["tainan"]).get(QUEUE)) == []
    assert titles(caller(world.people["hq"]).get(f"{QUEUE}?unit={unit.pk}")) == ["Sale"]
    assert titles(caller(world.people["hq"]).get(f"{QUEUE}?unit={world.hq.pk}")) == []
    days = {"begins_at": database_now(), "ends_at": database_now() + timedelta(days=1)}
    Deputy.objects.create(unit=unit, member=Member.objects.get(user=viewer), **days)
    assert titles(caller(viewer).get(QUEUE)) == ["Sale"]


def test_six_ask_as_often_as_one(chief, ask):
    def asked() -> int:
        with CaptureQueriesContext(connection) as questions:
            assert chief.get(QUEUE).status_code == 200
        return len(questions)

    chief.get(QUEUE)  # notes the token's last use
    ask("One")
    few = asked()
    for number in range(5):
        ask(f"More {number}")
    assert asked() == few
