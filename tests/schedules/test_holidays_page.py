"""Corrections to the calendar of holidays hold for all: superusers make them, and it is noted."""

import pytest
from django.test import Client

from logs.models import History
from orgs.models import User
from schedules.models import HolidayException
from tests.conftest import World

pytestmark = pytest.mark.django_db

LIST = "/admin/schedules/holidayexception/"
DAY = {"country": "KR", "date": "2027-05-05", "is_holiday": "on", "note": "Bridge day"}


def test_a_correction_is_added_changed_and_deleted_and_each_is_noted(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    assert client.post(LIST + "add/", DAY).status_code == 302
    row = HolidayException.objects.get()
    client.post(f"{LIST}{row.pk}/change/", DAY | {"note": "Moved"})
    client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})
    assert not HolidayException.objects.exists()
    noted = History.objects.filter(kind="holidayexception").order_by("id")
    assert list(noted.values_list("verb", "unit_path")) == [
        ("created", ""), ("updated", ""), ("deleted", ""),
    ]  # fmt: skip


def test_members_of_units_neither_see_nor_change_them(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    assert client.get(LIST).status_code == 403
    assert client.post(LIST + "add/", DAY).status_code == 403
    assert not HolidayException.objects.exists()
