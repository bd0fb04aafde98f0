"""How often a token may ask."""

from datetime import UTC, datetime

import pytest

from config.models import RequestCount
from config.scoped import rates
from orgs.models import Token
from tests.config.test_api import assert_problem
from tests.schedules.api.calling import caller
from tests.schedules.at_once import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def at(monkeypatch):
    """Set the time and the number of requests that a minute allows."""
    monkeypatch.setattr(rates, "MOST", 2)

    def set_time(minute: int, second: int) -> None:
        moment = datetime(2026, 3, 2, 9, minute, second, tzinfo=UTC)
        monkeypatch.setattr(rates, "database_now", lambda: moment)

    set_time(0, 45)
    return set_time


def test_each_answer_tells_what_is_left(world, at):
    api = caller(world.people["xinyi"])
    first, second = api.get("/schedules"), api.get("/schedules/999999")
    assert [answer["RateLimit-Remaining"] for answer in (first, second)] == ["1", "0"]
    assert (first["RateLimit-Limit"], first["RateLimit-Reset"]) == ("2", "15")
    assert first["RateLimit-Policy"] == "2;w=60"


def test_one_too_many_is_refused_until_the_next_minute(world, at):
    api = caller(world.people["xinyi"])
    assert [api.get("/schedules").status_code for _ in range(2)] == [200, 200]
    refused = api.get("/schedules")
    assert_problem(refused, 429)
    assert (refused["Retry-After"], refused["RateLimit-Remaining"]) == ("15", "0")
    at(1, 0)
    assert api.get("/schedules").status_code == 200


def test_what_is_refused_counts_as_well(world, at):
    """Else a token that may only read could go on writing for ever."""
    api = caller(world.people["xinyi"], "read")
    assert [api.post("/schedules").status_code for _ in range(3)] == [403, 403, 429]
    at(1, 0)
    refused = api("delete", "/runs")
    assert (refused.status_code, refused["RateLimit-Remaining"]) == (405, "1")


def test_who_is_unknown_uses_up_nobody_s_share(at, client):
    codes = [client.get("/api/v1/schedules").status_code for _ in range(3)]
    assert codes == [401, 401, 401]
    assert not RequestCount.objects.exists()


def test_tokens_do_not_use_up_each_other_s_share(world, at):
    one, other = caller(world.people["xinyi"]), caller(world.people["xinyi"])
    assert [one.get("/schedules").status_code for _ in range(3)] == [200, 200, 429]
    assert other.get("/schedules").status_code == 200


def test_a_session_has_a_share_of_its_own(world, at, client):
    client.force_login(world.people["xinyi"])
    codes = [client.get("/api/v1/schedules").status_code for _ in range(3)]
    assert codes == [200, 200, 429]


@pytest.mark.django_db(transaction=True)
def test_what_arrives_at_once_is_counted_one_by_one(world):
    api = caller(world.people["xinyi"])
    at_once(*[lambda: api.get("/schedules")] * 5)
    holder = f"token:{Token.objects.get().pk}"
    assert sum(RequestCount.objects.filter(holder=holder).values_list("count", flat=True)) == 5


def test_other_sites_may_ask_only_if_they_are_named(world, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example.com"]
    api = caller(world.people["xinyi"])
    allowed = api.get("/schedules", Origin="https://shop.example.com")
    assert allowed["Access-Control-Allow-Origin"] == "https://shop.example.com"
    assert "Access-Control-Allow-Credentials" not in allowed
    assert "RateLimit-Remaining" in allowed["Access-Control-Expose-Headers"]
    other = api.get("/schedules", Origin="https://evil.example.com")
    assert "Access-Control-Allow-Origin" not in other
