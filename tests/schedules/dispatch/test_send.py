"""Handing over: at the second, with a lease that outlives the answer."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from channels.models import Account, Room, SandboxMessage
from orgs.clock import database_now
from schedules.dispatch.clock import Clock
from schedules.dispatch.send import ON_THE_WIRE, Senders
from schedules.models import Delivery
from tests.fakes.line import ACCESS_TOKEN, CHANNEL_ID, CHANNEL_SECRET, LineFake
from tests.fakes.serving import serving
from tests.schedules.conftest import on_the_wire
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db(transaction=True)


def hand_over(claimed, lease: timedelta):
    clock = Clock()
    clock.set_by_database()
    now = database_now()

    async def main():
        senders = Senders(clock)
        outcome = await senders.hand_over(claimed, claimed.next_try_at, now + lease)
        await senders.close()
        return outcome

    return asyncio.run(main())


@pytest.fixture
def claimed(planned):
    planned()
    past = database_now() - timedelta(seconds=1)
    Delivery.objects.update(due_at=past, next_try_at=past)
    return on_the_wire(past)[0]


def test_a_message_is_handed_over_not_before_its_time(claimed):
    due_at = database_now() + timedelta(seconds=0.4)
    outcome = hand_over(replace(claimed, next_try_at=due_at), timedelta(seconds=30))
    assert due_at <= outcome.handed_at <= database_now()
    assert SandboxMessage.objects.count() == 1


def test_a_worker_that_slept_through_its_lease_sends_nothing(claimed):
    assert hand_over(claimed, timedelta(seconds=5)) is None
    assert not SandboxMessage.objects.exists()


def test_secrets_that_the_vendor_replaced_are_stored_once_and_not_over_a_persons(world):
    account = world.sandbox
    account.secrets = {"refresh_token": "old", "client_secret": "kept"}
    account.save()

    async def main():
        senders = Senders(Clock())
        adapter = senders.adapter(account)
        assert senders.renewed() == []
        adapter.renewed["refresh_token"] = "new"
        found = senders.renewed()
        assert senders.renewed() == []
        await senders.close()
        return found

    ((owner, values),) = asyncio.run(main())
    assert owner.renew_secrets(values)
    stored = Account.objects.get(pk=owner.pk)
    assert stored.secrets == {"refresh_token": "new", "client_secret": "kept"}
    assert not owner.renew_secrets({"refresh_token": "late"})
    assert Account.objects.get(pk=owner.pk).secrets["refresh_token"] == "new"


@pytest.mark.enable_socket
def test_an_account_whose_requests_hang_keeps_no_other_of_its_host_waiting(
    world, line_account, planned, settings
):
    """All accounts of a vendor are behind one host; each has its own part of the wire."""
    hung = Account.objects.create(unit=world.hq, name="Hung", kind="line")
    hung.secrets = {"access_token": ACCESS_TOKEN}
    (one,) = planned_for(line_account, world, planned)
    fake = LineFake(rates={})
    fake.faults.add("hang_never_accept", times=ON_THE_WIRE, seconds=30)
    clock = Clock()
    clock.set_by_database()

    async def main():
        async with serving(fake) as settings.TEIJI_LINE_API_HOST:
            senders = Senders(clock)
            lease = one.next_try_at + timedelta(minutes=1)
            of_the_hung = replace(one, account=hung)
            tasks = [
                asyncio.create_task(senders.hand_over(of_the_hung, one.next_try_at, lease))
                for _ in range(ON_THE_WIRE)
            ]
            while fake.faults.waiting:
                await asyncio.sleep(0.01)
            async with asyncio.timeout(5):
                outcome = await senders.hand_over(one, one.next_try_at, lease)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await senders.close()
            return outcome

    assert asyncio.run(main()).receipt


@pytest.mark.enable_socket
def test_what_waits_for_its_token_has_not_left(world, line_account, planned, settings):
    """Its lateness would be shown as less than it is."""
    line_account.config = {"channel_id": CHANNEL_ID}
    line_account.secrets = {"channel_secret": CHANNEL_SECRET}
    line_account.save()
    (one,) = planned_for(line_account, world, planned)
    way = timedelta(seconds=0.3)
    clock = Clock()
    clock.set_by_database()

    async def main():
        async with serving(LineFake(latency=way.total_seconds())) as settings.TEIJI_LINE_API_HOST:
            senders = Senders(clock)
            began = clock.now()
            outcome = await senders.hand_over(one, began, began + timedelta(minutes=1))
            await senders.close()
            return began, outcome

    began, outcome = asyncio.run(main())
    assert outcome.receipt
    assert outcome.handed_at >= began + way


def planned_for(account, world, planned):
    room = Room.objects.create(
        unit=world.xinyi, account=account, name="Lobby", address=f"C{1:032x}", **UNLIMITED
    )
    planned(rooms=[room])
    past = database_now() - timedelta(seconds=1)
    Delivery.objects.update(due_at=past, next_try_at=past)
    return on_the_wire(past)
