"""What is written with the old path after a move comes after its unit."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from channels import alerts
from channels.adapters.base import Receipt
from channels.models import Alert
from config.models import KeptAnswer
from logs import history
from logs.chain.guard import lifted
from logs.chain.seal import begin
from logs.models import Attempt, History
from orgs.clock import database_now
from orgs.models import Unit
from schedules.actions import register
from schedules.actions.move_unit import move_unit
from schedules.dispatch.claim import claim
from schedules.dispatch.mark import mark_wire
from schedules.dispatch.outcome import Outcome
from schedules.dispatch.plan import plan
from schedules.dispatch.settle import settle
from schedules.models import Delivery, Run
from schedules.moving.late import AWAITED_FOR, follow
from tests.conftest import World

pytestmark = pytest.mark.django_db


def moved(world: World, unit: Unit, to: Unit) -> Unit:
    return move_unit(unit, to=to, by=world.people["hq"])


def path_of(unit: Unit) -> str:
    return Unit.objects.get(pk=unit.pk).path


def test_what_was_on_the_wire_is_logged_where_its_unit_stands(
    world: World, make_schedule: Any
) -> None:
    schedule = register(make_schedule(), by=world.people["xinyi"])
    due_at = schedule.next_due_at
    plan(due_at)
    claimed = claim(due_at, worker="w", limit=9)
    mark_wire(claimed, due_at)
    moved(world, world.taipei, world.south)
    took = Receipt(status=200)
    settle([Outcome(c, True, False, due_at, handed_at=due_at, receipt=took) for c in claimed])
    assert Attempt.objects.get().unit_path == path_of(world.xinyi)
    assert Run.objects.get().state == "sent"


def test_late_copies_follow_through_all_moves(world: World, make_schedule: Any) -> None:
    schedule = register(make_schedule(), by=world.people["xinyi"])
    plan(schedule.next_due_at)
    old = world.xinyi.path
    moved(world, world.xinyi, world.south)
    moved(world, Unit.objects.get(pk=world.xinyi.pk), world.north)
    now, new = database_now(), path_of(world.xinyi)
    Delivery.objects.update(unit_path=old)
    history.record("tested", schedule, by=None, now=now, unit_path=old)
    alerts.raise_("failed", "x", old, key="late", name="x", text="x", now=now)
    assert follow(now) == 2 * 3, "each of them by both moves"
    assert Delivery.objects.get().unit_path == new
    assert Alert.objects.get(key="late").unit_path == new
    entry = History.objects.get(verb="tested")
    assert (entry.unit_path, entry.place) == (old, new)
    assert follow(now) == 0


def test_after_an_hour_nothing_is_waited_for(world: World) -> None:
    moved(world, world.taipei, world.south)
    later = database_now() + AWAITED_FOR + timedelta(seconds=5)
    alerts.raise_("failed", "x", world.xinyi.path, key="late", name="x", text="x", now=later)
    assert follow(later) == 0


def test_entries_of_the_release_before_are_placed(world: World) -> None:
    history.record("tested", world.xinyi, by=None, now=database_now(), unit_path=world.xinyi.path)
    begin(database_now())
    with transaction.atomic(), lifted():
        History.objects.update(place="")
    assert follow(database_now()) == 1
    assert History.objects.get().place == world.xinyi.path


def test_a_request_that_is_repeated_after_a_move_is_still_answered_as_before(
    world: World,
) -> None:
    who = f"user:{world.people['xinyi'].pk}"
    kept = {"key": "k", "digest": "d", "at": database_now(), "body": ""}
    for path in (world.xinyi.path, world.tainan.path):
        KeptAnswer.objects.create(holder=f"{who}@{path}", **kept)
    moved(world, world.taipei, world.south)
    holders = set(KeptAnswer.objects.values_list("holder", flat=True))
    assert holders == {f"{who}@{path_of(world.xinyi)}", f"{who}@{world.tainan.path}"}
