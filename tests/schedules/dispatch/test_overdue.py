"""What is overdue by the machine's fault, and what a person holds."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings

from orgs.clock import database_now
from schedules.actions.freeze import freeze
from schedules.actions.pause_run import pause_run
from schedules.dispatch import pulse, stalled
from schedules.dispatch.overdue import overdue
from schedules.models import Delivery
from tests.conftest import World

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
GRACE = timedelta(seconds=settings.TEIJI_GRACE_SECONDS)


def freeze_unit(world: World, row: Delivery) -> None:
    freeze(world.north, by=world.people["hq"], why="wrong prices")


def freeze_account(world: World, row: Delivery) -> None:
    freeze(world.sandbox, by=world.people["hq"], why="its token leaked")


def pause(world: World, row: Delivery) -> None:
    pause_run(row.run, by=world.people["hq"])


def stop_account(world: World, row: Delivery) -> None:
    world.sandbox.stop("The token is no longer valid.", database_now())


HOLDS = pytest.mark.parametrize("hold", [freeze_unit, freeze_account, pause, stop_account])


def late(now: datetime, by: timedelta = MINUTE) -> int:
    return overdue(now, by=by).count()


def test_what_nobody_holds_is_overdue(planned: Any) -> None:
    (row,) = planned()
    assert (late(row.due_at + MINUTE / 2), late(row.due_at + 2 * MINUTE)) == (0, 1)


@HOLDS
def test_what_a_person_holds_is_no_fault(
    world: World, planned: Any, hold: Callable[[World, Delivery], None]
) -> None:
    (row,) = planned()
    hold(world, row)
    assert late(row.due_at + 2 * MINUTE) == 0
    assert pulse.is_well(row.due_at + 2 * MINUTE)


@HOLDS
def test_what_is_held_is_to_be_skipped_when_it_may_be_no_later(
    world: World, planned: Any, hold: Callable[[World, Delivery], None]
) -> None:
    (row,) = planned()
    hold(world, row)
    assert late(row.due_at + GRACE + MINUTE) == 0
    assert late(row.due_at + GRACE + 2 * MINUTE) == 1


def test_others_are_overdue_beside_what_is_held(world: World, planned: Any) -> None:
    (north,) = planned(title="North")
    (south,) = planned(title="South", unit=world.tainan, rooms=[world.tainan_room], text="South")
    freeze(world.north, by=world.people["hq"], why="wrong prices")
    found = overdue(max(north.due_at, south.due_at) + 2 * MINUTE, by=MINUTE)
    assert list(found) == [south]


@HOLDS
def test_nobody_is_told_of_what_is_held_however_late_it_may_be(
    world: World, planned: Any, settings: Any, hold: Callable[[World, Delivery], None]
) -> None:
    settings.TEIJI_GRACE_SECONDS = 3600
    (row,) = planned()
    hold(world, row)
    assert stalled.look(row.due_at + 2 * stalled.STALLED_AFTER) == 0
