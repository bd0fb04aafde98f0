"""Every route × every person × every verb, with rows that could leak: nothing does."""

import json

import pytest
from django.contrib import admin
from django.test import Client

from config.scoped import rates
from orgs.models import Member
from orgs.reach import Role
from schedules.actions.move_unit import move_unit
from tests.tenants.canaries import OF_THE_TOP, SEES, WORD, each_of, make_canaries
from tests.tenants.routes import routes

pytestmark = pytest.mark.django_db

QUERIES = ("", f"?q={WORD.lower()}", "?unit__id__exact={unit}", "?room__id__exact={room}", "?e=1")


@pytest.fixture(autouse=True)
def _none_is_one_too_many(monkeypatch):
    monkeypatch.setattr(rates, "MOST", 1_000_000)


@pytest.fixture
def canaries(world, make_schedule, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return make_canaries(world, make_schedule)


@pytest.fixture
def sign_in(world):
    def make(who: str) -> Client:
        client = Client(raise_request_exception=False)
        if who != "anonymous":
            client.force_login(world.people[who])
        return client

    return make


def content(response) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return body.decode(errors="replace") + str(dict(response.headers))


def comparable(response, address: str) -> tuple[int, str]:
    """An answer without what only repeats the address that was asked."""
    assert not response.streaming
    body = response.content.decode() if response.status_code >= 400 else ""
    where = response.headers.get("Location", "")
    text = f"{body}{where}".replace(address, "")
    # An id that was asked for may stand in where to go next.
    for repeated in (f"object_id={row_of(address)}", f"/{row_of(address)}/"):
        text = text.replace(repeated, "")
    return response.status_code, text


def row_of(address: str) -> str:
    """The id that the address asks for."""
    return next((part for part in address.split("/") if part.isdigit()), "")


@each_of("xinyi", "north", "taipei", "stranger", "anonymous")
def test_no_page_shows_a_word_of_another_branch(canaries, sign_in, who):
    assert leaks_to(sign_in(who), canaries) == []


def leaks_to(client, canaries) -> list[str]:
    """The addresses that show this person the word."""
    numbers = {name: row.pk for name, row in canaries.rows.items()}
    leaks = []
    for route in routes(canaries):
        for query in QUERIES if route.foreign == route.missing else QUERIES[:1]:
            address = route.foreign + query.format(**numbers)
            answer = client.get(address)
            assert answer.status_code < 500, address
            if WORD in content(answer):
                leaks.append(address)
    return leaks


@each_of("xinyi", "north", "taipei", "stranger", "anonymous")
def test_a_foreign_row_and_a_missing_one_answer_alike(canaries, sign_in, who):
    client = sign_in(who)
    different = []
    for route in routes(canaries):
        # A form's random uid cannot be guessed, and a new one must open a new form.
        if route.foreign == route.missing or "<uuid:uid>" in route.pattern:
            continue
        for verb in ("get", "post", "put", "patch", "delete"):
            kind = {"content_type": "application/json"} if route.foreign.startswith("/api") else {}
            foreign, missing = (
                comparable(getattr(client, verb)(address, **kind), address)
                for address in (route.foreign, route.missing)
            )
            if foreign != missing:
                different.append((verb, route.foreign, foreign, missing))
    assert different == [], "\n".join(map(str, different))


@each_of("xinyi", "north", "taipei", "stranger", "anonymous")
def test_nobody_changes_a_row_out_of_reach(canaries, sign_in, who):
    client = sign_in(who)
    before = canaries.snapshot()
    body = {"title": "stolen", "name": "stolen", "state": "cancelled", "post": "yes", "_save": "1",
            "is_active": "", "action": "delete_selected"}  # fmt: skip
    for route in routes(canaries):
        own_action = body | {"_selected_action": [row.pk for row in canaries.rows.values()]}
        for verb in ("post", "put", "patch", "delete"):
            if route.foreign.startswith("/api"):
                values = {"data": json.dumps(body), "content_type": "application/json"}
            else:
                values = {"data": own_action if verb == "post" else ""}
            answer = getattr(client, verb)(route.foreign, **values)
            assert answer.status_code < 500, (verb, route.foreign)
            assert WORD not in content(answer), (verb, route.foreign)
    assert canaries.snapshot() == before


@pytest.mark.parametrize("who", sorted(SEES))
def test_who_reaches_the_rows_does_see_them(canaries, sign_in, who):
    """Else the tests above would prove nothing."""
    assert_sees(sign_in(who), canaries, who)


def assert_sees(client, canaries, who: str) -> None:
    shown = canaries.rows.keys() - (set() if who == "hq" else OF_THE_TOP)
    unseen = [
        model._meta.model_name
        for model in admin.site._registry
        if model._meta.model_name in shown
        and WORD
        not in content(client.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/"))
    ]
    assert unseen == []
    start = content(client.get("/admin/"))
    assert WORD in start[start.index("st-sorts") :].partition("</section>")[0]
    assert WORD in content(client.get("/admin/not-confirmed/"))
    for name in (
        "schedules",
        "logs",
        "not-confirmed",
        "rooms",
        "images",
        "quota",
        "units",
        "members",
    ):
        assert WORD in content(client.get(f"/api/v1/{name}")), name


@pytest.fixture
def moved(world, canaries):
    """Tainan stands under the north now. Those whom it left know under which name it did."""
    tainan = type(world.tainan).objects.filter(pk=world.tainan.pk)
    tainan.update(name="Tainan")
    move_unit(world.tainan, to=world.north, by=world.people["hq"])
    tainan.update(name=f"{WORD} branch")


@each_of("south", "taipei", "xinyi", "stranger")
def test_after_a_move_those_who_were_above_see_nothing(moved, canaries, sign_in, who):
    assert leaks_to(sign_in(who), canaries) == []


@pytest.mark.parametrize("who", ["hq", "north", "tainan"])
def test_after_a_move_those_who_are_above_see_it_all(moved, canaries, sign_in, who):
    assert_sees(sign_in(who), canaries, who)


def test_a_viewer_changes_nothing_anywhere(world, canaries):
    viewer = world.person(world.tainan, Role.VIEWER)
    client = Client(raise_request_exception=False)
    client.force_login(viewer)
    before = canaries.snapshot()
    for route in routes(canaries):
        for verb in ("post", "put", "patch", "delete"):
            kind = {"content_type": "application/json"} if route.foreign.startswith("/api") else {}
            answer = getattr(client, verb)(route.foreign, **kind)
            assert answer.status_code < 500, (verb, route.foreign)
    assert canaries.snapshot() == before


def test_who_loses_the_membership_sees_nothing_at_once(world, canaries, sign_in):
    client = sign_in("tainan")
    assert WORD in content(client.get("/api/v1/schedules"))
    Member.objects.filter(user=world.people["tainan"]).delete()
    assert WORD not in content(client.get("/api/v1/schedules"))


def test_who_belongs_to_a_stopped_unit_sees_nothing(world, canaries, sign_in):
    client = sign_in("tainan")
    type(world.south).objects.filter(pk=world.south.pk).update(is_active=False)
    assert WORD not in content(client.get("/api/v1/schedules"))
