"""What is frozen is not handed over, from the next hand-over on; the rest goes its way."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from channels.models import Account, Room
from schedules import actions
from schedules.actions.freeze import freeze, unfreeze
from schedules.dispatch import mark
from schedules.dispatch.frozen import Frozen, a_phone_may_fetch
from schedules.dispatch.mark import mark_wire
from schedules.models import Delivery, Freeze, Run
from tests.conftest import World
from tests.schedules.conftest import claim_at, on_the_wire
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db

GRACE = timedelta(minutes=10)


@pytest.fixture
def two(world: World, planned: Any) -> tuple[Delivery, Delivery]:
    """A message of Xinyi and one of Tainan, through one account, due at one second."""
    due_in = 3600
    (north,) = planned(title="North", due_in=due_in)
    (south,) = planned(
        title="South", due_in=due_in, unit=world.tainan, rooms=[world.tainan_room], text="South"
    )
    Delivery.objects.filter(pk=south.pk).update(due_at=north.due_at, next_try_at=north.due_at)
    south.refresh_from_db()
    return north, south


def ids(claimed: Any) -> set[int]:
    return {delivery.id for delivery in claimed}


def test_what_is_frozen_is_not_claimed_and_the_rest_is(world: World, two: Any) -> None:
    north, south = two
    freeze(world.north, by=world.people["hq"], why="wrong prices")
    assert ids(claim_at(north.due_at)) == {south.pk}
    assert claim_at(north.due_at) == []


def test_an_account_is_frozen_for_all_who_send_through_it(world: World, two: Any) -> None:
    freeze(world.sandbox, by=world.people["hq"], why="its token leaked")
    assert claim_at(two[0].due_at) == []


def test_what_is_lifted_in_time_goes(world: World, two: Any) -> None:
    north, _south = two
    row = freeze(world.xinyi, by=world.people["hq"], why="wrong prices")
    claim_at(north.due_at)
    unfreeze(row, by=world.people["hq"], why="mended")
    assert ids(on_the_wire(north.due_at + timedelta(minutes=1))) == {north.pk}


def test_what_a_worker_holds_already_is_given_back_at_the_mark(world: World, two: Any) -> None:
    north, south = two
    claimed = claim_at(north.due_at)
    freeze(world.north, by=world.people["hq"], why="wrong prices")
    marked, barred, _lease = mark_wire(claimed, north.due_at)
    assert (marked, barred) == ({south.pk}, {})
    north.refresh_from_db()
    assert (north.state, north.reason, north.claim) == ("planned", "frozen", None)
    assert Run.objects.get(pk=north.run_id).state == "planned"
    assert claim_at(north.due_at) == []


def test_a_freeze_that_comes_while_it_is_marked_lets_nothing_go(
    world: World, two: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = claim_at(two[0].due_at)
    freeze(world.north, by=world.people["hq"], why="wrong prices")
    monkeypatch.setattr(mark, "frozen_now", Frozen)  # read just before it
    marked, barred, _lease = mark_wire(claimed, two[0].due_at)
    assert (marked, barred) == (set(), {})
    assert not Delivery.objects.exclude(wire_at=None).exists()


def test_past_its_grace_it_is_skipped_and_it_is_said_why(world: World, two: Any) -> None:
    north, _south = two
    freeze(world.north, by=world.people["hq"], why="wrong prices")
    late = north.due_at + GRACE + timedelta(seconds=1)
    claimed = [delivery for delivery in claim_at(late) if delivery.id == north.pk]
    assert mark_wire(claimed, late)[:2] == (set(), {north.pk: "frozen"})


def test_a_branch_that_is_frozen_holds_back_its_rooms_of_a_wider_schedule(
    world: World, planned: Any
) -> None:
    other = Room.objects.create(
        unit=world.taipei, account=world.sandbox, name="Taipei", address="taipei", **UNLIMITED
    )
    rows = planned(unit=world.taipei, rooms=[world.room, other])
    due_at = rows[0].due_at
    freeze(world.xinyi, by=world.people["taipei"], why="moving house")
    claimed = claim_at(due_at)
    assert ids(claimed) == ids(rows)
    marked, barred, _lease = mark_wire(claimed, due_at)
    assert barred == {}
    assert set(Delivery.objects.filter(pk__in=marked).values_list("room", flat=True)) == {other.pk}
    again = due_at + timedelta(seconds=5)
    assert len(claim_at(again)) == 1
    late = due_at + GRACE + timedelta(seconds=1)
    Delivery.objects.filter(state="sending", wire_at=None).update(lease_until=late)
    assert _barred_at(late) == ["frozen"]


def _barred_at(at: datetime) -> list[str]:
    held = Delivery.objects.filter(state="sending", wire_at=None)
    held.update(state="planned", claim=None, lease_until=None)
    return list(mark_wire(claim_at(at), at)[1].values())


def test_a_phone_fetches_nothing_that_is_frozen(world: World) -> None:
    def may_fetch() -> bool:
        rows = Room.objects.filter(pk=world.room.pk)
        return rows.filter(a_phone_may_fetch(world.sandbox)).exists()

    assert may_fetch()
    for subject in (world.sandbox, world.north):
        row = freeze(subject, by=world.people["hq"], why="wrong prices")
        assert not may_fetch()
        unfreeze(row, by=world.people["hq"], why="mended")
    freeze(world.south, by=world.people["hq"], why="wrong prices")
    assert may_fetch()


@pytest.mark.django_db(transaction=True)
def test_the_loop_sends_nothing_of_it_and_goes_on_when_it_is_lifted(
    world: World, make_schedule: Any, dispatch: Any
) -> None:
    row = freeze(Account.objects.get(pk=world.sandbox.pk), by=world.people["hq"], why="stop")
    draft = make_schedule(timing_kind="now", date=None, time=None)
    actions.register(draft, by=world.people["xinyi"])
    dispatch()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"planned"}
    unfreeze(row, by=world.people["hq"], why="go")
    dispatch()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
    assert Freeze.objects.in_force().count() == 0
