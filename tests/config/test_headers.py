"""The headers of the API's answers: what its document says is sent is, and what is sent it says."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from config.scoped import rates
from config.scoped.document import document
from config.scoped.headers import HEADERS, RATES
from schedules.models import MessageTemplate
from tests.conftest import World
from tests.schedules.api.calling import ROOT, caller

pytestmark = pytest.mark.django_db

# Sent by the server and its middleware for browsers, whatever is asked.
OF_BROWSERS = {
    "Allow", "Content-Length", "Content-Type", "Content-Language", "Content-Security-Policy",
    "Cross-Origin-Opener-Policy", "Permissions-Policy", "Referrer-Policy", "Vary",
    "X-Content-Type-Options", "X-Frame-Options", "Set-Cookie",
}  # fmt: skip


def named(method: str, path: str, code: int) -> set[str]:
    """The headers that the document says this answer has or may have."""
    return set(document()["paths"][ROOT + path][method]["responses"][str(code)].get("headers", ()))


def test_a_429_of_every_operation_has_its_time_and_so_on() -> None:
    every = [
        (operation, code, set(answer["headers"]))
        for methods in document()["paths"].values()
        for operation in methods.values()
        for code, answer in operation["responses"].items()
    ]
    assert len(every) > 1000
    for operation, code, names in every:
        assert ("Retry-After" in names) == (code == "429"), operation["operationId"]
        assert ("WWW-Authenticate" in names) == (code == "401")
        assert (names >= set(RATES)) == (code not in {"401", "403", "404", "406"})
    assert all(operation["responses"].keys() >= {"401", "429"} for operation, *_ in every)
    assert document()["components"]["headers"].keys() == HEADERS.keys()


def test_what_is_sent_is_what_the_document_says(
    world: World, make_schedule: Any, monkeypatch: Any
) -> None:
    manager = caller(world.people["hq"], "read", "write", "organisation")
    row = make_schedule()
    template = MessageTemplate.objects.create(unit=world.xinyi, name="One")
    room = {"name": "New", "account": world.sandbox.pk, "address": "new", "unit": world.xinyi.pk}
    key = {"Idempotency-Key": "once"}
    asked = [
        ("get", "/schedules/{id}", row.pk, None, 200, {"ETag"}),
        ("get", "/schedules/{id}", 999_999, None, 404, set()),
        ("post", "/schedules/{id}/duplicate", row.pk, {}, 201, {"Location"}),
        ("post", "/templates/{id}/apply", template.pk, {}, 201, {"Location"}),
        ("post", "/units/{id}/freeze", world.tainan.pk, {"why": "tests"}, 201, {"Location"}),
        ("post", "/rooms", 0, room, 201, {"Location"}),
        ("post", "/rooms", 0, room, 201, {"Location", "Idempotency-Replayed"}),
        ("post", "/rooms", 0, {}, 400, set()),
    ]  # fmt: skip
    for method, path, pk, body, code, some in asked:
        headers = key if path == "/rooms" and body else {}
        answer = manager(method, path.replace("{id}", str(pk)), body, **headers)
        sent = set(answer.headers) - OF_BROWSERS
        assert (answer.status_code, sent) == (code, {"X-Request-ID", *RATES, *some}), path
        assert sent - (set(RATES) if code == 404 else set()) <= named(method, path, code)
        if "Location" in some:
            there = manager.get(answer["Location"].removeprefix(ROOT))
            assert there.json()["id"] == answer.json()["id"], path
    unknown = Client().get(f"{ROOT}/rooms")
    assert set(unknown.headers) - OF_BROWSERS == named("get", "/rooms", 401)
    monkeypatch.setattr(rates, "MOST", 0)
    refused = manager.get("/rooms")
    assert set(refused.headers) - OF_BROWSERS == named("get", "/rooms", 429)


def test_a_web_page_may_read_them_and_the_page_of_the_api_tells_them() -> None:
    of_server = {"WWW-Authenticate"}
    assert set(settings.CORS_EXPOSE_HEADERS) == HEADERS.keys() - of_server
    page = (Path(settings.BASE_DIR) / "docs" / "api.md").read_text()
    assert [name for name in HEADERS if f"`{name}`" not in page] == []
