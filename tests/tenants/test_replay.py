"""One tenant replays another's ids: the answer, and what the database was asked, are those of ids
that do not exist. Walks every operation of the OpenAPI document: a new one is in it by itself."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.scoped import rates, tokens
from orgs.reach import SCOPES, Role
from tests.schedules.api.calling import Caller, caller
from tests.tenants.canaries import WORD, each_of, make_canaries
from tests.tenants.operations import READING, Operation, operations

pytestmark = pytest.mark.django_db

# What is one's own, whatever one's role: a viewer has feeds, notices and filters too.
ONES_OWN = ("/api/v1/feeds", "/api/v1/notices", "/api/v1/filters")

# What a body may name; each is right in some operation and unknown in the others.
BODIES = ({}, {"name": "stolen"}, {"why": "stolen"}, {"verdict": "arrived"}, {"skips": True})


@pytest.fixture
def canaries(world, make_schedule, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return make_canaries(world, make_schedule)


@pytest.fixture(autouse=True)
def _each_request_asks_alike(monkeypatch):
    """However many there are: none is one too many, and each notes the token's last use."""
    monkeypatch.setattr(rates, "MOST", 1_000_000)
    monkeypatch.setattr(tokens, "NOTED_EVERY", timedelta(0))


def everything(user: Any) -> Caller:
    """With a token that may do all that its user may."""
    return caller(user, *SCOPES)


def told(api: Caller, one: Operation, path: str, body: Any) -> tuple[Any, ...]:
    """Status, body but for the id, and number of questions."""
    with CaptureQueriesContext(connection) as asked:
        answer = api(one.method, path, None if one.method in READING else body)
    text = answer.content.decode()
    assert answer.status_code < 500 and answer.status_code != 429, (one, text)
    assert WORD not in text, one
    for number in (part for part in path.split("/") if part.isdigit()):
        text = re.sub(rf"\b{number}\b", "ID", text)
    return answer.status_code, text, len(asked)


@each_of("xinyi", "north", "taipei", "stranger")
def test_foreign_ids_answer_as_those_that_do_not_exist(world, canaries, who):
    api, different = everything(world.people[who]), []
    named = [one for one in operations(canaries) if one.names_a_row]
    assert len(named) >= 50
    before = canaries.snapshot()
    for one in named:
        for body in BODIES[:1] if one.method in READING else BODIES:
            foreign, missing = (told(api, one, path, body) for path in (one.foreign, one.missing))
            if foreign != missing:
                different.append((str(one), body, foreign, missing))
    assert different == [], "\n".join(map(str, different))
    assert canaries.snapshot() == before


def test_lists_narrowed_by_foreign_ids_are_those_narrowed_by_missing_ones(world, canaries):
    api = everything(world.people["north"])
    narrowed = 0
    for one in operations(canaries):
        if one.method != "get" or one.names_a_row or one.needs_more:
            continue
        for name in (p["name"] for p in one.parameters if p["name"] in canaries.rows):
            foreign, missing = (
                api.get(f"{one.foreign}?{name}={pk}")
                for pk in (canaries.rows[name].pk, 999_999_999)
            )
            narrowed += 1
            assert (foreign.status_code, foreign.content) == (200, missing.content), (one, name)
    assert narrowed >= 5


def test_who_reaches_the_rows_gets_another_answer(world, canaries):
    """Else the tests above would prove nothing."""
    api = everything(world.people["hq"])
    seen = [
        one
        for one in operations(canaries)
        if one.method == "get" and one.names_a_row and api.get(one.foreign).status_code == 200
    ]
    assert len(seen) >= 20


def test_a_viewer_is_refused_every_writing_operation(world, canaries):
    api = everything(world.person(world.tainan, Role.VIEWER))
    before = canaries.snapshot()
    allowed = []
    for one in operations(canaries):
        if one.method in READING or one.path.startswith(ONES_OWN):
            continue
        answer = api(one.method, one.foreign, {})
        if answer.status_code != 403:
            allowed.append((str(one), answer.status_code, json.loads(answer.content or b"{}")))
    assert allowed == []
    assert canaries.snapshot() == before
