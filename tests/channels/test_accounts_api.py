"""Accounts in the API: secrets go in and never come out."""

import json
from typing import Any

import pytest

from channels import outgoing
from channels.models import (
    Account,
    AccountCheck,
    Audience,
    QuotaReading,
    Recipient,
    Room,
)
from config.models import KeptAnswer
from logs.models import History
from orgs.clock import database_now
from orgs.reach import Role
from tests.conftest import World
from tests.schedules.api.calling import Caller, caller, ids

pytestmark = pytest.mark.django_db

SECRET = "a-signing-secret-9f3a"


@pytest.fixture(autouse=True)
def public_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "_system_lookup", lambda host: ["93.184.216.34"])


@pytest.fixture
def api(world: World) -> Caller:
    return caller(world.people["north"])


def webhook(**values: Any) -> dict[str, Any]:
    settings = {"url": "https://example.org/in", "honours_key": "no"}
    return {
        "name": "Till",
        "channel": "webhook",
        "settings": settings,
        "secrets": {"secret": SECRET},
    } | values


def add(api: Caller, **values: Any) -> Account:
    answer = api.post("/accounts", webhook(**values))
    assert answer.status_code == 201, answer.json()
    return Account.objects.get(pk=answer.json()["id"])


def errors(answer: Any) -> set[str]:
    assert answer.status_code == 400, answer.content
    return set(answer.json()["errors"])


def test_an_account_is_added_and_its_channel_asked(api: Caller, world: World) -> None:
    answer = api.post("/accounts", webhook())
    shown = answer.json()
    account = Account.objects.get(pk=shown["id"])
    assert (account.unit, account.kind) == (world.north, "webhook")
    assert (account.secrets, account.config["url"]) == (
        {"secret": SECRET},
        "https://example.org/in",
    )
    assert shown["settings"] == account.config
    assert shown["secret_hints"] == {"secret": "…9f3a"}
    assert (shown["promise"], shown["made"]) == ("asks", {})


def test_a_secret_is_never_shown_again_nor_kept_in_the_clear(api: Caller) -> None:
    answers = [api.post("/accounts", webhook(), **{"Idempotency-Key": "once"})]
    pk = answers[0].json()["id"]
    answers += [api.get("/accounts"), api.get(f"/accounts/{pk}"), api.get("/accounts/usable")]
    answers += [api.patch(f"/accounts/{pk}", {"secrets": {"secret": SECRET + "-new"}})]
    shown = "".join(answer.content.decode() for answer in answers)
    kept = [str(list(model.objects.values())) for model in (History, Account, KeptAnswer)]
    assert "9f3a" in shown
    assert all(SECRET not in text for text in (shown, *kept))


def test_what_was_read_can_be_put_back_and_changes_no_secret(api: Caller) -> None:
    account = add(api)
    shown = api.get(f"/accounts/{account.pk}").json()
    assert api.patch(f"/accounts/{account.pk}", shown).status_code == 200
    stored = Account.objects.get(pk=account.pk)
    assert (stored.sealed, stored.config) == (account.sealed, account.config)
    assert not History.objects.filter(kind="account", verb="updated").exists()


def test_a_change_keeps_what_it_does_not_name(api: Caller) -> None:
    account = add(api)
    api.patch(f"/accounts/{account.pk}", {"settings": {"honours_key": "yes"}})
    stored = Account.objects.get(pk=account.pk)
    assert stored.config == account.config | {"honours_key": "yes"}
    assert stored.secrets == {"secret": SECRET}
    told = History.objects.get(kind="account", verb="updated").changes
    assert list(told) == ["fields"]


