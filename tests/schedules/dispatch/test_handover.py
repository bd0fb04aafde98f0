"""How far ahead of the wire the pump marks, at a channel that takes its time to answer."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from channels.adapters.base import Receipt
from channels.adapters.sandbox import SandboxAdapter
from channels.models import Account, Room
from orgs.clock import database_now
from schedules.actions.fence import Trouble, own_installation, put_up
from schedules.actions.freeze import freeze
from schedules.actions.pause_run import pause_run
from schedules.dispatch import handover, pace, send
from schedules.dispatch.brake import LOOK_EVERY, Brake
from schedules.dispatch.clock import Clock
from schedules.dispatch.fence import Fence
from schedules.dispatch.handover import Handover
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.send import Senders
from schedules.models import Delivery, Installation, Run
from tests.schedules.conftest import claim_at
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db

AT_ONCE = 2  # requests of one account on the wire
ROOMS = 6
PATIENCE = 10  # seconds for what takes milliseconds


class SetClock(Clock):
    """Stands still at a moment until it is set to another."""

    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


@dataclass
class Pump:
    """A handover whose channel answers when `answer` is set."""

    clock: SetClock
    arrived: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    noted: set[asyncio.Future[None]] = field(default_factory=set)
    is_leaving: Callable[[], bool] = bool

    def run(self, claimed: Any, meanwhile: Callable[["Pump"], Awaitable[None]]) -> None:
        """Hand these over; end when `meanwhile` has."""
        async_to_sync(self._run)(claimed, meanwhile)

    async def marked(self) -> int:
        return await sync_to_async(Delivery.objects.filter(wire_at__isnull=False).count)()

    async def until(self, count: int) -> None:
        """So many have arrived, and no more come."""
        async with asyncio.timeout(PATIENCE):
            while len(self.arrived) < count:
                await asyncio.sleep(0.005)
        await asyncio.sleep(handover.WIRE_PAUSE * 2)
        assert len(self.arrived) == count

    async def answers(self, count: int) -> None:
        """So many answers have been taken in."""
        async with asyncio.timeout(PATIENCE):
            while len(self.outcomes) < count:
                await asyncio.sleep(0.005)

    async def _run(self, claimed: Any, meanwhile: Callable[["Pump"], Awaitable[None]]) -> None:
        senders = Senders(self.clock)
        pump = Handover(Fence(self.clock), senders, self._persist, self._take_in)
        self.is_leaving = pump.is_leaving
        pump.add(claimed)
        running = asyncio.create_task(pump.run())
        try:
            await meanwhile(self)
        finally:
            self.answer.set()
            pump.stop()
            async with asyncio.timeout(PATIENCE):
                await running
                await pump.finish()
                await asyncio.gather(*self.noted)
            await senders.close()

    def _take_in(self, outcome: Outcome) -> None:
        self.noted.add(asyncio.ensure_future(self._note(outcome)))

    async def _note(self, outcome: Outcome) -> None:
        await sync_to_async(pace.note_answers)([outcome])
        self.outcomes.append(outcome)

    async def _persist(self, _kind: str, work: Callable[..., Any], *args: Any) -> Any:
        return await sync_to_async(work)(*args)


@pytest.fixture
def rooms(world) -> list[Room]:
    add = Room.objects.create
    return [
        add(unit=world.xinyi, account=world.sandbox, name=f"Room {n}", address=f"r{n}", **UNLIMITED)
        for n in range(ROOMS)
    ]


@pytest.fixture
def pump(planned, rooms, monkeypatch) -> Pump:
    """For one message to six rooms, of which two at once may be on the wire."""
    (delivery, *_) = planned(rooms=rooms)
    pump = Pump(SetClock(delivery.due_at))

    async def answer_later(_self, target, _payload, _key) -> Receipt:
        pump.arrived.append(target.address)
        await pump.answer.wait()
        return Receipt(status=200)

    monkeypatch.setattr(SandboxAdapter, "send", answer_later)
    for module in (send, handover):
        monkeypatch.setattr(module, "ON_THE_WIRE", AT_ONCE)
    return pump


def test_with_a_key_all_are_marked_while_the_wire_is_full(pump):
    async def meanwhile(pump: Pump) -> None:
        await pump.until(AT_ONCE)
        assert await pump.marked() == ROOMS
        pump.answer.set()
        await pump.until(ROOMS)

    pump.run(claim_at(pump.clock.moment), meanwhile)
    assert sorted(pump.arrived) == [f"r{n}" for n in range(ROOMS)]
    assert [outcome.error for outcome in pump.outcomes] == [None] * ROOMS


def test_what_is_marked_but_finds_no_place_on_the_wire_is_still_leaving(pump):
    """Until it has, the answers to the others may wait to be written."""

    async def meanwhile(pump: Pump) -> None:
        await pump.until(AT_ONCE)
        assert pump.is_leaving()
        pump.answer.set()
        await pump.answers(ROOMS)
        assert not pump.is_leaving()

    pump.run(claim_at(pump.clock.moment), meanwhile)


def test_without_a_key_only_what_leaves_at_once_is_marked(pump):
    Account.objects.update(config={"honours_key": "no"})

    async def meanwhile(pump: Pump) -> None:
        await pump.until(AT_ONCE)
        assert await pump.marked() == AT_ONCE
        pump.answer.set()
        await pump.until(ROOMS)

    pump.run(claim_at(pump.clock.moment), meanwhile)
    assert sorted(pump.arrived) == [f"r{n}" for n in range(ROOMS)]


def test_what_was_marked_and_waited_until_its_lease_ran_short_is_given_back(pump, settings):
    async def meanwhile(pump: Pump) -> None:
        await pump.until(AT_ONCE)
        pump.clock.moment += timedelta(seconds=settings.TEIJI_WIRE_SECONDS)
        pump.answer.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while await pump.marked() > AT_ONCE:
                    await asyncio.sleep(0.005)

    pump.run(claim_at(pump.clock.moment), meanwhile)
    assert len(pump.arrived) == len(pump.outcomes) == AT_ONCE
    given_back = Delivery.objects.filter(state="planned")
    assert list(given_back.values_list("crashes", "claim", "wire_at")) == [(0, None, None)] * (
        ROOMS - AT_ONCE
    )


def test_who_stops_hands_over_what_was_marked_and_nothing_else(pump):
    Account.objects.update(config={"honours_key": "no"})

    async def meanwhile(pump: Pump) -> None:
        await pump.until(AT_ONCE)

    pump.run(claim_at(pump.clock.moment), meanwhile)
    assert len(pump.arrived) == len(pump.outcomes) == AT_ONCE


@pytest.fixture
def device(pump, monkeypatch, settings) -> Pump:
    """The same, where the channel takes one message at a time and then needs a moment."""
    settings.TEIJI_LEASE_SECONDS = 600  # nobody renews the claims here
    Account.objects.update(config={"honours_key": "no"})
    monkeypatch.setattr(SandboxAdapter, "serial", True)
    monkeypatch.setattr(SandboxAdapter, "pause_after", lambda _self, _payload: 3.0)
    monkeypatch.setattr(pace, "TURN_EVERY", timedelta(0))
    return pump


def test_a_device_gets_one_message_at_a_time_and_its_pause(device):
    async def meanwhile(pump: Pump) -> None:
        for count in range(1, ROOMS + 1):
            await pump.until(count)
            assert await pump.marked() == count
            pump.answer.set()
            await pump.answers(count)
            pump.answer.clear()
            pump.clock.moment += timedelta(seconds=2.9)
            await pump.until(count)
            pump.clock.moment += timedelta(seconds=0.1)

    device.run(claim_at(device.clock.moment), meanwhile)
    assert len(device.outcomes) == ROOMS


def test_two_workers_do_not_overlap_at_one_device(device):
    claimed = claim_at(device.clock.moment)
    other = Pump(device.clock, device.arrived)

    async def meanwhile(pump: Pump) -> None:
        await pump.until(1)
        await sync_to_async(other.run)(claimed[3:], nobody_else)

    async def nobody_else(pump: Pump) -> None:
        await asyncio.sleep(handover.WIRE_PAUSE * 2)
        assert len(pump.arrived) == 1

    device.run(claimed[:3], meanwhile)
    assert len(device.arrived) == 1


def _freeze(world):
    freeze(world.xinyi, by=world.people["hq"], why="wrong prices")


def _pause(world):
    pause_run(Run.objects.get(), by=world.people["xinyi"])


def _stop(_world):
    Account.objects.get().stop("No more this month", database_now(), spent=True)


def _fence(_world):
    put_up(Trouble(Installation.Reason.BY_HAND, "wrong prices"), now=database_now())


@pytest.mark.parametrize("forbid", [_freeze, _pause, _stop, _fence])
def test_what_is_marked_and_waits_for_the_wire_is_held_back(pump, world, forbid):
    async def meanwhile(pump: Pump) -> None:
        await pump.until(AT_ONCE)
        await sync_to_async(forbid)(world)
        await asyncio.sleep(LOOK_EVERY * 2)
        pump.answer.set()
        async with asyncio.timeout(PATIENCE):
            while await pump.marked() > AT_ONCE:
                await asyncio.sleep(0.005)

    own_installation()
    pump.run(claim_at(pump.clock.moment), meanwhile)
    assert len(pump.arrived) == len(pump.outcomes) == AT_ONCE
    given_back = Delivery.objects.filter(state="planned", claim=None, wire_at=None)
    assert given_back.count() == ROOMS - AT_ONCE


def test_a_freeze_of_others_holds_back_nothing_that_is_marked(pump, world):
    async def meanwhile(pump: Pump) -> None:
        await pump.until(AT_ONCE)
        await sync_to_async(freeze)(world.south, by=world.people["hq"], why="wrong prices")
        await asyncio.sleep(LOOK_EVERY * 2)
        pump.answer.set()
        await pump.until(ROOMS)

    pump.run(claim_at(pump.clock.moment), meanwhile)


def test_what_was_marked_beside_a_look_is_asked_for_at_the_next(pump, world):
    """A freeze may come between a mark and the moment at which the worker knows of it."""
    first, *others = claim_at(pump.clock.moment)
    freeze(world.xinyi, by=world.people["hq"], why="wrong prices")
    brake = Brake()
    assert brake.held_among([first]) == {first.id}
    assert brake.held_among([first, *others]) == {delivery.id for delivery in others}
