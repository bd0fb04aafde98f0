"""An account that is not shared any more: what uses it can be changed, and nothing new begins."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from channels.models import Account, Audience, Recipient, Room
from tests.conftest import World
from tests.schedules.api.calling import Caller, caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(world: World) -> Account:
    return Account.objects.create(unit=world.north, name="Once shared", kind="sandbox")


@pytest.fixture
def room(world: World, account: Account) -> Room:
    return Room.objects.create(unit=world.xinyi, account=account, name="Lobby", address="lobby")


@pytest.fixture
def audience(world: World, account: Account) -> Audience:
    return Audience.objects.create(unit=world.xinyi, account=account, name="Members")


@pytest.fixture
def person(world: World, account: Account) -> Recipient:
    return Recipient.objects.create(unit=world.xinyi, account=account, name="Mei", address="mei")


@pytest.fixture
def api(world: World) -> Caller:
    return caller(world.people["xinyi"])


@pytest.mark.parametrize("what", ["room", "audience", "person"])
def test_its_page_changes_what_uses_it_already(
    request: pytest.FixtureRequest, client: Client, world: World, account: Account, what: str
) -> None:
    row: Any = request.getfixturevalue(what)
    client.force_login(world.people["xinyi"])
    address = reverse(f"admin:channels_{row._meta.model_name}_change", args=[row.pk])
    form = client.get(address).context["adminform"].form
    stands = {name: form[name].value() for name in form.fields if form[name].value()}
    answer = client.post(address, stands | {"name": "Renamed"})
    assert answer.status_code == 302, answer.context["errors"]
    row.refresh_from_db()
    assert (row.name, row.account) == ("Renamed", account)


@pytest.mark.parametrize(
    ("what", "path"),
    [("room", "rooms"), ("audience", "audiences"), ("person", "recipients")],
)
def test_what_the_api_has_told_can_be_put_back(
    request: pytest.FixtureRequest, api: Caller, account: Account, what: str, path: str
) -> None:
    row: Any = request.getfixturevalue(what)
    body = {"name": "Renamed", "account": account.pk}
    answer = api.patch(f"/{path}/{row.pk}", body)
    assert answer.status_code == 200, answer.json()


def test_nothing_new_begins_with_it(
    api: Caller, client: Client, world: World, room: Room, account: Account
) -> None:
    body = {"unit": world.xinyi.pk, "account": account.pk, "name": "New", "address": "new"}
    assert set(api.post("/rooms", body).json()["errors"]) == {"account"}
    other = f"/rooms/{world.room.pk}"
    assert set(api.patch(other, {"account": account.pk}).json()["errors"]) == {"account"}
    client.force_login(world.people["xinyi"])
    page = client.get(reverse("admin:channels_room_add"))
    assert "Once shared" not in page.content.decode()


def test_of_many_people_at_once_those_who_are_there_are_changed_and_no_others(
    api: Caller, person: Recipient, account: Account
) -> None:
    items = [
        {"account": account.pk, "address": "mei", "name": "Renamed"},
        {"account": account.pk, "address": "new", "name": "New"},
    ]
    there, new = api.post("/recipients/batch", {"items": items}).json()["results"]
    assert (there["status"], new["status"]) == (200, 400)
    assert set(new["problem"]["errors"]) == {"account"}
    person.refresh_from_db()
    assert person.name == "Renamed"
