"""Every operation of the document does what it is for at least once, and its answer is as the
document says. None is left out: a new one needs what it takes in tests/tenants/success.py."""

import re
from copy import deepcopy
from typing import Any

import pytest
import requests
import schemathesis
from django.db import transaction
from schemathesis.core.failures import FailureGroup

from config.scoped.document import document
from tests.config.test_openapi import CHECKS, told
from tests.schedules.api.calling import ROOT
from tests.tenants.operations import METHODS
from tests.tenants.success import BEFORE, QUERIES, TAKES, Scene, ask, prepare, set_scene

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

IN_PLACE = re.compile(r"{(\w+)}")


@pytest.fixture
def scene(world, make_schedule, settings, tmp_path, monkeypatch) -> Scene:
    return set_scene(world, make_schedule, settings, tmp_path, monkeypatch)


def test_each_operation_succeeds_and_answers_as_the_document_says(scene: Scene) -> None:
    described = schemathesis.openapi.from_dict(deepcopy(document()))
    operations = [found.ok() for found in described.get_all_operations()]
    names = {name_of(operation) for operation in operations}
    assert len(names) == sum(len(m.keys() & set(METHODS)) for m in document()["paths"].values())
    assert names >= {*BEFORE, *TAKES, *QUERIES}, "some are there no more"
    wrong = [said for operation in operations if (said := what_is_wrong(operation, scene))]
    assert not wrong, "\n\n".join(wrong)


def name_of(operation: Any) -> str:
    return f"{operation.method} {operation.path.removeprefix(ROOT)}"


def what_is_wrong(operation: Any, scene: Scene) -> str:
    """With its answer; "" if nothing is. What it brought about is undone."""
    name, ids = name_of(operation), dict(scene.ids)
    with transaction.atomic():
        prepare(name, scene)
        answer = ask(scene.api, name, scene)
        transaction.set_rollback(True)
    scene.ids = ids
    if not 200 <= answer.status_code < 300:
        return f"{name}: {answer.status_code} {answer.content.decode()[:300]}"
    url, places = f"http://testserver{operation.path}", dict.fromkeys(IN_PLACE.findall(name), "1")
    response = schemathesis.Response(
        status_code=answer.status_code,
        headers={header: [value] for header, value in answer.headers.items()},
        content=answer.getvalue(),
        request=requests.Request(operation.method, url).prepare(),
        elapsed=0.0,
        verify=False,
    )
    try:
        operation.Case(path_parameters=places, query={}).validate_response(response, checks=CHECKS)
    except (Exception, FailureGroup) as error:  # whatever does not conform
        return f"{name}\n{told(error)}"
    return ""
