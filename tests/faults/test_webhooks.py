"""A worker dies between what happened and telling it: other systems hear of each result."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from channels.actions import webhooks as acts
from channels.models import Fact, FactKind, WebhookDelivery
from tests.fakes.receiver import Receiver
from tests.fakes.serving import in_thread
from tests.faults.bookings import Bookings
from tests.faults.fleet import Fleet
from tests.faults.vendors import Vendors
from tests.processes.machine import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

RUNS = 3


@pytest.fixture
def receiver(world: Any) -> Any:
    fake = Receiver()
    with in_thread(fake) as url:
        values = {"unit": world.hq, "name": "CRM", "url": url, "events": [FactKind.SENT]}
        webhook = acts.add(values, by=world.people["hq"], url_problem="")
        webhook.told_from -= timedelta(minutes=1)
        webhook.save()
        fake.secrets.append(webhook.secrets["secret"])
        yield fake


def are_delivered() -> bool:
    told = WebhookDelivery.objects.filter(state="delivered").count()
    return told == Fact.objects.count() == RUNS


@pytest.mark.parametrize(
    "failpoint",
    ["settle.before_commit", "settle.after_commit", "spread.before_commit", "spread.after_commit",
     "post.answered"],
)  # fmt: skip
def test_a_worker_that_dies_before_it_has_told_loses_nothing(
    failpoint: str, workers: Fleet, bookings: Bookings, vendors: Vendors, receiver: Receiver
) -> None:
    victim = workers.worker_that_is_up(failpoint=f"{failpoint}:kill:1")
    schedules = [bookings.once(vendors.rooms(1, 0)) for _ in range(RUNS)]
    victim.wait_for_the_failpoint()
    workers.worker()
    bookings.wait_until_settled()
    # What a dead worker had in its hold is told by another when that has run out.
    wait_until(are_delivered, 120, "the delivery of every fact")
    heard = Counter(heard.body["data"]["schedule"] for heard in receiver.log)
    assert set(heard) == {schedule.pk for schedule in schedules}
    assert len({one.message_id for one in receiver.log}) == RUNS
    assert heard.total() == RUNS or failpoint == "post.answered"
