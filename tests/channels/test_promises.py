"""What each channel promises is the same in the code and on its page."""

import re
from itertools import product
from pathlib import Path

import pytest
from django.test import Client

from channels.adapters import registry
from channels.models import Account
from channels.promises import Promise, promise_of
from tests.conftest import World
from tests.pages import queries_of

DOCS = Path(__file__).resolve().parents[2] / "docs" / "channels"
ROW = re.compile(r"^\| \[(?P<label>[^\]]+)\]\((?P<page>\w+)\.md\) \| `(?P<kind>\w+)` \| "
                 r"(?P<key>[^|]*) \| (?P<asked>[^|]*) \| (?P<so>[^|]*) \|$", re.M)  # fmt: skip
LABELS = {promise: str(promise.label) for promise in Promise if promise is not Promise.GONE}

each_kind = pytest.mark.parametrize("kind", sorted(registry()))


def rows() -> dict[str, re.Match[str]]:
    return {row["kind"]: row for row in ROW.finditer((DOCS / "README.md").read_text())}


def possible(kind: str) -> set[Promise]:
    """What an account of this channel may promise, whatever it is set to."""
    settings = registry()[kind].config_class.__dataclass_fields__
    chosen = {n: [v for v, _ in f.metadata["choices"]] for n, f in settings.items()
              if f.metadata["choices"]}  # fmt: skip
    configs = [dict(zip(chosen, values, strict=True)) for values in product(*chosen.values())]
    return {promise_of(kind, c, resends=resends) for c in configs for resends in (False, True)}


def test_the_overview_has_a_row_for_each_channel_and_no_other():
    assert set(rows()) == set(registry())


@each_kind
def test_the_page_of_a_channel_promises_what_its_accounts_may(kind):
    page = (DOCS / f"{rows()[kind]['page']}.md").read_text()
    [line] = [line for line in page.splitlines() if line.startswith("**Promise:**")]
    words = line.replace("it asks", "asks").replace("*", "")
    assert {promise for promise, label in LABELS.items() if label in words} == possible(kind)


@each_kind
def test_the_overview_says_what_the_adapter_can(kind):
    row = rows()[kind]
    if kind == "sandbox":  # it does as it is told
        assert row["key"] == "as you choose"
        return
    adapter_class = registry()[kind]
    adapter = adapter_class(adapter_class.config_class())
    is_keyed = Promise.ONCE in possible(kind)
    assert row["key"] == ("no" if not is_keyed else "yes" if adapter.takes_key else
                          "if its receiver says so")  # fmt: skip
    assert (row["asked"] != "no") == bool(adapter.confirms)
    assert (LABELS[Promise.ONCE] in row["so"]) == is_keyed
    assert (LABELS[Promise.ASKS] in row["so"]) == (Promise.ASKS in possible(kind))


def test_every_promise_is_explained():
    for promise in Promise:
        assert str(promise.meaning) and str(promise.label)


ACCOUNTS, ROOMS = "/admin/channels/account/", "/admin/channels/room/"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("config", "on_unknown", "promise"),
    [
        ({}, "ask", Promise.ONCE),
        ({"honours_key": "no"}, "ask", Promise.ASKS),
        ({"honours_key": "no"}, "resend", Promise.TWICE),
    ],
)
def test_pages_and_api_show_the_promise_of_the_account(world, config, on_unknown, promise):
    Account.objects.update(config=config, on_unknown=on_unknown)
    client = Client()
    client.force_login(world.people["hq"])
    account, room = f"{ACCOUNTS}{world.sandbox.pk}/change/", f"{ROOMS}{world.room.pk}/change/"
    for address in (ACCOUNTS, account, room):
        page = client.get(address).content.decode()
        assert str(promise.label) in page and str(promise.meaning) in page, address
    told = client.get(f"/api/v1/rooms/{world.room.pk}").json()
    assert told["promise"] == promise
    step = client.get("/admin/schedules/schedule/add/", follow=True).content.decode()
    assert step.count(str(promise.meaning)) > 1  # at each room, and explained below


@pytest.mark.django_db
def test_the_badges_of_a_list_cost_no_questions(client, world):
    client.force_login(world.people["hq"])
    few = queries_of(client, ACCOUNTS)
    for number in range(20):
        Account.objects.create(unit=world.hq, name=f"More {number}", kind="sandbox")
    assert queries_of(client, ACCOUNTS) == few


@pytest.mark.django_db
def test_where_the_channel_of_a_new_account_is_chosen_each_says_what_it_promises(
    client: Client, world: World
) -> None:
    client.force_login(world.people["hq"])
    page = client.get("/admin/channels/account/add/").content.decode()
    assert page.count("tj-state") == len(registry())
    assert "exactly once" in page
    assert "asks when unsure" in page
