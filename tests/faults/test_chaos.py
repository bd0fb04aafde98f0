"""All at random, for a while; then all is healed, and the checker has nothing to say.

CHAOS_SECONDS and CHAOS_SEED choose how long and which; the seed is printed.
"""

import os
import random
import sys
from functools import partial

import pytest

from tests.faults.chaos import DRAIN_SECONDS, Chaos

SECONDS = float(os.environ.get("CHAOS_SECONDS", "60"))
SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
KINDS = ("(keyed", "(unkeyed")
MOST_ROUNDS = 5

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(SECONDS + DRAIN_SECONDS + 120),
]


@pytest.fixture
def chaos(workers, bookings, own_server, redis_server, picture):
    return partial(Chaos, SEED, workers, bookings, own_server, redis_server, picture)


def test_everything_at_random_sends_once_and_loses_nothing(chaos, bookings, capsys):
    run = chaos()
    try:
        run.run(SECONDS)
    finally:
        with capsys.disabled():
            sys.stdout.write(f"\nchaos: {run.summary()}\n")
    assert bookings.violations() == [], "\n".join([f"seed {SEED}", *run.diary])
    # Beat ends itself when it cannot read the database; it is the supervisor's to start again.
    assert [name for name in run.died_by_themselves if name.startswith("worker")] == []


def test_a_naive_sender_does_not_pass_the_same_chaos(chaos, bookings):
    naive = chaos(naive=("new_key_each_time", "resend_in_doubt"))
    found: list[str] = []
    for _ in range(MOST_ROUNDS):  # one of twenty seconds may miss one of the two by chance
        naive.run(20.0)
        found = bookings.violations()
        if all(any("accepted" in line and kind in line for line in found) for kind in KINDS):
            return
    pytest.fail(f"seed {SEED}: {found}")
