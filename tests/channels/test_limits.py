"""An account's rate holds over all workers together."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.limits import AHEAD_SECONDS, BURST_SECONDS, book, hold
from channels.models import Pace

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


def most_within_a_second(times: list[datetime]) -> int:
    """The most requests that leave within any one second."""
    return max(sum(0 <= (b - a).total_seconds() < 1 for b in times) for a in times)


def test_a_burst_leaves_at_once(world):
    booking = book(world.sandbox.pk, "push", rate=100, wanted=50, now=NINE)
    assert len(booking.times) == 50
    assert max(booking.times) <= NINE


def test_what_is_more_than_the_burst_is_spread_at_the_rate(world):
    booking = book(world.sandbox.pk, "push", rate=100, wanted=1000, now=NINE)
    late = [moment for moment in booking.times if moment > NINE]
    assert len(booking.times) == pytest.approx(100 * (BURST_SECONDS + AHEAD_SECONDS), abs=1)
    assert late[-1] - late[0] == pytest.approx(timedelta(seconds=AHEAD_SECONDS), abs=0.02 * SECOND)
    assert NINE < booking.ask_again_at < after(AHEAD_SECONDS)


def test_nobody_books_far_ahead(world):
    book(world.sandbox.pk, "push", rate=100, wanted=1000, now=NINE)
    booking = book(world.sandbox.pk, "push", rate=100, wanted=1000, now=NINE)
    assert len(booking.times) <= 1  # one falls on the very limit
    assert book(
        world.sandbox.pk, "push", rate=100, wanted=1000, now=booking.ask_again_at
    ).times  # and whoever asks again when told finds some


def test_accounts_and_endpoints_do_not_share_a_rate(world):
    book(world.sandbox.pk, "push", rate=100, wanted=1000, now=NINE)
    assert len(book(world.sandbox.pk, "multicast", rate=100, wanted=10, now=NINE).times) == 10


def test_a_rate_of_less_than_one_a_second_lets_one_through(world):
    first = book(world.sandbox.pk, "push", rate=0.1, wanted=5, now=NINE)
    assert len(first.times) == 1
    assert first.ask_again_at > after(5)


def test_a_channel_that_says_too_much_is_left_alone_until_then(world):
    hold(world.sandbox.pk, "push", after(1))
    assert list(book(world.sandbox.pk, "push", rate=100, wanted=10, now=after(0.5)).times) == []
    booking = book(world.sandbox.pk, "push", rate=100, wanted=10, now=after(0.9))
    assert min(booking.times) >= after(1)
    assert Pace.objects.count() == 1


def test_a_hold_never_shortens_a_longer_one(world):
    hold(world.sandbox.pk, "push", after(10))
    hold(world.sandbox.pk, "push", after(1))
    assert list(book(world.sandbox.pk, "push", rate=100, wanted=1, now=after(5)).times) == []


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rate=st.sampled_from([1, 7, 50, 200]),
    asks=st.lists(st.tuples(st.floats(0, 0.4), st.integers(1, 300)), min_size=1, max_size=25),
)
def test_no_second_ever_holds_more_than_a_full_bucket(world, rate, asks):
    """Whoever asks for however many, at whatever moments."""
    Pace.objects.all().delete()
    now, left_at = NINE, []
    for pause, wanted in asks:
        now += timedelta(seconds=pause)
        booking = book(world.sandbox.pk, "push", rate=rate, wanted=wanted, now=now)
        left_at += [max(moment, now) for moment in booking.times]
    most = rate * (1 + BURST_SECONDS) + 1
    assert most_within_a_second(left_at or [NINE]) <= most


SECOND = timedelta(seconds=1)
