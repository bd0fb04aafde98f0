"""Which runs went to one person."""

from datetime import timedelta

import pytest
from django.utils import timezone

from channels.models import Recipient, Room
from orgs.reach import Role
from schedules.actions import register
from schedules.dispatch.plan import plan
from schedules.models import Delivery, Run
from tests.logs.attempts import accepted
from tests.pages import queries_of
from tests.schedules.api.calling import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def audience(make_audience):
    return make_audience(1100)


@pytest.fixture
def sent(world, make_schedule):
    """A run to this audience, planned at its time."""

    def make(audience, **values) -> Run:
        draft = make_schedule(rooms=[], audience=audience, **values)
        schedule = register(draft, by=world.people["hq"])
        plan(schedule.next_due_at)
        return Run.objects.get(schedule=schedule)

    return make


def person(number: int) -> Recipient:
    return Recipient.objects.get(address=f"U{number:032x}")


@pytest.mark.parametrize("number", [0, 499, 500, 1099])
def test_it_is_the_batch_in_which_the_person_is(audience, sent, number):
    sent(audience)
    (found,) = Delivery.objects.all().to_person(person(number))
    assert found.batch == number // 500
    assert person(number).address in found.members


def test_who_left_the_audience_was_reached_all_the_same(audience, sent):
    sent(audience)
    audience.recipients.clear()
    assert Delivery.objects.all().to_person(person(7)).count() == 1


def test_who_was_not_in_a_batch_is_not_found_between_its_people(audience, sent):
    """Ids between those of a batch are looked up, not believed."""
    audience.recipients.remove(person(7))
    sent(audience)
    assert not Delivery.objects.all().to_person(person(7)).exists()


def test_a_room_that_is_the_person_counts(world, line_account, make_audience, make_schedule):
    make_audience(1)
    alone = Room.objects.create(
        unit=world.xinyi, account=line_account, name="Ann", address=person(0).address
    )
    schedule = register(make_schedule(rooms=[alone]), by=world.people["xinyi"])
    plan(schedule.next_due_at)
    assert [d.room_id for d in Delivery.objects.all().to_person(person(0))] == [alone.pk]


def test_the_list_of_the_admin_shows_it_and_of_foreign_people_nothing(
    client, world, audience, sent
):
    run = sent(audience, title="To members")
    Run.objects.filter(pk=run.pk).update(due_at=run.due_at - timedelta(days=60))
    client.force_login(world.people["taipei"])
    page = client.get(f"/admin/channels/recipient/{person(7).pk}/change/").content.decode()
    address = f"/admin/schedules/delivery/?recipient={person(7).pk}"
    assert address in page
    assert [row.batch for row in client.get(address).context["cl"].queryset] == [0]
    Recipient.objects.filter(pk=person(7).pk).update(unit=world.tainan)
    assert not client.get(address).context["cl"].queryset


def test_the_api_tells_it_within_reach(world, audience, sent):
    sent(audience)
    api = caller(world.person(world.xinyi, Role.VIEWER))
    (entry,) = api.get(f"/recipients/{person(600).pk}/reached").json()["results"]
    assert (entry["batch"], entry["state"], entry["audience"], entry["refused"]) == (
        1, "planned", audience.pk, False,
    )  # fmt: skip
    foreign = caller(world.people["tainan"]).get(f"/recipients/{person(600).pk}/reached")
    assert foreign.status_code == 404


def test_runs_of_units_above_are_not_told_below(world, audience, sent):
    sent(audience, unit=world.hq)
    api = caller(world.people["xinyi"])
    assert api.get(f"/recipients/{person(600).pk}/reached").json()["results"] == []


def test_an_id_that_the_channel_refused_is_told(client, world, audience, sent):
    sent(audience)
    delivery = Delivery.objects.get(batch=0)
    answer = {"refused": [person(7).address], "requests": []}
    accepted(world.xinyi, timezone.now(), delivery_id=delivery.pk, answer=answer)
    told = {d.is_refused for d in Delivery.objects.all().to_person(person(7))}
    others = {d.is_refused for d in Delivery.objects.all().to_person(person(8))}
    assert (told, others) == ({True}, {False})
    client.force_login(world.people["hq"])
    page = client.get(f"/admin/schedules/delivery/?recipient={person(7).pk}").content.decode()
    assert "refused this person" in page
    assert f"What was sent to <b>{person(7)}</b>" in page and ">refused<" in page.replace("\n", "")


def test_a_run_says_whom_of_its_people_the_channel_refused(client, world, audience, sent):
    Recipient.objects.filter(pk=person(7).pk).update(name="Ann")
    run = sent(audience)
    for delivery in run.deliveries.all():
        refused = [person(7).address, person(8).address] if delivery.batch == 0 else []
        facts = {"delivery_id": delivery.pk, "answer": {"refused": refused}}
        accepted(world.xinyi, timezone.now(), **facts)
    client.force_login(world.people["hq"])
    address = f"/admin/schedules/run/{run.pk}/change/"
    assert "channel refused" not in client.get(address).content.decode()  # until they are sent
    run.deliveries.update(state="sent")
    page = client.get(address).content.decode()
    whom = f"the channel refused 2 addresses: Ann, {person(8).address}"
    assert f"1,098 people; {whom}" in page and f"498 people; {whom}" in page
    # A person of others has no name here.
    Recipient.objects.filter(pk=person(7).pk).update(unit=world.south)
    client.force_login(world.people["taipei"])
    assert "Ann" not in client.get(address).content.decode()


def test_thirty_runs_ask_as_much_as_one(client, world, make_audience, sent):
    audience = make_audience(3)
    client.force_login(world.people["taipei"])
    address = f"/admin/schedules/delivery/?recipient={person(1).pk}"
    sent(audience, text="0")
    once = queries_of(client, address)
    for number in range(1, 30):
        sent(audience, text=str(number))
    assert queries_of(client, address) == once
