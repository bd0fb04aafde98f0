"""What each role may do by the API, in its own unit and all that stands under it: exactly what it
is for, and what is refused changes nothing."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.models import RequestCount
from config.scoped.document import document
from orgs.models import Token
from orgs.reach import SCOPES, Role
from tests.schedules.api.calling import ROOT, Caller, caller
from tests.tenants.operations import METHODS
from tests.tenants.success import Scene, ask, prepare, set_scene

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

# By plain thinking, as SEES. What is one's own, whatever one's role:
ONES_OWN = ("/feeds", "/filters", "/notices")
# What operators do every day,
OPERATED = ("/images", "/not-confirmed", "/runs", "/schedules", "/templates", "/values")
# what answers a question, or says who may,
ANSWERS = (
    "get /approvals", "post /deputies", "delete /deputies/{id}", "post /schedules/{id}/approve",
    "post /schedules/{id}/refuse",
)  # fmt: skip
# and what only managers even read.
OF_MANAGERS = (
    "/accounts", "/alert-targets", "/alerts", "/counts", "/fence", "/holidays", "/imports",
    "/units/{id}/move", "/webhooks",
)  # fmt: skip
WRITES = ("INSERT", "UPDATE", "DELETE")
# Whoever asks is counted, and their token noted.
ASKING = tuple(model._meta.db_table for model in (RequestCount, Token))


def least_role(operation: str) -> Role:
    method, path = operation.split()
    if path.startswith(ONES_OWN):
        return Role.VIEWER
    if operation in ANSWERS:
        return Role.APPROVER
    if method == "get":
        return Role.MANAGER if path.startswith(OF_MANAGERS) else Role.VIEWER
    return Role.OPERATOR if path.startswith(OPERATED) else Role.MANAGER


def names() -> list[str]:
    paths = document()["paths"]
    return [
        f"{method} {path.removeprefix(ROOT)}"
        for path, methods in paths.items()
        for method in methods.keys() & set(METHODS)
    ]


@pytest.fixture
def scene(world, make_schedule, settings, tmp_path, monkeypatch) -> Scene:
    return set_scene(world, make_schedule, settings, tmp_path, monkeypatch)


@pytest.mark.parametrize("role", [
    pytest.param(Role.VIEWER, marks=pytest.mark.thorough),
    Role.OPERATOR,
    pytest.param(Role.APPROVER, marks=pytest.mark.thorough),
], ids=lambda role: role.name.lower())  # fmt: skip
def test_a_role_does_what_it_is_for_and_nothing_more(scene: Scene, role: Role) -> None:
    api = caller(scene.world.person(scene.world.hq, role), *SCOPES)
    told = {name: may(api, name, scene) for name in names() if not is_somebody_elses(name)}
    assert told == {name: role >= least_role(name) for name in told}
    assert 10 < sum(told.values()) < len(told) - 10


def is_somebody_elses(name: str) -> bool:
    """The manager's own, which nobody else gets."""
    path = name.split()[1]
    return path.startswith(ONES_OWN) and "{id}" in path


def may(api: Caller, name: str, scene: Scene) -> bool:
    """Whether it is done for them; what it brought about is undone."""
    ids = dict(scene.ids)
    with transaction.atomic():
        prepare(name, scene)
        with CaptureQueriesContext(connection) as asked:
            answer = ask(api, name, scene)
        transaction.set_rollback(True)
    scene.ids = ids
    if 200 <= answer.status_code < 300:
        return True
    assert answer.status_code in (403, 404), (name, answer.content)
    assert [sql for sql in writes(asked) if not any(table in sql for table in ASKING)] == [], name
    return False


def writes(asked: CaptureQueriesContext) -> list[str]:
    return [one["sql"] for one in asked if one["sql"].startswith(WRITES)]
