"""Why somebody may or may not: the deciding role and unit, as those functions say that decide."""

import itertools
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from channels.models import Account, Room
from config.organisation.why import ASKED, Asked
from orgs.models import Member, Token, Unit, User
from orgs.reach import Role, can, can_in
from schedules.actions import register
from schedules.models import MessageTemplate
from tests.conftest import World

pytestmark = pytest.mark.django_db

PAGE = "/admin/organisation/why/"


def said(user: User, unit: Unit, **values: Any) -> dict[str, tuple[bool, str]]:
    return {one.name: (one.may, one.because) for one in Asked(user, unit, **values).answers()}


def test_the_deciding_role_and_unit_are_named(world: World) -> None:
    operator = world.person(world.taipei, Role.OPERATOR)
    assert said(operator, world.xinyi) == {
        "view": (True, "operator of Taipei, above Xinyi"),
        "register": (True, "operator of Taipei, above Xinyi"),
        "approve": (False, "needs the role approver; is operator of Taipei"),
        "rooms": (False, "needs the role manager; is operator of Taipei"),
        "accounts": (False, "needs the role manager; is operator of Taipei"),
        "people": (False, "needs the role manager; is operator of Taipei"),
        "units": (False, "only a headquarters does this; is operator of Taipei"),
    }
    assert said(operator, world.taipei)["view"] == (True, "operator of Taipei")
    assert said(operator, world.north)["view"] == (
        False,
        "is operator of Taipei, and North does not stand under it",
    )


def test_who_is_inactive_or_nowhere_or_stopped_is_told_so(world: World) -> None:
    stranger = world.people["stranger"]
    assert said(stranger, world.xinyi)["view"] == (False, "belongs to no unit")
    Unit.objects.filter(pk=world.north.pk).update(is_active=False)
    person = User.objects.get(username="xinyi")
    assert said(person, world.xinyi)["view"] == (
        False,
        "North is not active, and nobody in it or under it may do anything",
    )
    gone = User.objects.create(username="gone", is_active=False)
    assert said(gone, world.xinyi)["view"] == (False, "is not active and cannot sign in")


def test_a_token_lacks_a_scope(world: World) -> None:
    person = world.people["xinyi"]
    token, _key = Token.issue(user=person, name="till", scopes=["read"])
    found = said(person, world.xinyi, token=token)
    assert found["view"][0]
    assert found["register"] == (
        False,
        "the token “till” has none of these scopes: write",
    )


def test_what_waits_for_approval_is_noted(world: World) -> None:
    Unit.objects.filter(pk=world.north.pk).update(approval="demanded")
    notes = list(Asked(world.people["xinyi"], world.xinyi).notes())
    assert notes == ["What they register here waits for approval: North demands it."]
    assert list(Asked(world.people["north"], world.xinyi).notes()) == []


def test_a_shared_account_can_be_used_from_below(world: World) -> None:
    found = said(world.people["xinyi"], world.hq, row=world.sandbox)
    assert found["use"] == (True, "a unit above shares it")
    assert found["view"][0] is False


def test_every_answer_is_that_of_the_function_that_decides(world: World) -> None:
    people = [
        *world.people.values(),
        *(world.person(unit, role) for unit in (world.hq, world.taipei) for role in Role),
    ]
    units = [world.hq, world.north, world.xinyi, world.tainan]
    for person, unit in itertools.product(people, units):
        told = said(person, unit)
        for name, (_words, act, model) in ASKED.items():
            assert told[name][0] == can_in(person, act, model, unit), (person, unit, name)
        rows = [world.room, world.sandbox, world.tainan_room]
        for row in rows:
            found = {one.name: one.may for one in Asked(person, unit, row).answers()}
            assert found == {act: can(person, act, row) for act in ("view", "use", "change")}


