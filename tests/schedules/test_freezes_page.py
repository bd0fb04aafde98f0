"""The page of freezes: who sees what, who freezes, who lifts."""

import re
from typing import Any

import pytest
from django.test import Client

from channels.models import Account
from orgs.reach import Role
from schedules import actions
from schedules.actions.freeze import freeze, unfreeze
from schedules.models import Freeze
from tests.conftest import World
from tests.pages import queries_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/schedules/freeze/"
HELD = "held by a freeze"


def text(client: Client, address: str = PAGE) -> str:
    return client.get(address).content.decode()


def test_a_manager_freezes_and_lifts_by_the_page(client: Client, world: World) -> None:
    client.force_login(world.people["north"])
    values = {"subject": f"unit:{world.xinyi.pk}", "why": "wrong prices"}
    assert "is frozen" in client.post(f"{PAGE}freeze/", values, follow=True).content.decode()
    row = Freeze.objects.get()
    assert (row.unit, row.why, row.placed_from) == (world.xinyi, "wrong prices", world.north)
    assert "1 freeze holds messages back" in text(client, "/admin/")
    refused = client.post(f"{PAGE}{row.pk}/lift/", {"why": " "}, follow=True).content.decode()
    assert "Write down why" in refused
    client.post(f"{PAGE}{row.pk}/lift/", {"why": "mended"})
    row.refresh_from_db()
    assert (row.lifted_by, row.lifted_why) == ("north", "mended")
    assert "holds messages back" not in text(client, "/admin/")
    assert "mended" in text(client)


def test_below_it_is_seen_and_not_lifted_and_elsewhere_not_seen(
    client: Client, world: World
) -> None:
    row = freeze(world.north, by=world.people["hq"], why="wrong prices")
    client.force_login(world.people["xinyi"])
    assert "wrong prices" in text(client) and "Lift the freeze" not in text(client)
    assert "1 freeze holds messages back" in text(client, "/admin/")
    assert client.post(f"{PAGE}{row.pk}/lift/", {"why": "x"}).status_code == 404
    client.force_login(world.people["tainan"])
    assert "wrong prices" not in text(client)
    assert "holds messages back" not in text(client, "/admin/")
    assert client.post(f"{PAGE}{row.pk}/lift/", {"why": "x"}).status_code == 404
    assert Freeze.objects.in_force().exists()


def test_a_shared_account_that_is_frozen_is_shown_to_who_sends_through_it(
    client: Client, world: World
) -> None:
    freeze(world.sandbox, by=world.people["hq"], why="its token leaked")
    client.force_login(world.people["tainan"])
    assert "its token leaked" in text(client) and "Lift the freeze" not in text(client)
    world.sandbox.is_shared = False
    world.sandbox.save()
    assert "its token leaked" not in text(client)


def test_who_is_frozen_from_above_is_told_who_lifts_it(client: Client, world: World) -> None:
    row = freeze(world.xinyi, by=world.people["hq"], why="x")
    client.force_login(world.people["xinyi"])
    assert "lifted by a manager of HQ" in text(client)
    said = client.post(f"{PAGE}{row.pk}/lift/", {"why": "please"}, follow=True).content.decode()
    assert "only there, or above, it is lifted" in said


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_who_manages_nothing_reads_only(client: Client, world: World, role: Role) -> None:
    client.force_login(world.person(world.xinyi, role))
    assert 'name="subject"' not in text(client)
    values = {"subject": f"unit:{world.xinyi.pk}", "why": "x"}
    assert client.post(f"{PAGE}freeze/", values).status_code == 404
    assert not Freeze.objects.exists()


@pytest.mark.parametrize("subject", ["", "unit:", "unit:x", "user:1", "unit:999999", "account:²"])
def test_what_there_is_not_is_not_found(client: Client, world: World, subject: str) -> None:
    client.force_login(world.people["hq"])
    answer = client.post(f"{PAGE}freeze/", {"subject": subject, "why": "x"})
    assert answer.status_code == 404


