"""Accounts, rooms and images in the admin."""

import html
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override

from channels import outgoing
from channels.adapters import registry
from channels.models import Account, Image, Room
from logs.models import History
from orgs.reach import Role
from tests.conftest import World
from tests.pages import queries_of

ACCOUNTS, ROOMS, IMAGES = (
    "/admin/channels/account/",
    "/admin/channels/room/",
    "/admin/channels/image/",
)
SECRET = "a-signing-secret-9f3a"


@pytest.fixture(autouse=True)
def public_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name leads to a public address: the tests ask no DNS."""
    monkeypatch.setattr(outgoing, "_system_lookup", lambda host: ["93.184.216.34"])


def webhook(world: World, **other: Any) -> dict[str, Any]:
    return {
        "unit": world.north.pk, "name": "Till", "is_active": "on", "on_unknown": "ask",
        "setting_url": "https://example.org/in", "setting_secret": SECRET,
        "setting_honours_key": "no",
    } | other  # fmt: skip


def add_webhook(client: Client, world: World) -> Account:
    assert client.post(f"{ACCOUNTS}add/?channel=webhook", webhook(world)).status_code == 302
    return Account.objects.get(kind="webhook")


def room(world: World, **other: Any) -> dict[str, Any]:
    return {
        "unit": world.xinyi.pk, "account": world.sandbox.pk, "name": "New", "address": "new",
        "kind": "live", "is_active": "on",
    } | other  # fmt: skip


# Accounts


def test_the_channel_is_chosen_first(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    page = client.get(f"{ACCOUNTS}add/").content.decode()
    assert "teiji/schedules.css" in page  # which draws the badges of what each promises
    for kind, adapter in registry().items():
        with override("en"):
            assert f"?channel={kind}" in page and str(adapter.label) in page
    assert client.get(f"{ACCOUNTS}add/?channel=nothing").templates[0].name == (
        "channels/choose_channel.html"
    )


@pytest.mark.parametrize("kind", sorted(registry()))
def test_each_channel_has_a_form_made_from_its_settings(
    client: Client, world: World, kind: str
) -> None:
    client.force_login(world.people["hq"])
    form = client.get(f"{ACCOUNTS}add/?channel={kind}").context["adminform"].form
    wanted = {f"setting_{name}" for name in registry()[kind].config_class.__dataclass_fields__}
    assert wanted <= set(form.fields)


def test_secrets_are_sealed_and_never_shown(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    account = add_webhook(client, world)
    assert account.secrets == {"secret": SECRET}
    assert account.config == {"url": "https://example.org/in", "honours_key": "no"}
    change = f"{ACCOUNTS}{account.pk}/change/"
    wrong = client.post(change, webhook(world, setting_secret="short", setting_url=""))
    pages = [client.get(change), client.get(ACCOUNTS), client.get("/admin/logs/history/"), wrong]
    assert wrong.status_code == 200 and "…9f3a" in pages[0].content.decode()
    for page in pages:
        text = page.content.decode()
        assert SECRET not in text and account.sealed not in text and 'value="short"' not in text
    assert SECRET not in str(list(History.objects.values()))


def test_an_empty_secret_keeps_the_stored_one_and_it_can_be_cleared(
    client: Client, world: World
) -> None:
    client.force_login(world.people["hq"])
    account = add_webhook(client, world)
    change = f"{ACCOUNTS}{account.pk}/change/"
    client.post(change, webhook(world, setting_secret="", name="Renamed"))
    kept = Account.objects.get(pk=account.pk)
    assert (kept.name, kept.secrets) == ("Renamed", {"secret": SECRET})
    line = {"unit": world.north.pk, "name": "LINE", "is_active": "on", "on_unknown": "ask",
            "setting_channel_id": "123", "setting_channel_secret": "s" * 32,
            "setting_access_token": "token-abcd"}  # fmt: skip
    assert client.post(f"{ACCOUNTS}add/?channel=line", line).status_code == 302
    account = Account.objects.get(kind="line")
    cleared = line | {"setting_access_token": "", "setting_channel_secret": ""}
    client.post(f"{ACCOUNTS}{account.pk}/change/", cleared | {"clear_access_token": "on"})
    assert Account.objects.get(pk=account.pk).secrets == {"channel_secret": "s" * 32}


def test_what_the_channel_finds_wrong_stands_at_its_field(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    posted = webhook(world, setting_secret="short", setting_url="")
    answer = client.post(f"{ACCOUNTS}add/?channel=webhook", posted)
    assert {"setting_url", "setting_secret"} <= set(answer.context["adminform"].form.errors)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/in", "http://example.org/", "https://u:p@e.org"]
)
def test_an_unsafe_url_is_refused(client: Client, world: World, url: str) -> None:
    client.force_login(world.people["hq"])
    answer = client.post(f"{ACCOUNTS}add/?channel=webhook", webhook(world, setting_url=url))
    assert set(answer.context["adminform"].form.errors) == {"setting_url"}
    assert not Account.objects.filter(kind="webhook").exists()


def test_urls_are_looked_up_outside_of_the_transaction(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    depths = []

    def lookup(host: str) -> list[str]:
        from django.db import connection  # noqa: PLC0415 - read at the moment of the question

        depths.append(len(connection.savepoint_ids))
        return ["93.184.216.34"]

    monkeypatch.setattr(outgoing, "_system_lookup", lookup)
    client.force_login(world.people["hq"])
    add_webhook(client, world)
    assert depths == [0]  # the test's own transaction only


def phone(world: World, **other: Any) -> dict[str, Any]:
    return {
        "unit": world.north.pk, "name": "Phone", "is_active": "on", "on_unknown": "ask",
        "setting_wait_seconds": "180", "setting_pause_seconds": "2",
    } | other  # fmt: skip


def test_a_phones_token_is_made_and_shown_once_within_its_script(
    client: Client, world: World
) -> None:
    client.force_login(world.people["hq"])
    answer = client.post(f"{ACCOUNTS}add/?channel=messengerbot", phone(world))
    account = Account.objects.get(kind="messengerbot")
    token = account.secrets["token"]
    assert len(token) > 40
    script = html.unescape(answer.content.decode())
    assert f'var TOKEN = "{token}";' in script
    assert f'var ADDRESS = "http://127.0.0.1:8000/pull/{account.hook}/";' in script
    change = f"{ACCOUNTS}{account.pk}/change/"
    page = client.get(change).content.decode()
    assert token not in page and f"/pull/{account.hook}/" in page
    assert token not in str(list(History.objects.values()))


def test_a_phones_token_stays_until_a_new_one_is_wanted(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    client.post(f"{ACCOUNTS}add/?channel=messengerbot", phone(world))
    account = Account.objects.get(kind="messengerbot")
    change = f"{ACCOUNTS}{account.pk}/change/"
    assert client.post(change, phone(world, name="Renamed")).status_code == 302
    kept = Account.objects.get(pk=account.pk)
    assert (kept.name, kept.secrets) == ("Renamed", account.secrets)
    answer = client.post(change, phone(world, setting_token="on"))
    changed = Account.objects.get(pk=account.pk).secrets["token"]
    assert changed != account.secrets["token"]
    assert changed in answer.content.decode()


def test_the_channel_of_an_account_does_not_change(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    account = add_webhook(client, world)
    client.post(f"{ACCOUNTS}{account.pk}/change/?channel=sandbox", webhook(world, kind="sandbox"))
    assert Account.objects.get(pk=account.pk).kind == "webhook"


@pytest.mark.parametrize(
    ("values", "promise"),
    [
        ({"kind": "line"}, "once"),
        ({"kind": "sandbox", "config": {"honours_key": "no"}}, "asks"),
        ({"kind": "sandbox", "config": {"honours_key": "no"}, "on_unknown": "resend"}, "twice"),
        ({"kind": "sandbox", "config": {}, "on_unknown": "resend"}, "once"),
        ({"kind": "removed"}, "gone"),
    ],
)
def test_an_account_says_what_it_can_promise(values: dict[str, Any], promise: str) -> None:
    assert Account(**values).promise == promise


def test_an_account_of_a_channel_that_is_gone_can_be_looked_at(
    client: Client, world: World
) -> None:
    account = Account.objects.create(unit=world.hq, name="Old", kind="removed")
    client.force_login(world.people["hq"])
    assert client.get(ACCOUNTS).status_code == 200
    assert client.get(f"{ACCOUNTS}{account.pk}/change/").status_code == 200


def test_accounts_are_for_managers_of_their_units(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    account = add_webhook(client, world)
    change = f"{ACCOUNTS}{account.pk}/change/"
    for person, is_seen in (("north", True), ("taipei", False), ("south", False)):
        client.force_login(world.people[person])
        assert (client.get(change).status_code == 200) == is_seen, person
    client.force_login(world.person(world.north, Role.APPROVER))
    assert client.get(ACCOUNTS).status_code == 403


def test_an_account_does_not_move_away_from_its_rooms(client: Client, world: World) -> None:
    client.force_login(world.people["hq"])
    account = add_webhook(client, world)
    Room.objects.create(unit=world.xinyi, account=account, name="R", address="r")
    moved = webhook(world, unit=world.south.pk, setting_secret="")
    answer = client.post(f"{ACCOUNTS}{account.pk}/change/", moved)
    assert set(answer.context["adminform"].form.errors) == {"unit"}


# Rooms


def test_a_manager_adds_a_room_on_a_shared_account(client: Client, world: World) -> None:
    client.force_login(world.people["xinyi"])
    assert client.post(f"{ROOMS}add/", room(world)).status_code == 302
    assert Room.objects.get(name="New").unit == world.xinyi


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.APPROVER])
def test_others_only_look_at_rooms(client: Client, world: World, role: Role) -> None:
    client.force_login(world.person(world.xinyi, role))
    assert client.get(ROOMS).status_code == 200
    assert client.post(f"{ROOMS}add/", room(world)).status_code == 403
    assert client.post(f"{ROOMS}{world.room.pk}/change/", room(world)).status_code == 403


@pytest.mark.parametrize(
    ("person", "seen"),
    [
        ("hq", {"Xinyi room", "Xinyi test", "Tainan room"}),
        ("taipei", {"Xinyi room", "Xinyi test"}),
        ("tainan", {"Tainan room"}),
    ],
)
def test_rooms_are_seen_within_reach(
    client: Client, world: World, person: str, seen: set[str]
) -> None:
    client.force_login(world.people[person])
    assert {found.name for found in client.get(ROOMS).context["cl"].queryset} == seen


def test_a_room_stays_within_reach_of_person_and_account(client: Client, world: World) -> None:
    own = Account.objects.create(unit=world.south, name="South's", kind="sandbox")
    client.force_login(world.people["taipei"])
    for posted in (room(world, unit=world.tainan.pk), room(world, account=own.pk)):
        assert client.post(f"{ROOMS}add/", posted).status_code == 200
    client.force_login(world.people["hq"])
    answer = client.post(f"{ROOMS}add/", room(world, account=own.pk))
    assert set(answer.context["adminform"].form.errors) == {"account"}
    assert not Room.objects.filter(name="New").exists()


def test_the_address_is_checked_by_the_channel(client: Client, world: World) -> None:
    line = Account.objects.create(unit=world.hq, name="LINE", kind="line", is_shared=True)
    client.force_login(world.people["xinyi"])
    answer = client.post(f"{ROOMS}add/", room(world, account=line.pk, address="somewhere"))
    assert set(answer.context["adminform"].form.errors) == {"address"}


@pytest.mark.parametrize("lookup", ["account__sealed__startswith", "account__config__contains",
                                    "unit__code", "account__unit__name"])  # fmt: skip
def test_a_list_cannot_be_asked_about_what_it_does_not_show(
    client: Client, world: World, lookup: str
) -> None:
    client.force_login(world.people["xinyi"])
    assert client.get(ROOMS, {lookup: "a"}).status_code == 400
    assert client.get(ROOMS, {"account__id__exact": world.sandbox.pk}).status_code == 200


# Images


def test_images_are_looked_at_within_reach(
    client: Client, world: World, make_images: Callable[[int], list[Image]]
) -> None:
    (image,) = make_images(1)
    client.force_login(world.people["taipei"])
    assert f"/media/{image.pk}/preview" in client.get(IMAGES).content.decode()
    assert client.post(f"{IMAGES}{image.pk}/change/", {"name": "x"}).status_code == 403
    client.force_login(world.people["tainan"])
    assert f"/media/{image.pk}/preview" not in client.get(IMAGES).content.decode()


def test_the_lists_ask_the_same_number_of_questions_for_one_row_and_for_thirty(
    client: Client, world: World, make_images: Callable[[int], list[Image]]
) -> None:
    def add(number: int) -> None:
        Account.objects.create(unit=world.tainan, name=f"A{number}", kind="sandbox")
        Room.objects.create(
            unit=world.tainan, account=world.sandbox, name=f"R{number}", address=f"r{number}"
        )

    add(0)
    image = make_images(1)[0]
    Image.objects.update(unit=world.tainan)
    client.force_login(world.people["tainan"])
    ones = [queries_of(client, address) for address in (ACCOUNTS, ROOMS, IMAGES)]
    for number in range(1, 30):
        add(number)
        image.pk = None
        image._state.adding = True
        image.unit = world.tainan
        image.save()
    assert [queries_of(client, address) for address in (ACCOUNTS, ROOMS, IMAGES)] == ones


def test_a_room_is_never_deleted_and_its_page_says_how_to_retire_it(client, world):
    client.force_login(world.people["hq"])
    address = f"/admin/channels/room/{world.room.pk}"
    page = client.get(f"{address}/change/").content.decode()
    assert "A room is never deleted, since the log names it: make it inactive." in page
    assert f"{address}/delete/" not in page
    assert "delete_selected" not in client.get("/admin/channels/room/").content.decode()
    assert client.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    assert Room.objects.filter(pk=world.room.pk).exists()


def test_the_button_that_deletes_has_its_words_in_the_order_of_the_language(
    client: Client, world: World
) -> None:
    client.force_login(world.people["hq"])
    client.cookies["django_language"] = "ko"
    account = add_webhook(client, world)
    page = client.get(f"{ACCOUNTS}{account.pk}/change/", headers={"accept-language": "ko"})
    shown = " ".join(page.content.decode().split())
    assert "계정 삭제" in shown
    assert "삭제 계정" not in shown
