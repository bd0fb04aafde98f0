"""The suite has teeth: a sender that leaves one thing out is found out by the same runs."""

import pytest

from tests.faults.bookings import wait_for_leases, wait_while_open
from tests.processes.machine import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

EACH = 3
BOTH = 2 * EACH


@pytest.mark.parametrize(
    ("naive", "failpoint", "verdict"),
    [
        ("new_key_each_time", f"wire.written:kill:{BOTH}", "accepted 2 times: keyed"),
        ("resend_in_doubt", f"wire.written:kill:{BOTH}", "accepted 2 times: unkeyed"),
        ("no_lease", "claim.after_commit:kill", "without an end"),
        ("sent_before_sending", f"wire.before:kill:{BOTH}", "sent, but not accepted"),
        ("blind_mark", "mark.before:stop", "accepted 2 times: unkeyed"),
    ],
)
@pytest.mark.usefixtures("own_server")
def test_a_sender_without_it_is_found_out(naive, failpoint, verdict, workers, bookings):
    victim = workers.worker_that_is_up(failpoint, naive=(naive,))
    bookings.once(bookings.vendors.rooms(EACH, EACH))
    victim.wait_for_the_failpoint()
    workers.worker_that_is_up(naive=(naive,))
    wait_for_leases()
    wait_while_open(10)
    victim.resume()
    if victim.ended is None:
        victim.terminate()
    found = bookings.violations()
    words, _, kind = verdict.partition(": ")
    assert [line for line in found if line.startswith(words) and f"({kind}" in line], found


@pytest.mark.usefixtures("own_server")
def test_a_sender_that_believes_its_own_clock_is_found_out(workers, bookings, vendors):
    workers.worker_that_is_up(naive=("own_clock",), minutes_ahead=2)
    bookings.once(vendors.rooms(EACH, EACH), 60)
    wait_until(lambda: len(vendors.accepted) == BOTH, 40, "the messages")
    bookings.wait_until_settled()
    early = [line for line in bookings.violations() if " early: " in line]
    assert len(early) >= BOTH, bookings.violations()


@pytest.mark.usefixtures("own_server")
def test_claims_without_a_compare_and_set_are_found_out(workers, bookings, vendors):
    naive = ("blind_claim", "blind_mark", "new_key_each_time")
    members = [workers.worker(naive=naive) for _ in range(3)]
    workers.wait_until_up(*members)
    for _ in range(4):
        bookings.once(vendors.rooms(EACH, EACH), 3)
    wait_until(lambda: len(vendors.accepted) >= 4 * BOTH, 40, "the messages")
    for member in members:
        member.terminate()
    found = bookings.violations()
    assert any("accepted" in line and "(keyed" in line for line in found), found
    assert any("accepted" in line and "(unkeyed" in line for line in found), found
