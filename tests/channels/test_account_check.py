"""The check of an account in the admin: asked for by saving and by a button, shown as it stands."""

from collections.abc import Callable

import pytest
from django.test import Client

from channels import outgoing
from channels.models import Account, AccountCheck
from logs.models import History
from orgs.clock import database_now
from orgs.reach import Role
from tests.conftest import World

ACCOUNTS = "/admin/channels/account/"
SANDBOX = {
    "name": "Sandbox", "is_active": "on", "is_shared": "on", "on_unknown": "ask",
    "setting_behaviour": "accept", "setting_honours_key": "yes", "setting_quota": "",
}  # fmt: skip


@pytest.fixture(autouse=True)
def public_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "_system_lookup", lambda host: ["93.184.216.34"])


def page_of(account: Account) -> str:
    return f"{ACCOUNTS}{account.pk}/change/"


def found(account: Account, **values: object) -> AccountCheck:
    values = {"checked_at": database_now()} | values
    return AccountCheck.objects.update_or_create(account=account, defaults=values)[0]


@pytest.fixture
def manager(client: Client, world: World) -> Client:
    client.force_login(world.people["hq"])
    return client


def test_saving_an_account_asks_its_channel_and_leads_to_the_answer(
    manager: Client, world: World
) -> None:
    values = SANDBOX | {"unit": world.hq.pk, "setting_behaviour": "refuse"}
    answer = manager.post(page_of(world.sandbox), values)
    assert answer.headers["Location"] == f"{page_of(world.sandbox)}#check"
    assert AccountCheck.objects.get(account=world.sandbox).asked_at is not None
    assert "A worker is asking the channel" in manager.get(page_of(world.sandbox)).content.decode()


def test_a_new_account_is_asked_about_at_once(manager: Client, world: World) -> None:
    values = SANDBOX | {"unit": world.hq.pk, "name": "Second"}
    answer = manager.post(f"{ACCOUNTS}add/?channel=sandbox", values)
    made = Account.objects.get(name="Second")
    assert answer.headers["Location"] == f"{page_of(made)}#check"
    assert AccountCheck.objects.filter(account=made, asked_at__isnull=False).exists()


def test_check_now_asks_once_however_often_it_is_pressed(manager: Client, world: World) -> None:
    for _press in range(2):
        answer = manager.post(f"{ACCOUNTS}{world.sandbox.pk}/check/")
        assert answer.headers["Location"] == f"{page_of(world.sandbox)}#check"
    assert History.objects.filter(kind="account", verb="checked").count() == 1


def test_the_answer_replaces_the_question_on_the_page(manager: Client, world: World) -> None:
    found(world.sandbox, asked_at=database_now())
    state = f"{ACCOUNTS}{world.sandbox.pk}/check/state/"
    assert f'hx-get="{state}"' in manager.get(state).content.decode()
    found(world.sandbox, asked_at=None, outcome="refused", why="LINE refused: no")
    shown = manager.get(state).content.decode()
    assert "hx-get" not in shown
    assert "LINE refused: no" in shown
    assert "correct the settings below" in shown
    assert "Checked" in shown


def test_a_good_answer_has_the_name_that_the_channel_gives_it(
    manager: Client, world: World
) -> None:
    found(world.sandbox, outcome="good", name="Gangnam news")
    assert "calls it “Gangnam news”" in manager.get(page_of(world.sandbox)).content.decode()


def test_a_channel_that_cannot_be_asked_says_so_and_has_no_button(
    manager: Client, world: World
) -> None:
    account = Account(unit=world.hq, name="Till", kind="webhook")
    account.config = {"url": "https://example.org/in", "honours_key": "no"}
    account.save()
    page = manager.get(page_of(account)).content.decode()
    assert "cannot be asked without sending" in page
    assert "/check/" not in page
    manager.post(f"{ACCOUNTS}{account.pk}/check/")
    assert not AccountCheck.objects.exists()


@pytest.mark.parametrize("address", [page_of, lambda account: ACCOUNTS])
def test_a_stopped_account_says_why_on_its_page_and_in_the_list(
    manager: Client, world: World, address: Callable[[Account], str]
) -> None:
    stopped = {"stopped_at": database_now(), "stopped_why": "The token was refused."}
    Account.objects.filter(pk=world.sandbox.pk).update(**stopped)
    page = manager.get(address(world.sandbox)).content.decode()
    assert "The token was refused." in page
    assert "tj-bad" in page


def test_only_who_manages_the_account_has_it_checked(client: Client, world: World) -> None:
    address = f"{ACCOUNTS}{world.sandbox.pk}/check/"
    for person in (world.people["north"], world.person(world.hq, Role.APPROVER)):
        client.force_login(person)
        assert client.post(address).status_code in (403, 404)
        assert client.get(f"{address}state/").status_code in (403, 404)
    client.force_login(world.people["hq"])
    assert client.get(address).status_code == 405
    assert not AccountCheck.objects.exists()
