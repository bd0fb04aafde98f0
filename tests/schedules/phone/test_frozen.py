"""What is frozen stays in the phone's queue, and holds up no other room."""

from itertools import count

import pytest
from django.test import Client
from django.urls import reverse

from channels.models import PulledMessage, Room
from schedules.actions.freeze import freeze, unfreeze
from schedules.actions.pause_run import pause_run, resume_run
from tests.schedules.phone.conftest import TOKEN
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fetched(account):
    """What the phone is given next; it says at once that it typed it."""
    numbers = count()
    client, token = Client(), {"Authorization": f"Bearer {TOKEN}"}

    def fetch() -> str | None:
        account.config = account.config | {"pause_seconds": "1"}
        name = {"Teiji-Fetch": f"fetch-{next(numbers):04}"}
        given = client.get(reverse("pull-next", args=[account.hook]), headers=token | name).json()
        if given["id"]:
            said = {"id": given["id"], "shown": True}
            url = reverse("pull-ack", args=[account.hook])
            client.post(url, said, content_type="application/json", headers=token)
        return given.get("text")

    return fetch


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    """The phone may fetch again at once: its pause is not what is tested here."""
    monkeypatch.setattr("channels.adapters.messengerbot.MessengerBotConfig.pause", 0)


@pytest.fixture
def southern(world, account) -> Room:
    return Room.objects.create(
        **UNLIMITED, unit=world.tainan, account=account, name="South", address="남쪽방"
    )


def test_a_frozen_room_at_the_head_is_stepped_over_and_keeps_its_order(
    world, send, southern, fetched
):
    for text in ("north 1", "north 2"):
        send(text)
    for text in ("south 1", "south 2"):
        send(text, rooms=[southern], unit=world.tainan)
    row = freeze(world.xinyi, by=world.people["hq"], why="wrong prices")
    assert [fetched(), fetched(), fetched()] == ["south 1", "south 2", None]
    unfreeze(row, by=world.people["hq"], why="mended")
    assert [fetched(), fetched(), fetched()] == ["north 1", "north 2", None]


def test_of_a_frozen_account_nothing_is_given_out(world, account, send, fetched):
    send("one")
    freeze(account, by=world.people["hq"], why="wrong prices")
    assert fetched() is None


def test_a_paused_run_is_not_given_out_and_holds_up_no_other(world, send, fetched):
    paused = send("paused").run
    send("goes on")
    pause_run(paused, by=world.people["hq"])
    assert [fetched(), fetched()] == ["goes on", None]
    resume_run(paused, by=world.people["hq"])
    assert [fetched(), fetched()] == ["paused", None]


def test_all_parts_of_a_paused_run_are_held(world, send, fetched):
    run = send("first", order="text_first").run
    pause_run(run, by=world.people["hq"])
    assert fetched() is None


def test_what_stays_paused_is_withdrawn_when_its_time_has_passed(world, send, fetched, settled):
    delivery = send("too late")
    pause_run(delivery.run, by=world.people["hq"])
    PulledMessage.objects.update(fetch_by=delivery.due_at)
    settled(delivery)
    resume_run(delivery.run, by=world.people["hq"])
    assert fetched() is None
