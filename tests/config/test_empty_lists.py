"""A list with nothing in it says what it is for, to whoever may see it."""

from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from channels.models import Account, Room
from config.scoped.admin import ScopedAdmin
from orgs.models import User
from orgs.reach import Role
from schedules.models import Run

pytestmark = pytest.mark.django_db

admin.autodiscover()
TOLD = {
    f"{model._meta.app_label}/{model._meta.model_name}": str(found.when_empty)
    for model, found in admin.site._registry.items()
    if isinstance(found, ScopedAdmin) and found.when_empty is not ScopedAdmin.when_empty
}
ROOMS = "/admin/channels/room/"
ADD_ROOM = f'href="{ROOMS}add/"'


def page_of(client: Client, user: Any, address: str) -> str:
    client.force_login(user)
    return unescape(client.get(address).content.decode())


def test_what_people_begin_with_is_told() -> None:
    assert set(TOLD) >= {
        "channels/account", "channels/audience", "channels/recipient", "channels/recipientimport",
        "channels/room", "channels/webhook", "schedules/archivedrun", "schedules/holidayexception",
        "schedules/messagetemplate", "schedules/run", "schedules/schedule",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(TOLD))
def test_an_empty_list_says_what_it_is_for(client: Client, world: Any, name: str) -> None:
    Room.objects.all().delete()
    Account.objects.all().delete()
    boss = User.objects.create(username="boss", is_staff=True, is_superuser=True)
    assert TOLD[name] in page_of(client, boss, f"/admin/{name}/")


def test_only_who_may_add_the_first_one_is_offered_it(client: Client, world: Any) -> None:
    Room.objects.all().delete()
    manager, viewer = world.people["xinyi"], world.person(world.xinyi, Role.VIEWER)
    assert f'{ADD_ROOM} class="teiji-button' in page_of(client, manager, ROOMS)
    page = page_of(client, viewer, ROOMS)
    assert TOLD["channels/room"] in page
    assert ADD_ROOM not in page


def test_what_others_have_makes_a_list_no_less_empty(client: Client, world: Any) -> None:
    Room.objects.filter(unit=world.xinyi).delete()
    assert Room.objects.exists()
    assert TOLD["channels/room"] in page_of(client, world.people["xinyi"], ROOMS)


def test_filters_that_leave_nothing_can_be_reset(client: Client, world: Any) -> None:
    page = page_of(client, world.people["xinyi"], f"{ROOMS}?is_active__exact=0")
    assert "Nothing matches the search and the filters." in page
    assert 'href="?"' in page
    assert TOLD["channels/room"] not in page


def test_a_list_of_a_week_says_that_more_may_be_chosen(
    client: Client, world: Any, make_schedule: Any
) -> None:
    schedule = make_schedule(title="Long ago")
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    Run.objects.create(
        schedule=schedule, due_at=long_ago, planned_at=long_ago, title="Long ago", zone="UTC",
        unit_path=world.xinyi.path,
    )  # fmt: skip
    page = page_of(client, world.people["xinyi"], "/admin/schedules/run/")
    assert "Nothing in the time that is shown." in page
