"""One message at a time at a device, over all workers."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from channels import turns

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
LEASE = timedelta(seconds=30)
DEVICE = "iris:192.168.0.20:3000"
SECOND = timedelta(seconds=1)


@pytest.fixture
def take():
    """Ask for the turn at the device, so many seconds after nine; when it is free otherwise."""

    def ask(holder: UUID, seconds: float = 0.0) -> datetime | None:
        at = NINE + timedelta(seconds=seconds)
        return turns.take(DEVICE, holder, at=at, until=at + LEASE)

    return ask


def test_the_first_one_has_it_and_the_second_is_told_until_when(take):
    assert take(uuid4()) is None
    assert take(uuid4(), 1) == NINE + LEASE


def test_after_the_answer_and_the_pause_it_is_the_next_ones(take):
    first = uuid4()
    take(first)
    turns.end(DEVICE, first, until=NINE + 3 * SECOND)
    assert take(uuid4(), 2.9) == NINE + 3 * SECOND
    assert take(uuid4(), 3) is None


def test_of_a_worker_that_died_it_is_free_when_no_answer_can_come_any_more(take):
    take(uuid4())
    assert take(uuid4(), 29.9) is not None
    assert take(uuid4(), 30) is None


def test_who_holds_it_may_ask_again(take):
    holder = uuid4()
    assert take(holder) is None
    assert take(holder, 1) is None


def test_who_lost_it_does_not_end_anothers(take):
    lost, other = uuid4(), uuid4()
    take(lost)
    take(other, 30)
    turns.end(DEVICE, lost, until=NINE)
    assert take(uuid4(), 31) is not None


def test_each_device_has_its_own(take):
    take(uuid4())
    assert turns.take("another", uuid4(), at=NINE, until=NINE + LEASE) is None
