"""What holds for the API as a whole: sign-in, errors, its document and the pages of docs."""

import json
import re
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
from jsonschema import Draft4Validator
from rest_framework import serializers

from config.scoped.api import ScopedViewSet
from config.scoped.fields import Moment
from orgs.models import Token
from tests.schedules.api.calling import ROOT, caller
from tests.test_architecture import OURS

pytestmark = pytest.mark.django_db

STATIC = "static/"
PROBLEM = "application/problem+json"


def assert_problem(response, code: int) -> dict:
    assert (response.status_code, response["Content-Type"]) == (code, PROBLEM)
    body = json.loads(response.content)
    assert (body["type"], body["status"]) == ("about:blank", code)
    assert body["title"]
    assert body["detail"]
    return body


def test_every_error_is_a_problem(world):
    api = caller(world.people["xinyi"])
    assert_problem(Client().get(ROOT + "/schedules"), 401)
    assert_problem(caller(world.people["xinyi"], "read").post("/schedules", {}), 403)
    assert_problem(api.get("/schedules/999999"), 404)
    assert_problem(api("put", "/schedules", {}), 405)
    assert_problem(api("options", "/schedules"), 405)
    assert_problem(api.get("/schedules", Accept="text/html"), 406)
    assert_problem(api("post", "/schedules", b"{}", **{"Content-Type": "text/plain"}), 415)
    assert_problem(api("post", "/schedules", b"{"), 400)
    refused = assert_problem(api.post("/schedules", {}), 400)
    assert set(refused) == {"type", "title", "status", "detail", "errors"}