def test_the_page_asks_only_of_people_and_units_within_reach(world: World) -> None:
    client = Client()
    client.force_login(world.people["north"])
    xinyi, south = (Member.objects.get(user__username=name) for name in ("xinyi", "south"))
    page = client.get(f"{PAGE}?person={xinyi.pk}&unit={world.taipei.pk}")
    assert "is manager of Xinyi, and Taipei does not stand under it" in page.text
    page = client.get(f"{PAGE}?person={south.pk}&unit={world.south.pk}")
    assert page.context["person"].user.username == "north"
    assert page.context["unit"] == world.north
    assert "South" not in page.text
    client.force_login(world.people["stranger"])
    assert client.get(PAGE).status_code == 404


@pytest.mark.parametrize("query", ["person=x", "unit=" + "9" * 40, "object=room:x", "page=/admin/x",
                                   "object=nothing:1", "page=%00", "token=-1"])  # fmt: skip
def test_an_address_that_names_nothing_is_answered(world: World, query: str) -> None:
    client = Client()
    client.force_login(world.people["north"])
    assert client.get(f"{PAGE}?{query}").status_code in (200, 400)


def test_a_refused_page_leads_to_the_role_that_is_missing(world: World) -> None:
    mine = Account.objects.create(unit=world.xinyi, name="Ours", kind="sandbox")
    client = Client()
    client.force_login(world.person(world.xinyi, Role.OPERATOR))
    address = f"/admin/channels/account/{mine.pk}/change/"
    refused = client.get(address)
    assert refused.status_code in (403, 404)
    assert f'href="{PAGE}?page={address}"' in refused.text
    assert "needs the role manager; is operator of Xinyi" in client.get(
        f"{PAGE}?page={address}"
    ).text.replace("Needs", "needs")


def test_a_foreign_page_and_a_missing_one_are_explained_alike(world: World) -> None:
    client = Client()
    client.force_login(world.people["xinyi"])
    texts = set()
    for pk in (world.tainan_room.pk, 999_999_999):
        address = f"/admin/channels/room/{pk}/change/"
        text = client.get(f"{PAGE}?page={address}").text.replace(address, "")
        texts.add(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text))
    assert len(texts) == 1
    assert "Nothing that you reach stands at this address" in texts.pop()


@pytest.mark.parametrize("kind", ["schedules_schedule", "channels_room", "channels_account",
                                  "schedules_messagetemplate"])  # fmt: skip
def test_the_page_of_an_object_leads_to_who_may_do_what_with_it(
    world: World, make_schedule: Any, kind: str
) -> None:
    template = MessageTemplate.objects.create(unit=world.xinyi, name="Hello")
    made = make_schedule()
    register(made, by=world.people["xinyi"])
    rows = {"schedule": made, "room": world.room, "account": world.sandbox}
    name = kind.partition("_")[2]
    row = rows.get(name, template)
    client = Client()
    client.force_login(world.people["hq"])
    page = client.get(reverse(f"admin:{kind}_change", args=[row.pk])).content.decode()
    link = f"{reverse('organisation-why')}?object={name}:{row.pk}"
    assert f'href="{link}"' in page
    assert str(row) in client.get(link).content.decode()


def test_the_command_says_it_in_lines(world: World, manage: Any) -> None:
    world.person(world.taipei, Role.OPERATOR)
    found = manage("why", "taipei-operator", "xinyi", "register")
    assert (found.status, found.out) == (0, "register  yes  operator of Taipei, above Xinyi\n")
    found = manage("why", "taipei-operator", "xinyi", "approve")
    assert (found.status, found.out.split()[:2]) == (1, ["approve", "no"])
    room = Room.objects.get(name="Tainan room")
    no = manage("why", "xinyi", f"room:{room.pk}", "view")
    assert (no.status, no.err) == (1, "") and "does not stand under it" in no.out
    told = manage("why", "taipei-operator", "xinyi", "approve", "--json")
    assert (told.status, told.json["notes"]) == (1, [])
    (answer,) = told.json["answers"]
    assert (answer["name"], answer["may"]) == ("approve", False)
    assert manage("why", "nobody", "xinyi").status == 2
    assert manage("why", "xinyi", "room:x").status == 2
    assert manage("why", "xinyi", "nowhere").status == 2
    assert manage("why", "xinyi", "xinyi", "--token", "none").status == 2
