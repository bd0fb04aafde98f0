"""A worker dies or stands still at each step: what leaves, leaves once, and all is accounted for.

`kill` is SIGKILL at the point. `stop` is the zombie: the worker stands still until its lease has
run out and another has taken over, and then goes on as if nothing had been.
"""

import pytest

from tests.faults.bookings import Bookings, states, wait_for_leases, wait_while_open
from tests.faults.conftest import is_sqlite
from tests.faults.fleet import Fleet, Member
from tests.faults.vendors import Vendors

pytestmark = pytest.mark.django_db(transaction=True)

EACH = 3  # rooms of each channel
BOTH = 2 * EACH
BEFORE_THE_WIRE = ["plan.before_commit", "plan.after_commit", "claim.before_commit",
                   "claim.after_commit", "mark.before", "mark.between"]  # fmt: skip
# From the mark on nobody else can know whether it left: without a key a person is asked.
IN_DOUBT = ["mark.after", f"wire.before:{BOTH}", f"wire.written:{BOTH}", f"wire.answered:{BOTH}",
            "settle.before", "settle.before_commit"]  # fmt: skip
# A worker that goes on from here tells what the channel said, late as it is.
TOLD_LATE = (f"wire.answered:{BOTH}", "settle.before")
SETTLED = ["settle.after_commit"]
ALL = [*BEFORE_THE_WIRE, *IN_DOUBT, *SETTLED]
ON_SQLITE = ("plan.before_commit", "claim.after_commit", "mark.after", f"wire.written:{BOTH}",
             "settle.before_commit")  # fmt: skip
NEVER_LEFT = ("mark.after", "wire.before")
# A transaction that stands still keeps its rows locked: nobody can take them over meanwhile.
HOLDING_LOCKS = ("plan.before_commit", "claim.before_commit", "settle.before_commit")


def run_into(
    failpoint: str, action: str, workers: Fleet, bookings: Bookings, vendors: Vendors
) -> Member:
    """One worker alone comes to the failpoint with a run to both channels."""
    name, _, nth = failpoint.partition(":")
    victim = workers.worker_that_is_up(failpoint=f"{name}:{action}:{nth or 1}")
    bookings.once(vendors.rooms(EACH, EACH))
    victim.wait_for_the_failpoint()
    return victim


@pytest.mark.parametrize("failpoint", ON_SQLITE if is_sqlite() else ALL)
def test_a_worker_is_killed_at(failpoint, workers, bookings, vendors):
    victim = run_into(failpoint, "kill", workers, bookings, vendors)
    assert victim.ended == -9
    workers.worker()
    bookings.wait_until_settled()
    assert bookings.violations() == []
    assert states("line") == ["sent"] * EACH
    assert len(vendors.line.log) == EACH
    check_the_unkeyed(failpoint, vendors)


def check_the_unkeyed(failpoint: str, vendors: Vendors) -> None:
    """Never on the wire: sent by another. In doubt: left to a person."""
    if failpoint in BEFORE_THE_WIRE:
        assert states("webhook") == ["sent"] * EACH
    elif failpoint in IN_DOUBT:
        assert states("webhook") == ["unconfirmed"] * EACH
        left = 0 if failpoint.partition(":")[0] in NEVER_LEFT else EACH
        assert len(vendors.webhook.log) == left
    else:
        assert set(states("webhook")) <= {"sent", "unconfirmed"}
        assert len(vendors.webhook.log) == EACH


@pytest.mark.parametrize("failpoint", ALL)
@pytest.mark.usefixtures("own_server")
def test_a_worker_stands_still_past_its_lease_at(failpoint, workers, bookings, vendors):
    zombie = run_into(failpoint, "stop", workers, bookings, vendors)
    workers.worker_that_is_up()
    wait_for_leases()
    others_could = wait_while_open(5 if failpoint in HOLDING_LOCKS else 40)
    assert others_could or failpoint in HOLDING_LOCKS
    zombie.resume()
    bookings.wait_until_settled()
    assert zombie.terminate() == 0  # whatever it still had in mind, it has done by now
    assert bookings.violations() == []
    assert states("line") == ["sent"] * EACH
    assert len(vendors.line.log) == EACH
    if failpoint in TOLD_LATE:
        assert states("webhook") == ["sent"] * EACH
