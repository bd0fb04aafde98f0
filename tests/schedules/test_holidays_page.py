"""Corrections to the calendar of holidays hold for all: managers of the headquarters make them, and
it is noted."""

import pytest
from django.test import Client

from logs.models import History
from orgs.models import Unit, User
from orgs.reach import Role
from schedules.models import HolidayException
from tests.conftest import World

pytestmark = pytest.mark.django_db

LIST = "/admin/schedules/holidayexception/"
DAY = {"country": "KR", "date": "2027-05-05", "is_holiday": "on", "note": "Bridge day"}


@pytest.mark.parametrize("who", ["root", "hq"])
def test_a_correction_is_added_changed_and_deleted_and_each_is_noted(
    client: Client, world: World, who: str
) -> None:
    root = User.objects.create_superuser("root")
    client.force_login(world.people["hq"] if who == "hq" else root)
    assert client.post(LIST + "add/", DAY).status_code == 302
    row = HolidayException.objects.get()
    client.post(f"{LIST}{row.pk}/change/", DAY | {"note": "Moved"})
    client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})
    assert not HolidayException.objects.exists()
    noted = History.objects.filter(kind="holidayexception").order_by("id")
    assert list(noted.values_list("verb", "actor", "unit_path")) == [
        ("created", who, world.hq.path), ("updated", who, world.hq.path),
        ("deleted", who, world.hq.path),
    ]  # fmt: skip
    assert noted[1].changes == {"note": ["Bridge day", "Moved"]}


def test_several_are_deleted_at_once_and_a_day_has_one(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    client.post(LIST + "add/", DAY)
    again = client.post(LIST + "add/", DAY)
    assert again.status_code == 200 and HolidayException.objects.count() == 1
    row = HolidayException.objects.get()
    chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    client.post(LIST, chosen)
    assert not HolidayException.objects.exists()
    assert History.objects.filter(kind="holidayexception", verb="deleted").count() == 1


def test_each_headquarters_reads_of_it(client: Client, world: World) -> None:
    other = Unit.objects.plant(kind="headquarters", code="other", name="Other", zone="UTC")
    client.force_login(world.people["hq"])
    client.post(LIST + "add/", DAY)
    noted = History.objects.filter(kind="holidayexception").order_by("unit_path")
    assert [entry.unit_path for entry in noted] == sorted([world.hq.path, other.path])


@pytest.mark.parametrize("who", ["north", "taipei", "xinyi", "stranger", "an operator"])
def test_nobody_else_sees_or_changes_them(client: Client, world: World, who: str) -> None:
    person = world.person(world.hq, Role.OPERATOR) if who == "an operator" else world.people[who]
    client.force_login(person)
    row = HolidayException.objects.create(country="TW", date="2027-05-05", note="Theirs")
    assert client.get(LIST).status_code == 403
    for address in (f"{LIST}add/", f"{LIST}{row.pk}/change/", f"{LIST}{row.pk}/delete/"):
        assert client.post(address, DAY | {"post": "yes"}).status_code in (302, 403)
    assert list(HolidayException.objects.values_list("country", "note")) == [("TW", "Theirs")]
    assert LIST not in client.get("/admin/", follow=True).content.decode()
