"""`manage.py send_test`: one message on the way that all take."""

import pytest

from channels.models import Account, Room, SandboxMessage
from schedules.management.commands import send_test
from schedules.models import Delivery, Run, Schedule

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def workers(monkeypatch, dispatch):
    """While the command waits, workers work."""
    monkeypatch.setattr(send_test.time, "sleep", lambda _seconds: dispatch())


def behave(how: str) -> None:
    Account.objects.update(config={"behaviour": how, "honours_key": "no"})


def test_it_arrives_in_the_room_and_says_so(world, manage):
    said = manage("send_test", "--room", world.test_room.pk, "--text", "Do you hear me?", "--json")
    assert said.status == 0
    assert said.json["state"] == "sent"
    assert said.json["room"] == "Xinyi test"
    assert SandboxMessage.objects.get().body["text"] == "Do you hear me?"
    assert Run.objects.get().state == "sent"


def test_an_address_that_is_new_becomes_a_test_room(world, manage):
    words = ("send_test", "--account", "Sandbox", "--address", "lab")
    assert manage(*words).status == 0
    room = Room.objects.get(address="lab")
    assert (room.kind, room.unit, room.account) == ("test", world.hq, world.sandbox)
    assert Delivery.objects.get().room == room


def test_an_address_that_is_known_is_that_room(world, manage):
    before = Room.objects.count()
    address = world.test_room.address
    assert manage("send_test", "--account", "Sandbox", "--address", address).status == 0
    assert Room.objects.count() == before
    assert Delivery.objects.get().room == world.test_room


@pytest.mark.parametrize(("how", "state"), [("refuse", "failed"), ("lose", "unconfirmed")])
def test_what_did_not_arrive_for_certain_is_status_1(world, manage, monkeypatch, how, state):
    monkeypatch.setattr("channels.adapters.sandbox.HANG_SECONDS", 0.01)
    behave(how)
    said = manage("send_test", "--room", world.test_room.pk, "--json")
    assert (said.status, said.json["state"]) == (1, state)
    assert said.json["error"]


def test_what_is_still_under_way_when_the_time_is_over_is_said(world, manage, monkeypatch):
    monkeypatch.setattr(send_test.time, "sleep", lambda _seconds: None)
    said = manage("send_test", "--room", world.test_room.pk, "--wait", 0)
    assert (said.status, "state: planned" in said.out) == (1, True)
    assert "No worker shows signs of life" in said.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--room", "0"], "There is no room 0."),
        (["--account", "Sandbox"], "--account and --address go together."),
        (["--account", "nobody", "--address", "lab"], "There is no account “nobody”."),
    ],
)
def test_what_cannot_be_sent_to_is_named(world, manage, words, why):
    said = manage("send_test", *words)
    assert said.status == 2
    assert why in said.err


def test_what_is_refused_leaves_nothing_behind(world, manage):
    Account.objects.update(is_active=False)
    said = manage("send_test", "--account", "Sandbox", "--address", "lab")
    assert (said.status, "inactive" in said.err) == (2, True)
    assert not Schedule.objects.exists()
    assert not Room.objects.filter(address="lab").exists()
