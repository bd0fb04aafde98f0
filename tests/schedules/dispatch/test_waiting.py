"""Accounts take turns, and none fills a worker alone."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from channels.models import Account
from schedules.dispatch.claim import Claimed
from schedules.dispatch.slots import Slots
from schedules.dispatch.waiting import Waiting
from tests.schedules.conftest import claim_at

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def one(planned) -> Claimed:
    (delivery,) = planned()
    return claim_at(delivery.due_at)[0]


def some(one: Claimed, account: int, count: int, **values) -> list[Claimed]:
    """Copies of a claim, as if they were another account's."""
    owner = Account(pk=account, kind="sandbox")
    return [replace(one, id=account * 1000 + n, account=owner, **values) for n in range(count)]


def accounts(taken: list[Claimed]) -> list[int]:
    return [delivery.account.pk for delivery in taken]


def test_accounts_take_turns(one):
    waiting = Waiting()
    waiting.add([*some(one, 1, 4), *some(one, 2, 2)])
    assert accounts(waiting.take(one.due_at, Slots(100))) == [1, 2, 1, 2, 1, 1]
    assert not waiting


def test_what_is_not_due_is_left(one):
    waiting = Waiting()
    later = some(one, 1, 1, next_try_at=one.due_at + SECOND)
    waiting.add([*later, *some(one, 2, 1)])
    assert accounts(waiting.take(one.due_at, Slots(100))) == [2]
    assert waiting.soonest() == one.due_at + SECOND


def test_of_one_account_and_time_the_higher_priority_goes_first(one):
    waiting = Waiting()
    low, high = some(one, 1, 2)
    waiting.add([replace(low, priority=10), replace(high, priority=90)])
    assert [d.priority for d in waiting.take(one.due_at, Slots(100))] == [90, 10]


def test_an_account_alone_fills_half_of_the_slots(one):
    waiting, slots = Waiting(), Slots(100)
    waiting.add(some(one, 1, 200))
    assert len(waiting.take(one.due_at, slots)) == 50
    assert slots.free == 50


@pytest.mark.parametrize("hanging", [1, 2, 5, 20])
def test_a_newcomer_finds_a_slot_however_many_channels_hang(one, hanging):
    waiting, slots = Waiting(), Slots(200)
    for account in range(1, hanging + 1):
        waiting.add(some(one, account, 200))
    waiting.take(one.due_at, slots)
    waiting.add(some(one, 99, 3))
    assert accounts(waiting.take(one.due_at, slots)).count(99) == 3


def test_an_account_that_may_have_less_than_others_fills_no_more(one):
    waiting, slots = Waiting(), Slots(100)
    slots.most[1] = 10
    waiting.add([*some(one, 1, 200), *some(one, 2, 200)])
    taken = accounts(waiting.take(one.due_at, slots))
    assert taken.count(1) == 10
    assert taken.count(2) == 45
    assert slots.left_for(1) == 0


def test_slots_that_are_emptied_can_be_filled_again(one):
    waiting, slots = Waiting(), Slots(10)
    waiting.add(some(one, 1, 10))
    assert len(waiting.take(one.due_at, slots)) == 5
    for _ in range(5):
        slots.empty(1)
    assert (len(slots), slots.filled) == (0, {})
    assert len(waiting.take(one.due_at, slots)) == 5


def test_what_its_limit_holds_back_waits_until_it_may_ask_again(one):
    waiting, slots = Waiting(), Slots(100)
    waiting.put_back(some(one, 1, 2), one.due_at + SECOND)
    assert waiting.take(one.due_at, slots) == []
    assert waiting.soonest() == one.due_at + SECOND
    assert len(waiting.take(one.due_at + SECOND, slots)) == 2


def test_those_that_still_wait_after_their_time_are_known(one):
    waiting = Waiting()
    waiting.add(some(one, 1, 2))
    assert waiting.overdue(one.due_at) == []
    assert len(waiting.overdue(one.due_at + SECOND)) == 2
    assert len(waiting.take_all()) == 2
    assert waiting.soonest() is None


def test_a_newer_claim_of_the_same_delivery_takes_the_place_of_the_older(one):
    waiting, slots = Waiting(), Slots(10)
    (older,) = some(one, 1, 1)
    newer = replace(older, token=uuid4())
    waiting.add([older])
    waiting.add([newer])
    assert waiting.take(one.due_at, slots) == [newer]
    assert (len(waiting), len(slots)) == (0, 1)


def test_an_older_claim_that_is_put_back_does_not_displace_the_newer(one):
    """The worker stood still while its limits were asked, and has claimed it again since."""
    waiting, slots = Waiting(), Slots(100)
    waiting.add([one])
    taken = waiting.take(one.due_at, slots)
    newer = replace(one, token=uuid4())
    waiting.add([newer])
    waiting.put_back(taken, one.due_at)
    assert waiting.take(one.due_at, slots) == [newer]
    assert not waiting
