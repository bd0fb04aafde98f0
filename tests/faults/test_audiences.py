"""A worker dies in the middle of a run to 1,200 people, which goes as three multicasts."""

from collections import Counter

import pytest

from channels.models import Audience, Recipient
from schedules.models import Delivery, Run
from tests.faults.bookings import states

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 1_200
BATCHES = 3


@pytest.fixture
def audience(vendors):
    """1,200 people of an account whose channel honours keys."""
    unit, account = vendors.unit, vendors.keyed
    people = Recipient.objects.bulk_create(
        Recipient(unit=unit, account=account, address=f"U{number:032x}") for number in range(PEOPLE)
    )
    made = Audience.objects.create(unit=unit, account=account, name="Members")
    made.recipients.set(people)
    return made


@pytest.mark.parametrize(
    "failpoint", ["mark.after", "wire.written:2", "wire.answered:2", "settle.before_commit"]
)
def test_nobody_gets_it_twice_and_nobody_is_left_out(
    failpoint, workers, bookings, vendors, audience
):
    name, _, nth = failpoint.partition(":")
    victim = workers.worker_that_is_up(failpoint=f"{name}:kill:{nth or 1}")
    bookings.once([], audience=audience)
    victim.wait_for_the_failpoint()
    assert victim.ended == -9
    workers.worker()
    bookings.wait_until_settled()
    assert states("line") == ["sent"] * BATCHES
    accepted = Counter(address for message in vendors.line.log for address in message.to)
    assert set(accepted.values()) == {1} and len(accepted) == PEOPLE
    assert len(vendors.line.log) == BATCHES
    assert Run.objects.get().recipients == PEOPLE
    assert Delivery.objects.filter(in_doubt=True).count() == 0
