"""What products of this kind were broken by, row by row: each is held by a test.

Here are those that concern the whole; docs/security.md names where the others stand.
"""

import re
from collections import Counter
from inspect import signature
from pathlib import Path
from typing import Any

import celery
import django
import pytest
from django.apps import apps
from django.conf import settings as configured
from django.contrib.admin import site
from django.test import Client
from django.urls import get_resolver

from channels.models import Account
from config.lines import Console
from config.middleware import PERMISSIONS
from logs.models import History
from orgs.models import Token, User
from orgs.sheets import neutral
from schedules import tasks
from schedules.placeholders import fill
from tests.config.test_lines import record
from tests.tenants.canaries import make_canaries
from tests.tenants.routes import routes

pytestmark = pytest.mark.django_db

HERE = Path(__file__).parent
SECRET_COLUMNS = {"sealed", "secret", "secrets", "digest", "password", "config", "hook"}
SECRET = "an-access-token-that-nobody-may-read"

# What docs/security.md must say something of: the beginnings of its rows.
SUBJECTS = {
    "tenant matrix", "who leaves", "deny by default", "admin leaks", "API leaks", "imports",
    "view as", "secrets",
    "templates given to people", "outgoing URLs", "uploads", "media for channels", "inbound",
    "exports", "log lines", "bodies", "sign-in: tried passwords", "sign-in: who is there",
    "sign-in: second factor", "sessions", "CSRF", "headers", "Celery", "Django",
}  # fmt: skip
PAGE = (HERE.parent / "docs" / "security.md").read_text()
PLACE = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def test_each_subject_has_a_row_and_each_row_a_test() -> None:
    _, *tables = re.split(r"^\| subject .*\n\| [-| ]+\n", PAGE, flags=re.MULTILINE)
    rows = [row for table in tables for row in table.partition("\n\n")[0].splitlines()]
    assert len(rows) >= len(SUBJECTS)
    assert [row for row in rows if not PLACE.search(row)] == []
    names = [row.strip("| ").partition(" |")[0] for row in rows]
    assert [subject for subject in SUBJECTS if not any(n.startswith(subject) for n in names)] == []
    assert [name for name in names if not name.startswith(tuple(SUBJECTS))] == []


@pytest.mark.parametrize(("path", "name"), sorted(set(PLACE.findall(PAGE))))
def test_what_is_said_to_be_shown_is(path: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (HERE / path).read_text(), re.MULTILINE)


def test_what_is_shown_here_stands_beside_what_it_shows() -> None:
    own = set(re.findall(r"^def (test_\w+)\(", Path(__file__).read_text(), re.MULTILINE))
    said = {name for path, name in PLACE.findall(PAGE) if path == "test_security.py"}
    of_the_page = {"test_each_subject_has_a_row_and_each_row_a_test",
                   "test_what_is_said_to_be_shown_is",
                   "test_what_is_shown_here_stands_beside_what_it_shows"}  # fmt: skip
    assert own - said == of_the_page


@pytest.fixture
def addresses(world, make_schedule, settings, tmp_path) -> list[str]:
    """Every address of the project, of rows that the headquarters reaches."""
    settings.MEDIA_ROOT = tmp_path
    return [route.foreign for route in routes(make_canaries(world, make_schedule))]


def held() -> dict[str, int]:
    """How many rows each table has, but for those by which callers are counted."""
    counters = {"sessions.Session", "teiji.RequestCount"}
    models = [model for model in apps.get_models() if model._meta.label not in counters]
    return {model._meta.label: model._base_manager.count() for model in models}


def body_of(answer) -> bytes:
    """Read to its end: a file that is not, stays open."""
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_admin_leaks_through_labels_and_forged_lists_are_ruled_out() -> None:
    for model, page in site._registry.items():
        inlines = [inline(model, site) for inline in page.inlines]
        assert [shown.raw_id_fields for shown in (page, *inlines) if shown.raw_id_fields] == []
        assert page.list_editable == (), model
        assert not hasattr(model, "get_absolute_url"), (
            "/admin/r/… would tell whether a row is there"
        )


def test_api_leaks_through_columns_that_nobody_named_are_ruled_out(world) -> None:
    views = [view for view in api_views() if getattr(view, "serializer_class", None)]
    assert len(views) > 20
    for view in views:
        meta = getattr(view.serializer_class, "Meta", None)
        fields = getattr(meta, "fields", ())
        assert fields != "__all__" and not hasattr(meta, "exclude"), view
        assert [
            given.format for given in view.renderer_classes if given.media_type == "text/html"
        ] == []


def test_api_leaks_no_list_is_narrowed_by_what_is_kept_secret() -> None:
    asked = {
        (view, name)
        for view in api_views()
        for name, filter_ in getattr(
            getattr(view, "filterset_class", None), "base_filters", {}
        ).items()
        if SECRET_COLUMNS & {name, *str(filter_.field_name).split("__")}
    }
    asked |= {
        (page, name)
        for page in site._registry.values()
        for name in (*page.search_fields, *map(str, page.list_filter))
        if SECRET_COLUMNS & set(name.strip("^=@").split("__"))
    }
    assert asked == set()


