"""The fence, by a program."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from logs.models import History
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Role
from schedules.models import Delivery, Installation
from tests.schedules.api.calling import Caller, caller
from tests.schedules.fencing import fenced_by_the_machine

pytestmark = pytest.mark.django_db

WHY = {"why": "a wrong price"}


@pytest.fixture
def boss(world) -> Caller:
    return caller(world.people["hq"])


@pytest.fixture
def due(planned) -> list[Delivery]:
    """Two messages that came due while all is stopped by the machine."""
    rows = planned(title="Morning notice") + planned(title="Second notice", text="2")
    fenced_by_the_machine()
    Delivery.objects.update(due_at=database_now() - timedelta(seconds=1))
    return rows


def test_a_free_installation_says_so(boss):
    assert boss.get("/fence").json() == {
        "is_up": False, "reason": None, "why": "", "detail": "", "since": None, "due": None,
        "may_send_due": True, "lifted_at": None, "lifted_by": "",
    }  # fmt: skip


def test_it_is_put_up_and_lifted_and_both_are_recorded(boss):
    put_up = boss.post("/fence", WHY)
    assert put_up.status_code == 201
    told = put_up.json()
    assert (told["is_up"], told["reason"], told["detail"]) == (True, "by_hand", WHY["why"])
    assert told["why"] == "A person has stopped all sending."
    assert told["since"]
    assert boss.get("/fence").json() == told
    lifted = boss.post("/fence/lift", {"why": "the price is right"})
    assert lifted.status_code == 200
    after = lifted.json()
    assert (after["skipped"], after["fence"]["is_up"]) == (0, False)
    assert after["fence"]["lifted_by"] == "hq"
    entries = History.objects.filter(kind="installation").order_by("id")
    assert [(one.verb, one.actor, one.via, one.changes["token"]) for one in entries] == [
        ("fenced", "hq", "api", "tests"), ("lifted", "hq", "api", "tests"),
    ]  # fmt: skip
    assert entries[1].changes["note"] == "the price is right"


def test_who_is_signed_in_has_no_token_to_be_recorded(world):
    client = Client()
    client.force_login(world.people["hq"])
    kind = {"content_type": "application/json"}
    assert client.post("/api/v1/fence", WHY, **kind).status_code == 201
    assert "token" not in History.objects.get(verb="fenced").changes


def test_what_came_due_is_told(boss, due):
    told = boss.get("/fence").json()
    assert (told["reason"], told["detail"]) == ("clone", "")
    [unit] = told["due"]["by_unit"]
    assert unit == {"unit": "Xinyi", "channel": "sandbox", "count": 2}
    assert (told["due"]["messages"], told["due"]["schedules"]) == (2, 0)
    first = told["due"]["first"]
    assert [(one["title"], one["room_name"]) for one in first] == [
        ("Morning notice", "Xinyi room"), ("Second notice", "Xinyi room"),
    ]  # fmt: skip
    assert [one["id"] for one in first] == [row.pk for row in due]


@pytest.mark.parametrize(
    ("said", "skipped", "state"),
    [({}, 2, "skipped"), ({"send_due": True}, 0, "planned")],
)
def test_what_was_due_is_skipped_or_let_go_after_a_trial(boss, due, said, skipped, state):
    trial = boss.post("/fence/lift", {**WHY, **said, "dry_run": True}).json()
    assert (trial["skipped"], trial["fence"]["is_up"]) == (skipped, True)
    assert {row.state for row in Delivery.objects.all()} == {"planned"}
    done = boss.post("/fence/lift", {**WHY, **said}).json()
    assert (done["skipped"], done["fence"]["is_up"]) == (skipped, False)
    assert {row.state for row in Delivery.objects.all()} == {state}


def test_beside_another_headquarters_one_can_only_skip(boss, due):
    Unit.objects.add_root({"kind": "headquarters", "code": "other", "name": "Other"})
    assert boss.get("/fence").json()["may_send_due"] is False
    refused = boss.post("/fence/lift", {**WHY, "send_due": True})
    assert refused.status_code == 409
    assert "Other headquarters share this database" in refused.json()["detail"]
    assert Installation.objects.fenced()


@pytest.mark.parametrize("body", [{}, {"why": ""}, {"why": "  "}, {"why": 5}, {"why": "x" * 501}])
def test_a_reason_is_asked_for(boss, body):
    assert list(boss.post("/fence", body).json()["errors"]) == ["why"]
    assert not Installation.objects.fenced()
    fenced_by_the_machine()
    assert list(boss.post("/fence/lift", body).json()["errors"]) == ["why"]
    assert Installation.objects.fenced()


def test_neither_act_is_done_twice(boss):
    assert boss.post("/fence/lift", WHY).status_code == 409
    key = {"Idempotency-Key": "once"}
    told = boss.post("/fence", WHY, **key)
    again = boss.post("/fence", WHY, **key)
    assert (again.status_code, again.json()) == (201, told.json())
    assert boss.post("/fence", WHY).status_code == 409
    assert History.objects.filter(verb="fenced").count() == 1


@pytest.mark.parametrize("who", ["north", "taipei", "xinyi", "stranger", "an operator"])
def test_to_others_than_managers_of_the_headquarters_it_is_refused(world, who, due):
    person: Any = (
        world.person(world.hq, Role.OPERATOR) if who == "an operator" else world.people[who]
    )
    api = caller(person)
    for answer in (api.get("/fence"), api.post("/fence", WHY), api.post("/fence/lift", WHY)):
        assert answer.status_code == 403
        assert "Morning" not in answer.content.decode()
    assert Installation.objects.fenced()


def test_a_token_that_only_reads_reads_only(world):
    api = caller(world.people["hq"], "read")
    assert api.get("/fence").status_code == 200
    assert api.post("/fence", WHY).status_code == 403
    assert api.post("/fence/lift", WHY).status_code == 403


def test_much_that_waits_is_asked_for_as_often_as_little(boss, due):
    def asked() -> int:
        with CaptureQueriesContext(connection) as questions:
            assert boss.get("/fence").json()["due"]
        return len(questions)

    boss.get("/fence")  # notes the token's last use
    many = asked()
    Delivery.objects.filter(pk=due[0].pk).update(state="skipped", reason="fenced")
    assert asked() == many
