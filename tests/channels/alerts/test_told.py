"""A unit without an alert target says who is told of what fails there, or that nobody is."""

import pytest
from django.test import Client

from channels.alerts.routes import receiver_of, untold
from config.doctor import EXAMINATIONS
from orgs.models import Unit
from orgs.reach import Role

pytestmark = pytest.mark.django_db


def pages(world, unit) -> list[str]:
    """Where a manager of the unit looks."""
    return ["/admin/", f"/admin/orgs/unit/{unit.pk}/change/"]


def shown(world, unit, address: str) -> str:
    client = Client()
    client.force_login(world.people[unit.code])
    return client.get(address).content.decode()


@pytest.mark.parametrize("number", [0, 1])
def test_that_nobody_is_told_is_said_to_who_manages_the_unit(world, number):
    page = shown(world, world.xinyi, pages(world, world.xinyi)[number])
    assert "When something fails in Xinyi, nobody is told" in page
    assert f"/admin/channels/alerttarget/add/?unit={world.xinyi.pk}" in page


@pytest.mark.parametrize("number", [0, 1])
def test_the_nearest_unit_above_with_a_target_is_named(world, add_target, number):
    add_target(world.hq)
    add_target(world.north)
    page = shown(world, world.xinyi, pages(world, world.xinyi)[number])
    assert "Xinyi has no alert target of its own. When something fails there, North is told" in page


@pytest.mark.parametrize("number", [0, 1])
def test_nothing_is_said_where_the_unit_has_its_own(world, add_target, number):
    add_target(world.xinyi)
    assert 'id="told"' not in shown(world, world.xinyi, pages(world, world.xinyi)[number])


def test_an_accounts_page_says_it_of_the_accounts_unit(world):
    page = shown(world, world.hq, f"/admin/channels/account/{world.sandbox.pk}/change/")
    assert "When something fails in HQ, nobody is told" in page


def test_who_does_not_manage_the_unit_is_not_bothered(client, world):
    client.force_login(world.person(world.xinyi, Role.OPERATOR))
    assert 'id="told"' not in client.get("/admin/").content.decode()


def test_operators_are_told_where_no_unit_is(world, settings):
    settings.TEIJI_ALERT_URLS = ["discord://1/a"]
    page = shown(world, world.xinyi, "/admin/")
    assert "only those who run this installation are told" in page


def test_a_target_that_is_switched_off_tells_nobody(world, add_target):
    add_target(world.hq, is_active=False)
    assert receiver_of(world.xinyi) is None


def test_the_doctor_names_the_units(world, add_target):
    add_target(world.north)
    units = Unit.objects.order_by("path")
    assert [unit.code for unit in untold(units)] == ["hq", "south", "tainan"]
    finding = EXAMINATIONS["told_units"]()
    assert finding.said == "nobody of the organisation is told of HQ, South, Tainan"
    add_target(world.hq)
    assert EXAMINATIONS["told_units"]().level == "ok"