def test_null_removes_a_secret_and_the_channel_may_mind(api: Caller) -> None:
    account = add(api)
    answer = api.patch(f"/accounts/{account.pk}", {"secrets": {"secret": None}})
    assert errors(answer) == {"secrets.secret"}
    assert Account.objects.get(pk=account.pk).secrets == {"secret": SECRET}


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ({"channel": "pigeon"}, {"channel"}),
        ({"settings": {"url": "https://127.0.0.1/in"}}, {"settings.url"}),
        ({"settings": {"url": "", "colour": "red"}}, {"settings.colour"}),
        ({"settings": {"url": ""}}, {"settings.url"}),
        ({"settings": {"secret": SECRET}}, {"settings.secret"}),
        ({"settings": {"url": "https://example.org/in", "honours_key": "maybe"}},
         {"settings.honours_key"}),
        ({"secrets": {"url": "x"}}, {"secrets.url"}),
        ({"secrets": {"secret": "short"}}, {"secrets.secret"}),
        ({"secrets": "x"}, {"secrets"}),
        ({"new_secrets": ["secret"]}, {"new_secrets.secret"}),
        ({"name": ""}, {"name"}),
        ({"nmae": "x"}, {"nmae"}),
    ],
)  # fmt: skip
def test_what_is_not_right_is_named(api: Caller, values: Any, places: set[str]) -> None:
    assert errors(api.post("/accounts", webhook(**values))) == places
    assert not Account.objects.filter(kind="webhook").exists()