@pytest.mark.parametrize(
    "path",
    [
        "/api/", "/api/v2/schedules", "/api/v1/schedules/", "/api/v1/x", "/api/v1/schedules/abc",
        "/api/v1/schedules/1/undo", "/api/v1/schedules/-1", "/api/v1/%00", "/api/v1/a%0Ab",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_address_that_leads_nowhere_is_a_problem_too(world, path, method):
    response = getattr(Client(enforce_csrf_checks=True), method)(path)
    assert_problem(response, 404)
    missing = caller(world.people["xinyi"]).get("/schedules/999999")
    assert json.loads(response.content) == missing.json()


def test_a_method_that_is_not_there_is_named_with_those_that_are(world):
    response = caller(world.people["xinyi"])("put", "/schedules", {})
    assert response["Allow"] == "GET, POST, HEAD"


def test_problems_are_told_in_the_reader_s_language_and_fields_by_their_names(world):
    korean = {"Accept-Language": "ko"}
    response = caller(world.people["xinyi"]).post("/schedules", {}, **korean)
    assert set(response.json()["errors"]) == {"title", "rooms", "timing_kind"}
    assert response["Content-Language"] == "ko"
    unknown = Client().get(ROOT + "/rooms", headers={"Authorization": "Bearer tj_x", **korean})
    assert assert_problem(unknown, 401)["detail"] == "이 토큰은 유효하지 않습니다."


def test_a_page_that_is_too_large_is_refused_at_its_name(world):
    refused = caller(world.people["xinyi"]).get("/rooms?page_size=201")
    assert assert_problem(refused, 400)["errors"] == {"page_size": ["A page holds 1 to 200 rows."]}


def test_a_body_that_is_too_large_is_not_read(world, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    api = caller(world.people["xinyi"])
    assert_problem(api.post("/schedules", {"title": "more than ten"}), 413)


def test_a_token_that_has_expired_or_is_unknown_opens_nothing(world, client):
    token, key = Token.issue(
        user=world.people["hq"],
        name="old",
        scopes=["read"],
        expires_at=datetime.now(UTC) - timedelta(seconds=1),
    )
    answers = [
        client.get(ROOT + "/schedules", headers={"Authorization": header})
        for header in (f"Bearer {key}", "Bearer tj_unknown", "Bearer", "Bearer a b", "Bearer é")
    ]
    for answer in answers:
        assert_problem(answer, 401)
    assert len({answer.content for answer in answers}) == 1
    assert token.hint not in answers[0].content.decode()


def test_a_token_ends_with_its_user(world):
    api = caller(world.people["xinyi"])
    assert api.get("/schedules").status_code == 200
    world.people["xinyi"].is_active = False
    world.people["xinyi"].save()
    assert api.get("/schedules").status_code == 401


def test_a_head_is_a_get_without_its_body(world):
    response = caller(world.people["xinyi"])("head", "/schedules")
    assert (response.status_code, response.content) == (200, b"")


def test_every_viewset_is_scoped_and_declares_its_acts():
    views = {
        pattern.callback.cls: pattern.callback
        for pattern in routed()
        if hasattr(getattr(pattern.callback, "cls", None), "acts")
    }
    assert len(views) >= 18
    for view in views:
        assert issubclass(view, ScopedViewSet)
    for pattern in routed():
        for action in (getattr(pattern.callback, "actions", None) or {}).values():
            assert action in pattern.callback.cls.acts


def test_every_moment_in_an_answer_is_in_utc():
    import_module("config.api")
    moments = {
        f"{serializer.__name__}.{name}": field
        for serializer in ours(serializers.Serializer)
        for name, field in serializer().fields.items()
        if isinstance(field, serializers.DateTimeField)
    }
    assert len(moments) > 50
    assert [name for name, field in moments.items() if not isinstance(field, Moment)] == []


def ours(kind):
    """The project's own classes of this kind, but for those that are a base alone."""
    for one in kind.__subclasses__():
        is_base = issubclass(one, serializers.ModelSerializer) and not hasattr(one, "Meta")
        if one.__module__.partition(".")[0] in (*OURS, "config") and not is_base:
            yield one
        yield from ours(one)


def routed(patterns=None):
    """Every pattern of an address that leads to a view."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if hasattr(pattern, "url_patterns"):
            yield from routed(pattern.url_patterns)
        else:
            yield pattern


def test_the_document_is_made_once_for_each_language(client):
    """Anybody may ask for it, and it takes long to make."""
    korean, again, english = (
        client.get(ROOT + "/openapi.json", headers={"Accept-Language": language})
        for language in ("ko", "ko", "en")
    )
    assert korean.data is again.data is not english.data
    assert client.get(ROOT + "/openapi.json?lang=ko").data is english.data  # no way around it


def test_the_document_is_valid_and_describes_each_error(tmp_path, client):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "api.yaml"))
    document = client.get(ROOT + "/openapi.json").json()
    assert "/api/v1/schedules/{id}/toggle" in document["paths"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            assert {"401", "403", "404", "429"} <= set(answers), (path, method)
            assert ("422" in answers) == (method == "post"), (
                path,
                method,
            )  # another body, same key
            for code, answer in answers.items():
                if int(code) >= 400:
                    assert list(answer["content"]) == [PROBLEM]
    create = document["paths"]["/api/v1/schedules"]["post"]["responses"]
    assert {"201", "400", "409", "413", "415"} <= set(create)


def test_what_a_body_has_by_default_is_what_it_may_have(client):
    document = client.get(ROOT + "/openapi.json").json()
    for name, schema in document["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            if described.get("default") is not None:
                whole = described | {"components": document["components"]}
                assert Draft4Validator(whole).is_valid(described["default"]), (name, field)


def test_the_page_of_the_document_obeys_the_content_security_policy(client):
    page = client.get(ROOT + "/docs")
    assert page.status_code == 200
    policy = page["Content-Security-Policy"]
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    html = page.content.decode()
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", html, re.S)
    assert len(scripts) == 3
    for attributes, inline in scripts:
        assert not inline.strip()
        address = re.search(r'src="([^"]+)"', attributes).group(1)
        if "?" in address:
            assert client.get(address).status_code == 200
        else:
            assert finders.find(address.removeprefix("/" + STATIC))
    assert not re.search(r"\son\w+=", html)
    script = client.get(ROOT + "/docs?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert "openapi.json" in script.content.decode()