def test_another_branch_and_its_account_are_not_offered(client: Client, world: World) -> None:
    client.force_login(world.people["xinyi"])
    page = text(client)
    assert f"unit:{world.xinyi.pk}" in page
    assert f"unit:{world.tainan.pk}" not in page and "account:" not in page
    answer = client.post(f"{PAGE}freeze/", {"subject": f"unit:{world.tainan.pk}", "why": "x"})
    assert answer.status_code == 404


def test_many_freezes_ask_no_more_than_one(client: Client, world: World) -> None:
    hq = world.people["hq"]
    unfreeze(freeze(world.south, by=hq, why="x"), by=hq, why="y")
    rows = [freeze(world.north, by=hq, why="x")]
    client.force_login(hq)
    queries_of(client, PAGE)
    few = queries_of(client, PAGE)
    for unit in (world.taipei, world.xinyi, world.south, world.tainan):
        rows.append(freeze(unit, by=hq, why="x"))
    # Each that may be lifted asks whether it may be: without a query for a person's own reach.
    assert queries_of(client, PAGE) == few


def test_the_list_says_which_schedules_a_freeze_holds(
    client: Client, world: World, make_schedule: Any
) -> None:
    by = world.people["xinyi"]
    actions.register(make_schedule(title="Held"), by=by)
    make_schedule(title="A draft")
    client.force_login(by)
    assert HELD not in text(client, "/admin/schedules/schedule/")
    row = freeze(world.taipei, by=world.people["north"], why="wrong prices")
    assert text(client, "/admin/schedules/schedule/").count(HELD) == 1
    unfreeze(row, by=world.people["north"], why="mended")
    freeze(world.sandbox, by=world.people["hq"], why="its token leaked")
    assert text(client, "/admin/schedules/schedule/").count(HELD) == 1


def test_five_schedules_that_are_held_ask_as_much_as_one(
    client: Client, world: World, make_schedule: Any
) -> None:
    by = world.people["xinyi"]
    freeze(world.xinyi, by=by, why="wrong prices")
    client.force_login(by)
    actions.register(make_schedule(title="Held"), by=by)
    queries_of(client, "/admin/schedules/schedule/")
    few = queries_of(client, "/admin/schedules/schedule/")
    for number in range(4):
        actions.register(make_schedule(title=f"Held {number}", text=f"{number}"), by=by)
    assert queries_of(client, "/admin/schedules/schedule/") == few


def test_the_page_of_a_run_says_that_a_freeze_holds_it(
    client: Client, world: World, make_schedule: Any
) -> None:
    by = world.people["xinyi"]
    run = actions.execute(actions.register(make_schedule(), by=by), by=by)
    page = f"/admin/schedules/run/{run.pk}/change/"
    client.force_login(by)
    assert "A freeze holds" not in text(client, page)
    freeze(world.tainan, by=world.people["hq"], why="elsewhere")
    assert "A freeze holds" not in text(client, page)
    row = freeze(world.xinyi, by=by, why="wrong prices")
    assert "A freeze holds 1 delivery back." in text(client, page)
    unfreeze(row, by=by, why="mended")
    assert "A freeze holds" not in text(client, page)


def test_of_accounts_that_are_called_alike_each_is_named_with_its_unit(
    client: Client, world: World
) -> None:
    twin = Account.objects.create(unit=world.xinyi, name=world.sandbox.name, kind="sandbox")
    client.force_login(world.people["hq"])
    both = {f"{twin.name} (Xinyi)", f"{twin.name} (HQ)"}
    assert both <= set(re.findall(">([^<]+)</option>", text(client)))
    values = {"subject": f"account:{twin.pk}", "why": "its token leaked"}
    said = client.post(f"{PAGE}freeze/", values, follow=True).content.decode()
    assert f"“{twin.name} (Xinyi)” is frozen" in said
    assert f"Account {twin.name} (Xinyi)" in said
    row = Freeze.objects.get()
    said = client.post(f"{PAGE}{row.pk}/lift/", {"why": "mended"}, follow=True).content.decode()
    assert f"“{twin.name} (Xinyi)” sends again" in said
    assert f"<h3>{twin.name} (Xinyi)</h3>" in said
