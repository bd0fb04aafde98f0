"""What follows from what LINE tells us, for rooms and for people."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.actions.recipient import change_person
from channels.adapters.base import EventKind
from channels.hearing import KEPT, due_events, forget_old, take_in
from channels.models import InboundEvent, Recipient, Room
from logs.models import History

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOW = NINE + timedelta(hours=1)


@pytest.fixture
def tell(world):
    """Events of the sandbox's account, a second apart, by kind and address."""

    def store(*told: tuple[EventKind, str]) -> None:
        for number, (kind, address) in enumerate(told):
            InboundEvent.objects.create(
                account=world.sandbox, event_id=f"{InboundEvent.objects.count()}", kind=kind,
                address=address, happened_at=NINE + timedelta(seconds=number), received_at=NINE,
            )  # fmt: skip

    return store


def hear(names: dict[str, str] | None = None) -> None:
    events = due_events(NOW)
    take_in(events, {e.pk: (names or {}).get(e.address, "") for e in events}, NOW)


def test_a_group_that_we_joined_is_a_room_with_its_name(world, tell):
    tell((EventKind.JOINED, "group"))
    hear({"group": "Xinyi staff"})
    room = Room.objects.get(address="group")
    assert (room.name, room.unit, room.account) == ("Xinyi staff", world.hq, world.sandbox)
    assert History.objects.filter(kind="room", verb="joined").count() == 1


def test_without_a_name_it_is_called_by_its_account(world, tell):
    tell((EventKind.JOINED, "C0123456789"))
    hear()
    assert Room.objects.get(address="C0123456789").name == f"{world.sandbox.name} · …456789"


@pytest.mark.parametrize("name", ["Xin\x00yi", "Xinyi \ud83d"])
def test_a_name_that_postgresql_cannot_store_stops_nobody_else(world, tell, name):
    tell((EventKind.FOLLOWED, "strange"), (EventKind.FOLLOWED, "other"))
    hear({"strange": name})
    assert Recipient.objects.get(address="strange").name.startswith("Xin")
    assert Recipient.objects.filter(address="other").exists()


def test_a_room_that_staff_have_named_and_moved_stays_as_it_is(world, tell):
    before = Room.objects.filter(pk=world.room.pk).values().get()
    tell((EventKind.JOINED, world.room.address))
    hear({world.room.address: "Another name"})
    assert Room.objects.filter(pk=world.room.pk).values().get() == before


def test_a_room_that_we_left_is_known_as_left_until_we_are_back(world, tell):
    tell((EventKind.LEFT, world.room.address))
    hear()
    assert Room.objects.get(pk=world.room.pk).left_at == NINE
    tell((EventKind.LEFT, "nobody"), (EventKind.JOINED, world.room.address))
    hear()
    assert Room.objects.get(pk=world.room.pk).left_at is None


def test_who_follows_is_a_recipient_and_who_unfollows_is_not_written_to(world, tell):
    tell((EventKind.FOLLOWED, "person"))
    hear({"person": "Mei"})
    person = Recipient.objects.get()
    assert (person.name, person.unit, person.opted_out_at) == ("Mei", world.hq, None)
    tell((EventKind.FOLLOWED, "other"), (EventKind.UNFOLLOWED, "person"))
    hear()
    assert Recipient.objects.get(address="person").opted_out_at is not None


def test_who_comes_back_is_written_to_again(tell):
    tell((EventKind.FOLLOWED, "p"), (EventKind.UNFOLLOWED, "p"), (EventKind.FOLLOWED, "p"))
    hear()
    assert Recipient.objects.get().opted_out_at is None


def test_a_follow_takes_back_only_the_unfollow_and_the_history_says_both(tell):
    tell((EventKind.FOLLOWED, "p"), (EventKind.UNFOLLOWED, "p"), (EventKind.FOLLOWED, "p"))
    hear()
    said = History.objects.filter(kind="recipient").order_by("id")
    assert list(said.values_list("verb", flat=True)) == ["unfollowed", "followed"]


