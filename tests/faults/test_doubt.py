"""An answer that was lost is not forgotten, whatever the later tries are told."""

import pytest

from tests.faults.bookings import states
from tests.processes.machine import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_refusal_after_a_lost_answer_is_no_proof_that_nothing_arrived(workers, bookings, vendors):
    vendors.line.faults.add("accept_then_drop")
    workers.worker_that_is_up()
    bookings.once(vendors.rooms(1, 0))
    wait_until(lambda: vendors.line.log, 30, "the acceptance")
    vendors.line.revoke_tokens()  # every later try is refused with a 401
    bookings.wait_until_settled()
    assert bookings.violations() == []


def test_a_busy_channel_after_a_lost_answer_is_no_proof_either(workers, bookings, vendors):
    vendors.line.faults.add("accept_then_drop")
    workers.worker_that_is_up()
    bookings.once(vendors.rooms(1, 0), max_retries=1)
    wait_until(lambda: vendors.line.log, 30, "the acceptance")
    vendors.stands.line.shut()  # "could not connect": for certain nothing was sent, this time
    bookings.wait_until_settled()
    vendors.heal()
    assert len(vendors.line.log) == 1
    assert states("line") != ["failed"]
    assert bookings.violations() == []