def filters_of(view: Any) -> dict[str, Any]:
    given = getattr(view, "filterset_class", None)
    return dict(given.base_filters) if given else {}


def api_views(patterns: Any = None) -> set[Any]:
    """The views of the API, wherever they are addressed."""
    found: set[Any] = set()
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if hasattr(pattern, "url_patterns"):
            found |= api_views(pattern.url_patterns)
        elif view := getattr(pattern.callback, "cls", None):
            found.add(view)
    return found


def test_secrets_do_not_travel_with_a_task() -> None:
    """Tasks are told to look, and find what to do in the database."""
    for task in (tasks.tick, tasks.hour):
        assert list(signature(task.run).parameters) == []
    ours = {name for name in celery.current_app.tasks if name.startswith("schedules.")}
    assert ours == {tasks.tick.name, tasks.hour.name}


def test_secrets_tokens_are_kept_as_digests(world) -> None:
    row, secret = Token.issue(user=world.people["hq"], name="CI", scopes=["read"])
    kept = Token.objects.filter(pk=row.pk).values().get()
    assert secret not in str(kept) and kept["digest"] not in secret


def test_csrf_nothing_changes_without_a_token(world, addresses) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(world.people["hq"])
    before = held()
    for method in ("post", "put", "patch", "delete"):
        answers = {path: getattr(client, method)(path).status_code for path in addresses}
        wrong = {path: code for path, code in answers.items() if code not in {403, 404, 405}}
        assert wrong == {}, method
        assert Counter(answers.values())[403] > 20, "most would change something"
    assert held() == before


def test_csrf_reading_changes_nothing(world, addresses) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(world.people["hq"])
    before = held()
    answers: Counter[int] = Counter()
    for path in addresses:
        answer = client.get(path)
        body_of(answer)
        answers[answer.status_code] += 1
    assert answers[200] > 50 and held() == before


def test_headers_stand_on_every_answer(world, client, addresses) -> None:
    client.force_login(world.people["hq"])
    for path in [*addresses, "/sign-in/", "/nowhere/", "/healthz", "/m/x/"]:
        answer = client.get(path)
        body_of(answer)
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["X-Frame-Options"] == "DENY", path
        assert headers["Referrer-Policy"] == "same-origin", path
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert headers["Permissions-Policy"] == PERMISSIONS, path
        assert "default-src '" in headers["Content-Security-Policy"], path


def test_sign_in_sessions_end_with_the_password(world, client) -> None:
    person = world.people["hq"]
    person.set_password("before-1234")
    person.save()
    client.force_login(person)
    assert client.get("/admin/").status_code == 200
    person.set_password("after-1234")
    person.save()
    assert client.get("/admin/").status_code == 302


def test_sign_in_answers_alike_for_known_and_unknown_people(world, client) -> None:
    person = User.objects.get(username="hq")
    person.set_password("right-1234")
    person.save()

    def said(username: str) -> str:
        form = {"login": username, "password": "wrong-1234"}
        answer = client.post("/sign-in/", form)
        assert answer.status_code == 200
        return str(answer.context["form"].errors)

    assert said("hq") == said("nobody-of-this-name") != ""


def test_secrets_are_on_no_page_and_in_no_answer(world, client, addresses) -> None:
    account = Account(unit=world.hq, name="LINE", kind="line", is_shared=True)
    account.secrets = {"access_token": SECRET}
    account.save()
    client.force_login(world.people["hq"])
    own = [f"/admin/channels/account/{account.pk}/change/", "/admin/channels/account/",
           f"/admin/channels/account/{account.pk}/history/"]  # fmt: skip
    for path in [*addresses, *own]:
        assert SECRET.encode() not in body_of(client.get(path)), path
    assert SECRET not in str(list(History.objects.values()))
    assert SECRET not in account.sealed


@pytest.mark.parametrize(
    "text",
    ["{room.__class__}", "{0}", "{room!r}", "{% debug %}", "{{ settings }}", "{room:>999999999}"],
)
def test_templates_replace_names_alone(text: str) -> None:
    assert "<class" not in fill(text, {"room": "Xinyi"})
    assert len(fill(text, {"room": "Xinyi"})) < 100


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_exports_begin_no_formula(cell: str) -> None:
    assert neutral(cell)[0] == "'"


def test_log_lines_cannot_be_forged() -> None:
    assert len(Console().format(record("%s", "x\n2027-01-01 INFO all is well")).splitlines()) == 1


def test_celery_takes_json_alone() -> None:
    app = celery.current_app
    assert list(app.conf.accept_content) == ["json"]
    assert (app.conf.task_serializer, app.conf.result_serializer) == ("json", "json")


def test_django_has_the_fixes_that_are_known() -> None:
    assert django.VERSION[:3] >= (5, 2, 19)


def test_bodies_are_bounded(world, client) -> None:
    client.force_login(world.people["hq"])
    body = b"x" * (configured.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    url = "/api/v1/schedules"
    assert client.post(url, body, content_type="application/json").status_code in {403, 413}
    form = Client().post("/sign-in/", {"login": body.decode(), "password": "x"})
    assert form.status_code in {400, 413}