@pytest.mark.parametrize("is_gone_first", [True, False])
def test_an_opt_out_that_a_person_has_noted_outlasts_every_follow(world, tell, is_gone_first):
    tell((EventKind.FOLLOWED, "p"))
    hear()
    if is_gone_first:
        tell((EventKind.OTHER, "p"), (EventKind.UNFOLLOWED, "p"))
        hear()
    person = Recipient.objects.get()
    person = change_person(person, {"has_opted_out": True}, by=world.people["hq"])
    Recipient.objects.update(opted_out_at=NINE)
    before = History.objects.count()
    tell((EventKind.OTHER, "p"), (EventKind.OTHER, "p"), (EventKind.FOLLOWED, "p"))
    hear()
    assert Recipient.objects.get().opted_out_at == NINE
    assert History.objects.count() == before


def test_who_was_opted_in_again_by_a_person_may_leave_and_come_back(world, tell):
    tell((EventKind.FOLLOWED, "p"), (EventKind.UNFOLLOWED, "p"))
    hear()
    change_person(Recipient.objects.get(), {"has_opted_out": False}, by=world.people["hq"])
    change_person(Recipient.objects.get(), {"has_opted_out": True}, by=world.people["hq"])
    assert Recipient.objects.get().opted_out_by_channel is False


@pytest.mark.parametrize(
    ("late", "last", "is_written_to"),
    [
        (EventKind.UNFOLLOWED, EventKind.FOLLOWED, True),
        (EventKind.FOLLOWED, EventKind.UNFOLLOWED, False),
    ],
)
def test_what_is_told_late_does_not_undo_what_happened_since(tell, late, last, is_written_to):
    tell((EventKind.OTHER, "p"), (last, "p"))  # the last one happened a second later
    hear()
    tell((late, "p"))
    hear()
    people = Recipient.objects.filter(address="p", opted_out_at=None)
    assert people.exists() == is_written_to


def test_a_group_that_was_left_before_we_joined_it_again_is_one_that_we_are_in(world, tell):
    tell((EventKind.OTHER, "x"), (EventKind.JOINED, world.room.address))
    hear()
    tell((EventKind.LEFT, world.room.address))
    hear()
    assert Room.objects.get(pk=world.room.pk).left_at is None
    assert not History.objects.filter(verb="left").exists()


def test_each_is_taken_in_once(tell):
    tell((EventKind.JOINED, "group"))
    events = due_events(NOW)
    for _ in range(2):
        take_in(events, {}, NOW)
    assert History.objects.filter(verb="joined").count() == 1
    assert due_events(NOW) == []


def test_what_we_do_not_know_is_kept_and_nothing_done(tell):
    tell((EventKind.OTHER, "group"))
    hear()
    assert InboundEvent.objects.get().taken_in_at == NOW
    assert not Room.objects.filter(address="group").exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from([EventKind.JOINED, EventKind.LEFT]), min_size=1, max_size=8))
def test_we_are_in_a_room_if_the_last_thing_told_was_that_we_joined(world, tell, kinds):
    InboundEvent.objects.all().delete()
    Room.objects.filter(address="group").delete()
    Room.objects.create(unit=world.hq, account=world.sandbox, name="Group", address="group")
    tell(*((kind, "group") for kind in kinds))
    hear()
    assert (Room.objects.get(address="group").left_at is None) == (kinds[-1] == EventKind.JOINED)


def test_old_events_are_forgotten_once_they_were_taken_in(tell):
    tell((EventKind.OTHER, "a"))
    assert forget_old(NINE + KEPT * 2) == 0
    hear()
    assert forget_old(NINE + KEPT - timedelta(seconds=1)) == 0
    assert forget_old(NINE + KEPT + timedelta(seconds=1)) == 1
