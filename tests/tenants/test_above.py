"""What a branch is told of the unit above it: its name, and what it hands down to use. Else it is
as a stranger there."""

import json

import pytest
from django.test import Client

from config.scoped import rates
from tests.conftest import World
from tests.tenants.canaries import WORD, Canaries, make_canaries
from tests.tenants.routes import Route, routes
from tests.tenants.test_matrix import QUERIES, comparable, content

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

# Templates and values are handed down.
HANDED_DOWN = (
    "/admin/schedules/messagetemplate/",
    "/admin/schedules/placeholdervalue/",
    "/api/v1/templates",
)
VERBS = ("post", "put", "patch", "delete")
BODY = {"title": "stolen", "name": "stolen", "state": "cancelled", "post": "yes", "_save": "1",
        "is_active": "", "action": "delete_selected"}  # fmt: skip


@pytest.fixture
def canaries(world: World, make_schedule, settings, tmp_path, monkeypatch) -> Canaries:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(rates, "MOST", 1_000_000)
    return make_canaries(world, make_schedule, "south")


@pytest.fixture
def below(world: World, canaries: Canaries) -> Client:
    """The manager of Tainan, which stands under the south."""
    client = Client(raise_request_exception=False)
    client.force_login(world.people["tainan"])
    return client


def test_only_what_is_handed_down_is_shown_below(below, canaries):
    numbers = {name: row.pk for name, row in canaries.rows.items()}
    shown = set()
    for route in routes(canaries):
        for query in QUERIES if route.foreign == route.missing else QUERIES[:1]:
            address = route.foreign + query.format(**numbers)
            answer = below.get(address)
            assert answer.status_code < 500, address
            if WORD in content(answer).replace(f"{WORD} branch", ""):
                shown.add(address)
    assert {address for address in shown if not address.startswith(HANDED_DOWN)} == set()
    for place in HANDED_DOWN:
        assert any(address.startswith(place) for address in shown), place


def test_what_is_not_handed_down_answers_as_what_is_not_there(below, canaries):
    different = []
    for route in asking_for_a_row(canaries):
        for verb in ("get", *VERBS):
            kind = {"content_type": "application/json"} if route.foreign.startswith("/api") else {}
            foreign, missing = (
                comparable(getattr(below, verb)(address, **kind), address)
                for address in (route.foreign, route.missing)
            )
            if foreign != missing:
                different.append((verb, route.foreign, foreign, missing))
    assert different == [], "\n".join(map(str, different))


def test_nobody_changes_what_stands_above_them(below, canaries):
    before = canaries.snapshot()
    rows = [row.pk for row in canaries.rows.values()]
    for route in routes(canaries):
        for verb in VERBS:
            if route.foreign.startswith("/api"):
                values = {"data": json.dumps(BODY), "content_type": "application/json"}
            else:
                values = {"data": BODY | {"_selected_action": rows} if verb == "post" else ""}
            answer = getattr(below, verb)(route.foreign, **values)
            assert answer.status_code < 500, (verb, route.foreign)
    assert canaries.snapshot() == before


def asking_for_a_row(canaries: Canaries) -> list[Route]:
    """A form's random uid cannot be guessed, and a new one must open a new form."""
    return [
        route
        for route in routes(canaries)
        if route.foreign != route.missing
        and "<uuid:uid>" not in route.pattern
        and not route.foreign.startswith(HANDED_DOWN)
    ]
