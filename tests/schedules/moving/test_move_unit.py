"""A unit is moved in the tree: who may, what goes with it, and what stands against it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from channels.models import Account, Alert, Fact, Room, Webhook, WebhookDelivery
from logs import history
from logs.chain.guard import lifted
from logs.chain.seal import seal_all
from logs.chain.verify import verify
from logs.models import History
from orgs.actions.deputies import name_deputy
from orgs.actions.units import change_unit, plant
from orgs.clock import database_now
from orgs.models import Deputy, Move, Unit, User
from orgs.reach import Role, can
from orgs.refusal import OutOfReach, Refused
from schedules.actions import register
from schedules.actions.move_unit import move_unit
from schedules.dispatch.claim import claim
from schedules.dispatch.plan import plan
from schedules.models import Delivery, PlaceholderValue, Run
from schedules.moving.losses import outlook
from schedules.shown.windows import today as today_in
from tests.conftest import World
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db


def moved(world: World, unit: Unit | None = None, to: Unit | None = None) -> Unit:
    return move_unit(unit or world.taipei, to=to or world.south, by=world.people["hq"])


def path_of(unit: Unit) -> str:
    return Unit.objects.get(pk=unit.pk).path


def test_a_unit_stands_under_another_with_all_below_it(world: World) -> None:
    unit = moved(world)
    south, xinyi = Unit.objects.get(pk=world.south.pk), Unit.objects.get(pk=world.xinyi.pk)
    assert Unit.objects.get_parent(unit) == south
    assert Unit.objects.get_parent(xinyi) == unit
    assert [one.depth for one in (unit, xinyi)] == [3, 4]
    assert (south.numchild, Unit.objects.get(pk=world.north.pk).numchild) == (2, 0)
    assert Unit.objects.find_problems() == ([], [], [], [], [])


def test_who_reaches_it_is_another_at_once(world: World) -> None:
    person = world.people
    assert can(person["north"], "view", world.room)
    assert not can(person["south"], "view", world.room)
    moved(world)
    again = {name: User.objects.get(pk=user.pk) for name, user in person.items()}
    seeing = {name for name, user in again.items() if can(user, "view", world.room)}
    assert seeing == {"hq", "south", "taipei", "xinyi"}


def test_the_history_says_from_where_to_where_and_all_three_are_told(world: World) -> None:
    unit = moved(world)
    entry = History.objects.get(verb="moved")
    assert (entry.object_name, entry.actor, entry.place) == ("Taipei", "hq", unit.path)
    assert entry.changes == {"parent": ["North", "South"]}
    told = set(Alert.objects.filter(kind="moved").values_list("unit_path", flat=True))
    assert told == {unit.path, world.north.path, world.south.path}


def test_sealed_entries_follow_it_and_stay_as_they_were_sealed(world: World) -> None:
    by, now = world.people["hq"], database_now()
    history.record("updated", world.xinyi, by=by, now=now, unit_path=world.xinyi.path)
    seal_all()
    moved(world)
    entry = History.objects.get(kind="unit", verb="updated", object_id=str(world.xinyi.pk))
    assert (entry.unit_path, entry.place) == (world.xinyi.path, path_of(world.xinyi))
    seal_all()
    assert verify().wrong == 0


def test_its_old_path_is_given_to_no_other_unit(world: World) -> None:
    by = world.people["hq"]
    moved(world)
    new = plant({"kind": "agency", "code": "new", "name": "New"}, by=by, parent=world.north)
    assert new.path > world.taipei.path
    back = moved(world, world.taipei, world.north)
    assert len({world.taipei.path, new.path, back.path}) == 3
    assert Move.objects.count() == 2
    assert Unit.objects.find_problems() == ([], [], [], [], [])


@pytest.mark.parametrize("who", ["north", "taipei", "xinyi", "stranger"])
def test_only_a_manager_of_the_headquarters_moves(world: World, who: str) -> None:
    with pytest.raises(OutOfReach):
        move_unit(world.xinyi, to=world.north, by=world.people[who])
    approver = world.person(world.hq, Role.APPROVER)
    with pytest.raises(OutOfReach):
        move_unit(world.xinyi, to=world.north, by=approver)
    assert path_of(world.xinyi) == world.xinyi.path


def test_a_unit_stays_where_the_tree_would_not_hold(world: World) -> None:
    other = Unit.objects.plant(kind="headquarters", code="other", name="Other")
    root = User.objects.create_superuser("root")
    refused: list[tuple[Unit, Unit]] = [
        (world.hq, world.south),  # the top
        (world.taipei, world.xinyi),  # under itself
        (world.taipei, world.taipei),
        (world.taipei, world.north),  # where it stands
        (world.south, world.north),  # beside its own kind
        (world.taipei, world.tainan),  # under a lower one
        (world.taipei, other),  # another organisation
    ]
    for unit, to in refused:
        with pytest.raises(Refused) as error:
            move_unit(unit, to=to, by=root)
        assert list(error.value.problems) == ["parent"], (unit, to)
    assert not Move.objects.exists()


def test_a_run_that_was_planned_before_leaves_after_the_move(
    world: World, make_schedule: Any
) -> None:
    schedule = register(make_schedule(), by=world.people["xinyi"])
    plan(schedule.next_due_at)
    moved(world)
    new = path_of(world.xinyi)
    assert Run.objects.get().unit_path == Delivery.objects.get().unit_path == new
    assert [c.unit_path for c in claim(schedule.next_due_at, worker="w", limit=9)] == [new]


def test_rooms_of_an_account_that_would_be_out_of_reach_stay(world: World) -> None:
    account = Account.objects.create(unit=world.north, name="LINE", kind="sandbox", is_shared=True)
    values = {"unit": world.xinyi, "account": account, "address": "a", **UNLIMITED}
    room = Room.objects.create(name="Group", **values)
    with pytest.raises(Refused, match=r"“Group”.*“LINE”"):
        moved(world)
    assert path_of(world.taipei) == world.taipei.path
    Room.objects.filter(pk=room.pk).update(is_active=False)
    assert "“LINE”" in " ".join(outlook(world.taipei, world.south).told)
    moved(world)


def test_a_schedule_of_a_unit_above_that_sends_to_its_rooms_keeps_it(
    world: World, make_schedule: Any
) -> None:
    title = "Of the north"
    register(make_schedule(unit=world.north, title=title), by=world.people["north"])
    with pytest.raises(Refused, match="“Of the north”"):
        moved(world)


def test_a_question_to_approvers_above_is_answered_first(world: World, make_schedule: Any) -> None:
    change_unit(world.north, {"approval": "demanded"}, by=world.people["hq"])
    clerk = world.person(world.xinyi, Role.OPERATOR)
    register(make_schedule(title="Please"), by=clerk)
    with pytest.raises(Refused, match="“Please”"):
        moved(world)


def test_a_placeholder_that_would_have_no_value_keeps_it(world: World, make_schedule: Any) -> None:
    PlaceholderValue.objects.create(unit=world.north, name="phone", value="02-123")
    register(make_schedule(title="Call", text="Call {phone}"), by=world.people["xinyi"])
    with pytest.raises(Refused, match=r"“Call”.*“phone”"):
        moved(world)
    PlaceholderValue.objects.create(unit=world.taipei, name="phone", value="02-456")
    moved(world)


def test_it_is_told_what_would_hold_there(world: World) -> None:
    south = world.south
    Unit.objects.filter(pk=south.pk).update(
        approval="demanded", monthly_budget=500, quiet_from="22:00", quiet_until="07:00"
    )
    PlaceholderValue.objects.create(unit=world.north, name="phone", value="1")
    PlaceholderValue.objects.create(unit=south, name="phone", value="2")
    assert outlook(world.taipei, south).told == [
        "These placeholders would have another value: “phone”.",
        "Approval would be needed here.",
        "The quiet hours would be 22:00 to 07:00.",
        "What is sent would count for the budget of South (500 a month).",
    ]


def test_who_stood_in_from_above_no_longer_does(world: World) -> None:
    helper = world.person(world.north, Role.OPERATOR).member  # type: ignore[attr-defined]
    today = today_in(str(world.xinyi.zone), database_now())
    name_deputy(helper, of=world.xinyi, first=today, last=today, by=world.people["north"])
    moved(world)
    assert not Deputy.objects.exists()


def test_webhooks_of_the_units_that_it_leaves_are_told_no_more_of_it(world: World) -> None:
    now = database_now()
    kept = []
    for owner, about in ((world.north, world.xinyi), (world.north, world.north),
                         (world.hq, world.xinyi)):  # fmt: skip
        fact = Fact.objects.create(kind="run.sent", unit_path=about.path, at=now, spread_at=now)
        webhook = Webhook(unit=owner, name=f"{owner} {about}", url="https://example.com/")
        webhook.events, webhook.told_from = ["run.sent"], now
        webhook.secrets = {"secret": "whsec_AA"}
        webhook.save()
        told = WebhookDelivery.objects.create(webhook=webhook, fact=fact, next_try_at=now)
        kept += [told.pk] if about == world.north or owner == world.hq else []
    moved(world)
    assert list(WebhookDelivery.objects.order_by("pk").values_list("pk", flat=True)) == kept


def test_what_is_asked_before_a_move_does_not_grow(world: World, make_schedule: Any) -> None:
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            outlook(world.taipei, world.south)
        return len(queries)

    one = asked()
    for number in range(30):
        register(make_schedule(text=f"Text {number}"), by=world.people["xinyi"])
    assert asked() == one


def test_an_entry_that_is_shown_to_another_unit_is_found(world: World) -> None:
    by, long_ago = world.people["hq"], database_now() - timedelta(days=1)
    for unit in (world.xinyi, world.tainan):
        history.record("updated", unit, by=by, now=long_ago, unit_path=unit.path)
    moved(world)
    moved(world, world.xinyi, world.north)
    seal_all()
    assert verify().wrong == 0
    entry = History.objects.get(object_id=str(world.xinyi.pk), verb="updated")
    with transaction.atomic(), lifted():
        History.objects.filter(pk=entry.pk).update(place=world.south.path)
    assert [(one.fault, one.entry_id) for one in verify().findings] == [("misplaced", entry.pk)]
