"""A move beside what others do at the same moment, each on a connection of their own."""

import threading
from typing import Any

import pytest

from logs.chain.seal import seal
from logs.models import History
from logs.stats.tally import roll_up
from orgs.actions.units import plant
from orgs.clock import database_now
from orgs.models import Unit, User
from orgs.reach import can, within
from orgs.refusal import Refused
from schedules.actions import move_unit as act
from schedules.actions import pause, register
from schedules.actions.move_unit import move_unit
from schedules.dispatch.plan import plan
from schedules.dispatch.settle import settle
from schedules.models import Delivery, Run, Schedule
from schedules.moving.late import follow
from schedules.outcomes.keep import keep_up
from tests.conftest import World
from tests.schedules.at_once import (
    PATIENCE,
    at_once,
    before_statement,
    on_postgresql,
    outcome_of,
    start,
)
from tests.schedules.conftest import accepted, on_the_wire

pytestmark = pytest.mark.django_db(transaction=True)


def path_of(unit: Unit) -> str:
    return Unit.objects.get(pk=unit.pk).path


def person(name: str) -> User:
    return User.objects.get(username=name)


class Halfway:
    """A move that waits right before it commits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()
        tell = act._tell

        def wait(*args: Any) -> None:
            self.reached.set()
            assert self.go_on.wait(PATIENCE)
            tell(*args)

        monkeypatch.setattr(act, "_tell", wait)

    def start(self, unit: Unit, to: Unit) -> Any:
        future = start(lambda: move_unit(unit, to=to, by=person("hq")))
        assert self.reached.wait(PATIENCE)
        return future


@on_postgresql
def test_reach_changes_on_every_connection_as_it_commits(
    world: World, make_schedule: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = register(make_schedule(), by=world.people["xinyi"])
    plan(row.next_due_at)
    halfway = Halfway(monkeypatch)
    move = halfway.start(world.taipei, world.south)

    def seen(who: str) -> set[str]:
        found = {
            m.__name__: within(person(who), m.objects.all()) for m in (Schedule, Run, Delivery)
        }
        return {name for name, rows in found.items() if rows.exists()}

    everything = {"Schedule", "Run", "Delivery"}
    assert (seen("north"), seen("south")) == (everything, set())
    halfway.go_on.set()
    outcome_of(move)
    assert (seen("north"), seen("south")) == (set(), everything)


@on_postgresql
def test_others_plan_and_send_while_a_unit_moves(
    world: World, make_schedule: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"unit": world.tainan, "rooms": [world.tainan_room]}
    other = register(make_schedule(**values), by=world.people["tainan"])
    beside = (roll_up, keep_up, seal)
    for count in beside:
        count(database_now())  # as they have on every installation
    halfway = Halfway(monkeypatch)
    move = halfway.start(world.taipei, world.south)
    due_at = other.next_due_at
    assert plan(due_at) == 1
    claimed = on_the_wire(due_at)
    assert settle([accepted(one, due_at) for one in claimed]) == 1
    assert Delivery.objects.get().state == "sent"
    for count in beside:
        count(due_at)  # leaves it to a later turn, and waits for nobody
    assert not move.done()
    halfway.go_on.set()
    outcome_of(move)


@on_postgresql
def test_an_act_that_waited_for_the_move_leaves_nothing_behind(
    world: World, make_schedule: Any
) -> None:
    row = register(make_schedule(timing_kind="daily"), by=world.people["xinyi"])
    with before_statement(0, lambda: pause(row, by=person("xinyi")), 'INTO "orgs_move"') as waiting:
        move_unit(world.taipei, to=world.south, by=person("hq"))
    assert outcome_of(waiting[0]).state == "paused"
    follow(database_now())
    assert History.objects.get(verb="paused").place == path_of(world.xinyi)


def test_of_two_moves_and_a_new_unit_at_once_each_has_a_path(world: World) -> None:
    new = {"kind": "branch", "code": "new", "name": "New"}
    found = at_once(
        lambda: move_unit(world.taipei, to=world.south, by=person("hq")),
        lambda: move_unit(world.tainan, to=world.north, by=person("hq")),
        lambda: plant(new, by=person("hq"), parent=world.south),
    )
    assert all(isinstance(one, Unit) for one in found), found
    assert Unit.objects.find_problems() == ([], [], [], [], [])
    assert not can(person("north"), "view", world.room)


def test_of_two_who_move_one_unit_at_once_the_second_is_told(world: World) -> None:
    found = at_once(
        *[lambda: move_unit(world.taipei, to=world.south, by=person("hq")) for _time in range(2)]
    )
    assert [isinstance(one, Refused) for one in found].count(True) == 1