def test_urls_are_looked_up_outside_of_a_transaction_also_with_a_key(
    api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    depths = []

    def lookup(host: str) -> list[str]:
        from django.db import connection  # noqa: PLC0415 - read at the moment of the question

        depths.append(len(connection.savepoint_ids))
        return ["93.184.216.34"]

    monkeypatch.setattr(outgoing, "_system_lookup", lookup)
    api.post("/accounts", webhook(), **{"Idempotency-Key": "once"})
    assert depths == [0]  # the test's own transaction only


def test_a_made_secret_is_shown_once_also_to_who_asks_twice(api: Caller) -> None:
    phone = {"name": "Phone", "channel": "messengerbot"}
    first, again = (
        api.post("/accounts", phone, **{"Idempotency-Key": "phone"}) for _time in range(2)
    )
    account = Account.objects.get(kind="messengerbot")
    token = account.secrets["token"]
    assert first.json()["made"] == {"token": token}
    assert again.json() == first.json() | {"made": {}}
    renewed = api.patch(f"/accounts/{account.pk}", {"new_secrets": ["token"]}).json()["made"]
    assert renewed == {"token": Account.objects.get(pk=account.pk).secrets["token"]}
    assert renewed != {"token": token}
    assert token not in str(list(KeptAnswer.objects.values()))


def test_check_now_asks_once_and_its_answer_is_read_with_the_account(
    api: Caller, world: World
) -> None:
    api = caller(world.people["hq"])
    path = f"/accounts/{world.sandbox.pk}"
    for _time in range(2):
        answer = api.post(f"{path}/check")
        assert (answer.status_code, answer.json()["check"]["is_waiting"]) == (202, True)
    assert History.objects.filter(kind="account", verb="checked").count() == 1
    AccountCheck.objects.update(
        asked_at=None, checked_at=database_now(), outcome="refused", why="no"
    )
    found = api.get(path).json()["check"]
    assert (found["is_waiting"], found["outcome"], found["why"]) == (False, "refused", "no")


def test_a_channel_that_cannot_be_asked_is_a_conflict(api: Caller) -> None:
    account = add(api)
    assert api.post(f"/accounts/{account.pk}/check").status_code == 409


def test_a_change_of_a_stopped_account_asks_its_channel_and_forgets_an_old_quota(
    world: World,
) -> None:
    api = caller(world.people["hq"])
    world.sandbox.stop("Token revoked", database_now())
    QuotaReading.objects.create(account=world.sandbox, limit=5, tried_at=database_now())
    shown = api.get(f"/accounts/{world.sandbox.pk}").json()
    assert shown["stopped_why"] == "Token revoked"
    changed = api.patch(f"/accounts/{world.sandbox.pk}", {"settings": {"quota": "100"}}).json()
    assert changed["stopped_at"] is not None and changed["check"]["is_waiting"]
    assert AccountCheck.objects.get(account=world.sandbox).is_seen_to
    assert not QuotaReading.objects.filter(limit=5).exists()


def test_another_name_asks_no_channel_and_lets_nothing_go_on(world: World) -> None:
    api, path = caller(world.people["hq"]), f"/accounts/{world.sandbox.pk}"
    assert api.patch(path, {"name": "First"}).json()["check"] is None
    world.sandbox.stop("Token revoked", database_now())
    changed = api.patch(path, {"name": "Second"}).json()
    assert (changed["name"], changed["stopped_why"]) == ("Second", "Token revoked")
    assert changed["check"] is None
    assert api.patch(path, {}).json()["check"]["is_waiting"]  # seen to, as saving its page is


def test_the_channel_stays_and_so_do_the_rooms(api: Caller, world: World) -> None:
    account = add(api)
    Room.objects.create(unit=world.xinyi, account=account, name="R", address="r")
    path = f"/accounts/{account.pk}"
    assert errors(api.patch(path, {"channel": "sandbox"})) == {"channel"}
    assert errors(api.patch(path, {"unit": world.taipei.pk + 999})) == {"unit"}
    moved = caller(world.people["hq"]).patch(path, {"unit": world.south.pk})
    assert errors(moved) == {"unit"}
    assert api.patch(path, {"unit": world.hq.pk}).status_code == 400


@pytest.mark.parametrize("whose", [Audience, Recipient])
def test_an_account_does_not_move_away_from_its_people(world: World, whose: Any) -> None:
    account = Account.objects.create(unit=world.hq, name="Members", kind="sandbox")
    whose.objects.create(unit=world.xinyi, account=account, name="Regulars")
    api, path = caller(world.people["hq"]), f"/accounts/{account.pk}"
    refused = api.patch(path, {"unit": world.south.pk})
    assert errors(refused) == {"unit"}
    assert api.patch(path, {"unit": world.north.pk}).status_code == 200


def test_an_account_whose_channel_is_gone_can_be_read_and_not_changed(
    api: Caller, world: World
) -> None:
    gone = Account.objects.create(unit=world.north, name="Old", kind="removed")
    shown = api.get(f"/accounts/{gone.pk}").json()
    assert (shown["channel"], shown["promise"], shown["secret_hints"]) == ("removed", "gone", {})
    assert api.patch(f"/accounts/{gone.pk}", {"name": "New"}).status_code == 400


def test_those_below_use_a_shared_account_and_see_nothing_of_it(world: World) -> None:
    api = caller(world.people["xinyi"])
    assert ids(api.get("/accounts")) == []
    assert api.get(f"/accounts/{world.sandbox.pk}").status_code == 404
    (shown,) = api.get("/accounts/usable").json()["results"]
    assert shown == {
        "id": world.sandbox.pk, "name": "Sandbox", "channel": "sandbox", "promise": "once",
        "is_shared": True, "is_active": True, "is_own": False,
    }  # fmt: skip
    own = caller(world.people["hq"]).get("/accounts/usable").json()["results"]
    assert own[0]["is_own"] is True


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.APPROVER])
def test_accounts_are_for_managers(world: World, role: Role) -> None:
    api = caller(world.person(world.north, role))
    assert api.get("/accounts").status_code == 403
    assert api.post("/accounts", webhook()).status_code == 403


def test_nobody_adds_an_account_to_another_branch(api: Caller, world: World) -> None:
    assert errors(api.post("/accounts", webhook(unit=world.south.pk))) == {"unit"}


def test_a_list_asks_the_same_number_of_questions_for_one_and_for_thirty(
    api: Caller, world: World, django_assert_num_queries: Any
) -> None:
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert json.loads(api.get("/accounts").content)["results"]
        return len(asked)

    add(api)
    api.get("/accounts")  # the token's last use is noted once
    one = count()
    for number in range(29):
        add(api, name=f"Till {number}")
    assert count() == one
