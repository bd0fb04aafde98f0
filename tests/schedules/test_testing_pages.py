"""A test from the pages: of a schedule and of a draft, to the unit's test rooms that are ticked."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from channels.models import Room
from orgs.models import User
from orgs.reach import Role
from schedules import actions
from schedules.models import Delivery, Run, Schedule
from tests.conftest import World

pytestmark = pytest.mark.django_db

SCHEDULES = "/admin/schedules/schedule/"
WAYS = ["schedule", "draft"]


@pytest.fixture
def page(make_schedule: Callable[..., Schedule], clerk: User) -> Callable[[str], tuple[str, str]]:
    """Where it is offered, and where it is sent from."""

    def make(way: str, **values: Any) -> tuple[str, str]:
        row = make_schedule(registered_by=clerk, **values)
        if way == "draft":
            return f"{SCHEDULES}{row.pk}/register/review/", f"{SCHEDULES}{row.pk}/register/test/"
        actions.register(row, by=clerk)
        return f"{SCHEDULES}{row.pk}/change/", f"{SCHEDULES}{row.pk}/act/test/"

    return make


def another_test_room(world: World, **values: Any) -> Room:
    facts = {"unit": world.xinyi, "account": world.sandbox, "kind": "test"} | values
    return Room.objects.create(name="Second test", address="second", **facts)


@pytest.mark.parametrize("way", WAYS)
def test_the_page_offers_the_test_rooms_of_its_unit_and_no_other(
    desk: Client, world: World, page: Any, way: str
) -> None:
    another_test_room(world, unit=world.taipei)
    shown = desk.get(page(way)[0]).content.decode()
    assert "Send a test?" in shown
    assert f'name="rooms" value="{world.test_room.pk}"' in shown
    assert "Second test" not in shown and f'name="rooms" value="{world.room.pk}"' not in shown


@pytest.mark.parametrize("way", WAYS)
def test_it_goes_to_the_rooms_that_are_ticked_and_the_message_leads_to_the_run(
    desk: Client, world: World, page: Any, way: str
) -> None:
    second = another_test_room(world)
    shown, sent_from = page(way)
    answer = desk.post(sent_from, {"rooms": [second.pk]}, follow=True)
    run = Run.objects.get(trigger="test")
    assert answer.redirect_chain == [(shown, 302)]
    assert f'href="/admin/schedules/run/{run.pk}/change/"' in answer.content.decode()
    assert [row.room for row in Delivery.objects.all()] == [second]
    assert desk.get(f"/admin/schedules/run/{run.pk}/change/").status_code == 200


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("ticked", [[], [""], ["x"], ["9" * 30], "live", "elsewhere"])
def test_of_what_is_no_test_room_of_its_unit_nothing_is_sent(
    desk: Client, world: World, page: Any, way: str, ticked: Any
) -> None:
    elsewhere = another_test_room(world, unit=world.tainan)
    named = {"live": [world.room.pk], "elsewhere": [elsewhere.pk]}
    rooms = named.get(ticked, ticked) if isinstance(ticked, str) else ticked
    answer = desk.post(page(way)[1], {"rooms": rooms}, follow=True)
    assert "Choose at least one test room." in answer.content.decode()
    assert not Run.objects.exists()


@pytest.mark.parametrize("way", WAYS)
def test_a_second_click_is_one_test(desk: Client, world: World, page: Any, way: str) -> None:
    sent_from = page(way)[1]
    desk.post(sent_from, {"rooms": [world.test_room.pk]})
    answer = desk.post(sent_from, {"rooms": [world.test_room.pk]}, follow=True)
    assert "It is being tested already." in answer.content.decode()
    assert Run.objects.count() == 1


@pytest.mark.parametrize("way", WAYS)
def test_without_a_test_room_a_manager_is_led_to_adding_one_and_a_clerk_to_a_manager(
    desk: Client, client: Client, world: World, page: Any, way: str
) -> None:
    Room.objects.filter(kind="test").update(is_active=False)
    shown = page(way)[0]
    said = desk.get(shown).content.decode()
    assert "Its unit has no test room." in said and "A manager of the unit can add one." in said
    client.force_login(world.people["xinyi"])
    adding = f"/admin/channels/room/add/?unit={world.xinyi.pk}&kind=test"
    assert adding.replace("&", "&amp;") in client.get(shown).content.decode()
    form = client.get(adding).context["adminform"].form
    assert form["kind"].value() == "test" and str(form["unit"].value()) == str(world.xinyi.pk)


def test_who_may_only_look_is_offered_no_test_and_sends_none(
    client: Client, world: World, page: Any
) -> None:
    shown, sent_from = page("schedule")
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    assert "Send a test" not in client.get(shown).content.decode()
    assert client.post(sent_from, {"rooms": [world.test_room.pk]}).status_code == 404
    assert not Run.objects.exists()


@pytest.mark.parametrize("way", WAYS)
def test_who_reaches_another_branch_finds_nothing_to_test(
    client: Client, world: World, page: Any, way: str
) -> None:
    sent_from = page(way)[1]
    client.force_login(world.people["tainan"])
    assert client.post(sent_from, {"rooms": [world.test_room.pk]}).status_code == 404
    assert not Run.objects.exists()


def test_what_is_cancelled_or_not_complete_or_a_working_copy_offers_none(
    desk: Client, world: World, page: Any, clerk: User
) -> None:
    unfinished = desk.get(page("draft", text="", title="Unfinished")[0]).content.decode()
    shown = page("schedule")[0]
    row = Schedule.objects.get(state="active")
    copy = actions.begin_edit(row, by=clerk)
    working = desk.get(f"{SCHEDULES}{copy.pk}/register/review/").content.decode()
    actions.cancel(row, by=clerk)
    cancelled = desk.get(shown).content.decode()
    assert [text.count("Send a test") for text in (unfinished, working, cancelled)] == [0, 0, 0]


def test_testing_rooms_by_the_dozen_asks_no_more_than_one(
    desk: Client, world: World, page: Any, django_assert_num_queries: Any
) -> None:
    shown = page("schedule")[0]
    desk.get(shown)
    with CaptureQueriesContext(connection) as one:
        desk.get(shown)
    for number in range(29):
        Room.objects.create(unit=world.xinyi, account=world.sandbox, kind="test",
                            name=f"T{number}", address=f"t{number}")  # fmt: skip
    with django_assert_num_queries(len(one)):
        desk.get(shown)
