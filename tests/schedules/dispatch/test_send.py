"""Handing over: at the second, with a lease that outlives the answer."""

import asyncio
from datetime import timedelta

import pytest

from channels.models import Account, SandboxMessage
from orgs.clock import database_now
from schedules.dispatch.clock import Clock
from schedules.dispatch.send import Senders
from schedules.models import Delivery
from tests.schedules.conftest import on_the_wire

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
    outcome = hand_over(claimed, timedelta(seconds=30))
    assert outcome.handed_at >= claimed.next_try_at
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
