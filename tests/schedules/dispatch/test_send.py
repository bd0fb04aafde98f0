"""Handing over: at the second, with a lease that outlives the answer."""

import asyncio
from datetime import timedelta

import pytest

from channels.models import SandboxMessage
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
