"""When a token was last used: noted once a minute, and only of one that opens something."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.scoped import tokens
from orgs.models import Token
from tests.conftest import World
from tests.schedules.api.calling import Caller, caller

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def at(monkeypatch: Any) -> Callable[[float], datetime]:
    """Sets the time to so many seconds after nine."""

    def set_time(seconds: float) -> datetime:
        moment = NINE + timedelta(seconds=seconds)
        monkeypatch.setattr(tokens, "database_now", lambda: moment)
        return moment

    set_time(0)
    return set_time


def last_used() -> datetime | None:
    return Token.objects.get(name="tests").last_used_at


def test_a_new_token_was_never_used_and_its_first_use_is_noted(world: World, at: Any) -> None:
    api = caller(world.people["xinyi"])
    assert last_used() is None
    assert api.get("/schedules").status_code == 200
    assert last_used() == NINE


def test_a_use_is_noted_at_most_once_a_minute(world: World, at: Any) -> None:
    api = caller(world.people["xinyi"])
    api.get("/schedules")
    at(60)
    api.get("/schedules")
    assert last_used() == NINE
    later = at(61)
    api.get("/schedules")
    assert last_used() == later


def test_what_is_refused_by_its_rights_was_a_use_all_the_same(world: World, at: Any) -> None:
    assert caller(world.people["xinyi"], "read").post("/schedules", {}).status_code == 403
    assert last_used() == NINE


def test_a_token_that_opens_nothing_is_not_noted(world: World, at: Any) -> None:
    api = caller(world.people["xinyi"])
    Token.objects.update(expires_at=NINE)
    at(1)
    assert api.get("/schedules").status_code == 401
    assert Caller("tj_wrong").get("/schedules").status_code == 401
    assert last_used() is None


def test_the_list_of_tokens_shows_it(world: World, at: Any, client: Any) -> None:
    api = caller(world.people["xinyi"])
    client.force_login(world.people["xinyi"])
    assert "not yet" in client.get("/admin/orgs/token/").content.decode()
    api.get("/schedules")
    page = client.get("/admin/orgs/token/").content.decode()
    assert "not yet" not in page
    assert "17:00" in page  # in Taipei


@pytest.mark.parametrize(
    ("scopes", "method", "path", "needed"),
    [
        ("read", "post", "/schedules", "write"),
        ("write", "post", "/schedules/1/approve", "approve"),
        ("write", "patch", "/members/1", "organisation"),
        ("nonsense", "get", "/schedules", "read"),
    ],
)
def test_who_lacks_a_scope_is_told_which(
    world: World, scopes: str, method: str, path: str, needed: str
) -> None:
    refused = caller(world.people["hq"], scopes)(method, path, {})
    assert refused.status_code == 403
    assert refused.json()["detail"] == f"This token needs the scope “{needed}”."
