"""A worker takes in what channels told; a room that the bot has left gets nothing."""

import asyncio
from datetime import timedelta

import pytest

from channels.adapters.base import EventKind, later
from channels.adapters.sandbox import SandboxAdapter
from channels.hearing import due_events
from channels.models import InboundEvent, Room
from schedules.dispatch.clock import Clock
from schedules.dispatch.hear import names_of, take_in
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.send import Senders
from schedules.models import Delivery
from tests.schedules.conftest import claim_at, on_the_wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(world):
    def store(kind: EventKind, address: str, at) -> list[InboundEvent]:
        InboundEvent.objects.create(
            account=world.sandbox, event_id=address, kind=kind, address=address,
            happened_at=at, received_at=at,
        )  # fmt: skip
        return due_events(at)

    return store


async def ask_for_names(events) -> dict[int, str]:
    senders = Senders(Clock())
    try:
        return await names_of(events, senders)
    finally:
        await senders.close()


def test_rooms_are_called_as_the_channel_calls_them(told, now, monkeypatch):
    async def describe(_self, address: str) -> str:
        return f"Named {address}"

    monkeypatch.setattr(SandboxAdapter, "describe", describe)
    events = told(EventKind.JOINED, "group", now)
    names = asyncio.run(ask_for_names(events))
    take_in(events, names, now)
    assert Room.objects.get(address="group").name == "Named group"


def test_a_channel_that_gives_no_name_holds_nothing_up(told, now, monkeypatch):
    async def describe(_self, _address: str) -> str:
        raise later("busy")

    monkeypatch.setattr(SandboxAdapter, "describe", describe)
    events = told(EventKind.JOINED, "group", now)
    names = asyncio.run(ask_for_names(events))
    take_in(events, names, now)
    assert Room.objects.filter(address="group").exists()


def test_a_room_that_the_bot_has_left_gets_nothing_and_the_log_says_why(planned, told, world):
    (delivery,) = planned()
    take_in(told(EventKind.LEFT, world.room.address, delivery.due_at), {}, delivery.due_at)
    claimed = claim_at(delivery.due_at)
    marked, barred, _lease = mark_wire(claimed, delivery.due_at)
    assert (marked, barred) == (set(), {delivery.pk: "left"})


def test_what_a_room_has_just_shown_is_asked_about_at_once(planned, told, world):
    (delivery,) = planned()
    on_the_wire(delivery.due_at)
    soon = delivery.due_at + timedelta(seconds=1)
    later_on = delivery.due_at + timedelta(seconds=15)
    Delivery.objects.update(state="unconfirmed", claim=None, confirm_at=later_on)
    take_in(told(EventKind.ECHO, world.room.address, soon), {}, soon)
    assert Delivery.objects.get().confirm_at == soon
