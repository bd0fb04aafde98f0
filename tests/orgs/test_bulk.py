"""Bulk writes store what the ORM would have stored, or refuse what it would have refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.models import Account, Room
from logs.models import Attempt
from orgs.bulk import FEW, insert, insert_new, update_each
from schedules.actions import register
from schedules.models import Delivery, Run, Schedule
from schedules.states import DeliveryState, move_each

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
A_KEY = uuid4()

EARLY, LATE = datetime.fromisoformat("1971-01-01"), datetime.fromisoformat("2100-01-01")
zones = st.sampled_from([UTC, ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")])
times = st.datetimes(EARLY, LATE, timezones=zones)
words = st.text(max_size=8) | st.sampled_from(["", "a\tb\\N\n", '"', "x" * 300, "\x00", "定時"])
json = st.dictionaries(
    words,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**9), 10**9) | words,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
        max_leaves=4,
    ),
    max_size=3,
)
# What a caller might give: of the field's own type, of another, none, too long, too large.
changes = {
    "room_name": words | st.integers(0, 9),
    "error": words | st.just(Attempt.Outcome.REFUSED),
    "wire_at": st.none() | times,
    "status": st.none() | st.integers(0, 600) | st.sampled_from([True, "200", -1, 10**6]),
    "key": st.uuids() | st.uuids().map(str),
    "answer": json,
    "outcome": st.sampled_from(Attempt.Outcome),
}
rows_of_changes = st.lists(st.fixed_dictionaries(changes), min_size=1, max_size=2 * FEW)


def attempt(number: int = 0, **values: Any) -> Attempt:
    known = {
        "delivery_id": number, "run_id": 1, "schedule_id": 1, "schedule_title": "Notice",
        "room_id": 1, "room_name": "Room", "unit_path": "0001", "channel": "line",
        "account_id": 1, "part": 0, "number": 1, "key": uuid4(), "due_at": NOON,
        "answered_at": NOON, "outcome": Attempt.Outcome.ACCEPTED,
    }  # fmt: skip
    return Attempt(**known | values)


def outcome(write: Callable[[], object]) -> Any:
    """What is stored then, or that the database refuses it. Nothing of it remains."""
    try:
        with transaction.atomic():
            write()
            columns = [field.attname for field in Attempt._meta.concrete_fields]
            found = list(Attempt.objects.order_by("delivery_id").values(*columns[1:]))
            transaction.set_rollback(True)
            return found
    except DatabaseError:  # of two faults, the ORM may meet the other one first
        return "refused"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows_of_changes)
def test_an_insert_stores_what_the_orm_would_store(rows):
    made = [attempt(number, **row) for number, row in enumerate(rows)]
    ours = outcome(lambda: insert(made))
    theirs = [attempt(number, **row) for number, row in enumerate(rows)]
    for mine, other in zip(made, theirs, strict=True):
        other.key = mine.key
    assert ours == outcome(lambda: Attempt.objects.bulk_create(theirs))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows_of_changes)
def test_an_update_stores_what_the_orm_would_store(rows):
    def ours():
        stored = Attempt.objects.bulk_create(attempt(n, key=A_KEY) for n in range(len(rows)))
        values = [
            (*(row[name] for name in changes), old.pk)
            for row, old in zip(rows, stored, strict=True)
        ]
        assert update_each(Attempt, list(changes), values) == len(rows)

    def theirs():
        stored = Attempt.objects.bulk_create(attempt(n, key=A_KEY) for n in range(len(rows)))
        for row, old in zip(rows, stored, strict=True):
            # One by one: bulk_update would try its values in an expression.
            Attempt.objects.filter(pk=old.pk).update(**row)

    assert outcome(ours) == outcome(theirs)


def test_nothing_to_write_is_no_work(django_assert_num_queries):
    with django_assert_num_queries(0):
        insert([])
        assert insert_new([])
        assert update_each(Attempt, ["error"], []) == 0


@pytest.mark.parametrize("count", [1, FEW + 1, 30])
def test_rows_that_need_them_know_their_ids(world, count):
    rooms = [room_of(world, f"r{number}") for number in range(count)]
    insert(rooms, ids=True)
    stored = dict(
        Room.objects.filter(pk__in=[room.pk for room in rooms]).values_list("address", "id")
    )
    assert stored == {room.address: room.pk for room in rooms}
    later = Room.objects.create(unit=world.xinyi, account=world.sandbox, name="L", address="later")
    assert later.pk > max(stored.values())


def test_rows_that_were_inserted_are_saved_as_known_ones(world):
    rooms = [room_of(world, f"r{number}") for number in range(FEW + 1)]
    insert(rooms, ids=True)
    rooms[0].name = "Renamed"
    rooms[0].save()
    assert Room.objects.get(name="Renamed").address == "r0"


def test_times_that_a_field_sets_itself_are_set(world):
    schedules = [Schedule(unit=world.xinyi, title=f"Notice {n}") for n in range(FEW + 1)]
    before = datetime.now(UTC) - timedelta(seconds=1)
    insert(schedules)
    times = Schedule.objects.values_list("created_at", "updated_at")
    assert len(times) == FEW + 1
    assert all(before < created <= updated for created, updated in times)


@pytest.mark.parametrize("count", [1, FEW + 1])
def test_what_a_constraint_refuses_is_said_as_by_the_orm(world, count):
    rooms = [room_of(world, "the same") for _ in range(count)] + [room_of(world, "the same")]
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(rooms)
    assert not Room.objects.filter(address="the same").exists()


@pytest.mark.parametrize("count", [2, FEW + 1, 30])
def test_of_new_rows_those_that_are_known_are_left_out(world, count):
    names = [f"r{number}" for number in range(count)]
    assert insert_new([room_of(world, name) for name in names[:-1]])
    assert not insert_new([room_of(world, name) for name in names])
    assert Room.objects.filter(address__in=names).count() == count


def test_an_update_leaves_other_columns_and_other_rows_alone(world, make_schedule):
    schedules = [make_schedule(text=f"Text {number}") for number in range(FEW + 3)]
    before = dict(Schedule.objects.values_list("id", "updated_at"))
    rows = [(NOON + timedelta(hours=n), row.pk) for n, row in enumerate(schedules[:-1])]
    assert update_each(Schedule, ["next_due_at"], rows) == FEW + 2
    assert dict(Schedule.objects.values_list("id", "updated_at")) == before
    times = Schedule.objects.order_by("id").values_list("next_due_at", flat=True)
    assert list(times) == [time for time, _pk in rows] + [None]


@pytest.mark.parametrize("count", [1, FEW + 1])
def test_a_move_reaches_only_what_is_still_held_by_that_claim(world, make_schedule, count):
    rooms = [room_of(world, f"r{number}") for number in range(count + 2)]
    insert(rooms, ids=True)
    token, other = uuid4(), uuid4()
    deliveries = sending(world, make_schedule, rooms, token)
    Delivery.objects.filter(pk=deliveries[0].pk).update(claim=other)
    gone = {"state": "sent", "claim": None}
    Delivery.objects.filter(pk=deliveries[1].pk).update(**gone)
    rows = [("Nobody there", delivery.pk, token) for delivery in deliveries]
    assert move_each(Delivery, DeliveryState.FAILED, ["error"], rows) == count
    stored = Delivery.objects.order_by("id").values_list("state", "claim", "error")
    moved = ("failed", None, "Nobody there")
    assert list(stored) == [("sending", other, ""), ("sent", None, ""), *[moved] * count]


def test_a_broken_transaction_takes_no_more(world):
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            insert([attempt(number) for number in range(FEW + 1)])


def test_the_server_copies_where_it_can(django_assert_num_queries):
    with django_assert_num_queries(1) as queries:
        insert([attempt(number) for number in range(FEW + 1)])
    copies = connection.vendor == "postgresql"
    assert queries[0]["sql"].startswith("COPY") == copies


def test_an_account_is_found_by_its_key(world):
    """A foreign key is prepared as the key that it holds."""
    other = Account.objects.create(unit=world.hq, name="Other", kind="sandbox")
    rows = [(other, room.pk) for room in (world.room, world.test_room)]
    assert update_each(Room, ["account"], [(a.pk, pk) for a, pk in rows]) == 2
    assert Room.objects.filter(account=other).count() == 2


def sending(world, make_schedule, rooms: list[Room], token: Any) -> list[Delivery]:
    schedule = register(make_schedule(rooms=rooms), by=world.people["hq"])
    run = Run.objects.create(
        schedule=schedule, due_at=NOON, title="Notice", zone="UTC", planned_at=NOON
    )
    deliveries = [
        Delivery(
            run=run, room=room, account=world.sandbox, key=uuid4(), priority=50, due_at=NOON,
            next_try_at=NOON, parts=1, state="sending", claim=token,
        )
        for room in rooms
    ]  # fmt: skip
    insert(deliveries, ids=True)
    return deliveries


def room_of(world, address: str) -> Room:
    return Room(unit=world.xinyi, account=world.sandbox, name=address, address=address)
