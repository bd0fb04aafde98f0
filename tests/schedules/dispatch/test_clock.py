"""A worker's clock: the database's, and never ahead of it."""

import asyncio
import time
from datetime import timedelta

import pytest

from orgs.clock import database_now
from schedules.dispatch.clock import Clock

pytestmark = pytest.mark.django_db


def test_it_is_never_ahead_of_the_database_s():
    before = database_now()
    clock = Clock()
    clock.set_by_database()
    assert before <= clock.now() <= database_now()


def test_what_waits_for_a_moment_goes_on_after_it():
    clock = Clock()
    clock.set_by_database()
    moment = database_now() + timedelta(milliseconds=20)
    asyncio.run(clock.wait_until(moment))
    assert database_now() >= moment


def test_a_machine_that_was_suspended_knows_for_how_long(monkeypatch):
    """Its monotonic counter stood still: what it held would leave hours late, past its grace,
    and be shown as on time."""
    clock = Clock()
    clock.set_by_database()
    before = clock.now()
    with_suspend = time.clock_gettime(time.CLOCK_BOOTTIME) + 3 * 3600
    monkeypatch.setattr(time, "clock_gettime", {time.CLOCK_BOOTTIME: with_suspend}.__getitem__)
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    assert clock.now() >= before + timedelta(hours=3)


def test_a_machine_that_was_paused_from_outside_is_told_that_it_is_far_behind():
    """None of its counters went on, so that what it held would leave as if it were on time."""
    clock = Clock(counter=lambda: 7.0)
    clock.set_by_database()
    assert not clock.is_far_behind()
    clock.go_by(database_now() - timedelta(hours=3), 7.0)
    assert clock.is_far_behind()
