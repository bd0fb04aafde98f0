"""The times of a delivery in the API."""

from datetime import timedelta

import pytest

from schedules.dispatch.settle import settle
from tests.schedules.conftest import accepted, on_the_wire, planned  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


def test_an_entry_tells_when_it_was_claimed_handed_over_and_accepted(api, planned):  # noqa: F811
    (delivery,) = planned()
    entry = api.get(f"/logs/{delivery.pk}").json()
    times = ("claimed_at", "handed_over_at", "accepted_at", "lateness_ms")
    assert [entry[name] for name in times] == [None] * 4
    (claimed,) = on_the_wire(delivery.due_at)
    settle([accepted(claimed, delivery.due_at + timedelta(milliseconds=120))])
    entry = api.get(f"/logs/{delivery.pk}").json()
    second = entry["due_at"].removesuffix("Z")
    assert entry["claimed_at"] == entry["due_at"]
    assert entry["handed_over_at"] == entry["accepted_at"] == f"{second}.120000Z"
    assert entry["lateness_ms"] == 120
    (attempt,) = entry["attempts"]
    for name in ("claimed_at", "handed_over_at", "lateness_ms"):
        assert attempt[name] == entry[name]


def test_the_document_says_what_each_time_means(api):
    components = api.get("/openapi.json").json()["components"]["schemas"]
    for name in ("claimed_at", "handed_over_at", "accepted_at", "lateness_ms"):
        assert components["Log"]["properties"][name]["description"]
    for name in ("claimed_at", "handed_over_at", "lateness_ms"):
        assert components["Attempt"]["properties"][name]["description"]
