"""A worker's clock: the database's, and never ahead of it."""

import asyncio
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
