"""The API answers as its document says, whatever is asked: schemathesis makes the requests, of each
operation some that the document allows and some that it does not."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
import schemathesis
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.scoped import document as api
from config.scoped import rates, tokens
from orgs.models import Token
from orgs.reach import SCOPES
from tests.schedules.api.calling import ROOT
from tests.tenants.canaries import make_canaries
from tests.tenants.operations import filled
from tests.tenants.operations import operations as each_operation

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def _no_fault(context: Any, response: Any, case: Any) -> bool | None:
    """An archive whose file is away says so; the canaries' is."""
    is_away = case.operation.path.startswith(f"{ROOT}/archive") and response.status_code == 503
    return None if is_away else not_a_server_error(context, response, case)


CHECKS = [
    _no_fault,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 6  # of each operation, each way
few = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def document(world, monkeypatch) -> Any:
    monkeypatch.setattr(rates, "MOST", 1_000_000)
    monkeypatch.setattr(tokens, "NOTED_EVERY", timedelta(days=1))
    return schemathesis.openapi.from_dict(deepcopy(api.document()))


@pytest.fixture
def canaries(world, make_schedule, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return make_canaries(world, make_schedule)


def named_as(path: str, canaries: Any) -> dict[str, str]:
    """The ids of rows that are there, for the names in this address."""
    ours, _missing = filled(path, canaries)
    pairs = zip(path.removeprefix(f"{ROOT}/").split("/"), ours.strip("/").split("/"), strict=True)
    return {name.strip("{}"): value for name, value in pairs if name.startswith("{")}


def operations(document: Any, methods: tuple[str, ...]) -> Iterator[Any]:
    for found in document.get_all_operations():
        operation = found.ok()
        if operation.method in methods:
            yield operation


def sent(case: Any, headers: dict[str, str]) -> schemathesis.Response:
    """The answer to it, by Django's own client: in this transaction, without a server."""
    kwargs = case.as_transport_kwargs(base_url="http://testserver", headers=headers)
    wanted = requests.Request(**kwargs).prepare()
    given_headers = dict(wanted.headers)
    told = Client().generic(
        wanted.method,
        wanted.path_url,
        wanted.body or b"",
        content_type=given_headers.pop("Content-Type", ""),
        headers=given_headers,
    )
    return schemathesis.Response(
        status_code=told.status_code,
        headers={name: [value] for name, value in told.headers.items()},
        content=told.getvalue(),
        request=wanted,
        elapsed=0.0,
        verify=False,
    )


def told(error: BaseException) -> str:
    """In a line or some for each failure."""
    if isinstance(error, FailureGroup):
        return "\n".join(f"{one.title}: {one.message}"[:600] for one in error.exceptions)
    return str(error)


@dataclass
class Asker:
    """Asks one operation after another, and undoes what it brought about."""

    mode: GenerationMode
    canaries: Any
    headers: dict[str, str]
    statuses: set[int] = field(default_factory=set)

    def ask(self, operation: Any) -> str:
        """What is wrong with its answers; "" if nothing is."""
        places = named_as(operation.path, self.canaries)

        @few
        @given(case=operation.as_strategy(generation_mode=self.mode), is_there=st.booleans())
        def ask(case: Any, is_there: bool) -> None:
            if is_there and places:
                case.path_parameters |= places
            with transaction.atomic():
                answer = sent(case, self.headers)
                transaction.set_rollback(True)
            self.statuses.add(answer.status_code)
            case.validate_response(answer, checks=CHECKS)

        try:
            ask()
        except (Exception, FailureGroup) as error:
            return f"{operation.label}\n{told(error)}"
        return ""


def test_what_may_be_asked_for_and_how_many_may_be_sent_stand_in_the_document(document):
    asked = document.raw_schema["paths"][f"{ROOT}/rooms"]["get"]["parameters"]
    (fields,) = (given for given in asked if given["name"] == "fields")
    assert {"id", "name"} < set(fields["schema"]["items"]["enum"])
    sent_items = document.raw_schema["components"]["schemas"]["ShiftRequest"]["properties"]["items"]
    assert (sent_items["minItems"], sent_items["maxItems"]) == (1, 100)


def test_an_address_is_asked_what_the_document_has_and_nothing_else(canaries, world):
    """A filter that is misspelt would find everything."""
    _token, key = Token.issue(user=world.people["hq"], name="tests", scopes=list(SCOPES))
    client, wrong = Client(headers={"Authorization": f"Bearer {key}"}), []
    for operation in each_operation(canaries):
        asked = {p["name"] for p in operation.parameters if p["in"] == "query"} | {"surplus"}
        address = f"{ROOT}{operation.foreign}?{urlencode(dict.fromkeys(asked, 'x'))}"
        answer = client.generic(operation.method, address, content_type="application/json")
        refused = [name for name, why in answer.json().get("errors", {}).items()
                   if why == ["This address takes no such parameter."]]  # fmt: skip
        if (answer.status_code, refused) != (400, ["surplus"]):
            wrong.append((str(operation), answer.status_code, refused))
    assert not wrong, "\n".join(map(str, wrong))


def test_what_is_sent_where_no_body_is_taken_is_refused(canaries, world):
    """“dry_run” that is passed over would be no trial."""
    _token, key = Token.issue(user=world.people["hq"], name="tests", scopes=list(SCOPES))
    client, wrong, asked = Client(headers={"Authorization": f"Bearer {key}"}), [], 0
    paths = api.document()["paths"]
    for operation in each_operation(canaries):
        if operation.method != "post" or "requestBody" in paths[operation.path]["post"]:
            continue
        asked += 1
        for body, named in (({"dry_run": True}, "dry_run"), ([1], "__all__")):
            with transaction.atomic():
                answer = client.post(f"{ROOT}{operation.foreign}", body, "application/json")
                transaction.set_rollback(True)
            errors = answer.json().get("errors")
            if (answer.status_code, errors) != (400, {named: ["This address takes no body."]}):
                wrong.append((str(operation), body, answer.content))
    assert not wrong, "\n".join(map(str, wrong))
    assert asked > 10


@pytest.mark.thorough
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("methods", [("get",), ("post",), ("put", "patch", "delete")], ids="-".join)
def test_every_operation_answers_as_the_document_says(methods, mode, document, canaries, world):
    _token, key = Token.issue(user=world.people["hq"], name="tests", scopes=list(SCOPES))
    asker = Asker(mode, canaries, {"Authorization": f"Bearer {key}"})
    wrong = list(filter(None, map(asker.ask, operations(document, methods))))
    assert not wrong, "\n\n".join(wrong)
    assert mode.is_negative or asker.statuses & {200, 201, 202, 204}
