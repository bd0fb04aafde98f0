"""The id of somebody else's row in a request's body is answered as one that does not exist. The
fields come from the OpenAPI document: a new one must be named here before this passes."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.test.utils import CaptureQueriesContext
from PIL import Image as Pillow

from channels import outgoing
from channels.models import Account, AlertTarget, Audience, Recipient, Room
from config.scoped import rates, tokens
from config.scoped.document import document
from orgs.clock import database_now
from orgs.models import Member, Unit, User
from orgs.reach import SCOPES, Role
from schedules.actions import register
from schedules.models import Delivery, MessageTemplate, PlaceholderValue, Run
from tests.conftest import store_image
from tests.schedules.api.calling import Caller, caller
from tests.tenants.canaries import WORD, make_canaries
from tests.tenants.operations import METHODS
from tests.tenants.routes import MISSING, OWNERS
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db

# Whole numbers that are no ids; `until` is a notice of one's own.
NUMBERS = {
    "requests_per_second", "most", "min_interval_seconds", "daily_cap", "interval_seconds",
    "weekdays", "day_of_month", "every_minutes", "peak_minutes", "peak_hours", "priority",
    "max_retries", "revision", "monthly_budget", "until", "days", "minutes",
    "columns.address", "columns.name", "columns.region", "columns.language", "columns.tags",
    "columns.opted_out",
}  # fmt: skip


class Id(str):
    """Stands in a body for the id of one's own row of this name; `kind`: of which the canary is."""

    @property
    def kind(self) -> str:
        return {"top": "unit", "other": "unit", "test_room": "room", "failed": "delivery",
                "doubtful": "delivery"}.get(self, str(self))  # fmt: skip


UNIT, ROOM, IMAGE, ACCOUNT = Id("unit"), Id("room"), Id("image"), Id("account")
DAILY = {"title": "New", "text": "Hello", "timing_kind": "daily", "time": "09:00", "unit": UNIT}
TO_ROOMS = {**DAILY, "rooms": [ROOM], "images": [IMAGE]}
TO_AUDIENCE = {**DAILY, "audience": Id("audience")}
SAME = {"unit": UNIT, "rooms": [ROOM], "images": [IMAGE]}
GROUP = {"unit": UNIT, "account": ACCOUNT, "name": "New", "address": "new"}
TEMPLATE = {"name": "New", "blocks": [{"text": "Hello"}], "unit": UNIT, "images": [IMAGE]}
PERSON = {"unit": UNIT, "account": ACCOUNT}

# Each as it may be sent with ids of one's own.
BODIES: dict[str, list[dict[str, Any]]] = {
    "post /accounts": [{"name": "New", "channel": "sandbox", "unit": UNIT}],
    "patch /accounts/{id}": [{"unit": Id("top")}],
    "post /alert-targets": [
        {"name": "New", "url": "discord://1/new", "unit": UNIT},
        {"name": "New", "member": Id("member"), "unit": UNIT},
    ],
    "patch /alert-targets/{id}": [{"unit": UNIT, "member": Id("member")}],
    "post /audiences": [{"name": "New", "kind": "list", **PERSON}],
    "patch /audiences/{id}": [PERSON],
    "post /deputies": [
        {"unit": UNIT, "member": Id("member"), "first_day": "2090-01-01", "last_day": "2090-01-02"}
    ],
    "post /feeds": [{"unit": UNIT}],
    "post /images": [{"unit": UNIT}],
    "post /imports": [{**PERSON, "audience": Id("audience")}],
    "post /members": [{"unit": UNIT, "role": "operator", "username": "new"}],
    "patch /members/{id}": [{"unit": UNIT}],
    "post /not-confirmed/resolve": [
        {"verdict": "arrived", "rows": [{"id": Id("doubtful"), "seen": "2026-02-16T00:00:00Z"}]}
    ],
    "post /recipients": [{**PERSON, "address": "new"}],
    "patch /recipients/{id}": [PERSON],
    "post /recipients/batch": [{"items": [{**PERSON, "address": "new"}]}],
    "post /rooms": [GROUP],
    "put /rooms/{id}": [GROUP],
    "patch /rooms/{id}": [PERSON],
    "post /schedules": [TO_ROOMS, TO_AUDIENCE],
    "put /schedules/{id}": [TO_ROOMS, TO_AUDIENCE],
    "patch /schedules/{id}": [SAME, {"rooms": [], "audience": Id("audience")}],
    "post /schedules/{id}/retry": [{"run": Id("run"), "logs": [Id("failed")]}],
    "post /schedules/{id}/rollback": [{"run": Id("run")}],
    "post /schedules/{id}/test-send": [{"rooms": [Id("test_room")]}],
    "post /schedules/batch": [{"items": [TO_ROOMS]}, {"items": [TO_AUDIENCE]}],
    "post /schedules/batch/shift": [{"items": [{"id": Id("schedule")}], "days": 1}],
    "patch /schedules/batch": [
        {"items": [{"id": Id("schedule"), **SAME}]},
        {"items": [{"id": Id("schedule"), "rooms": [], "audience": Id("audience")}]},
    ],
    "post /templates": [TEMPLATE],
    "put /templates/{id}": [TEMPLATE],
    "patch /templates/{id}": [{"unit": UNIT, "images": [IMAGE]}],
    "post /templates/{id}/apply": [{"unit": UNIT}],
    "post /units": [{"kind": "branch", "code": "new", "name": "New", "parent": Id("top")}],
    "patch /units/{id}": [{"parent": Id("top")}],
    "post /units/{id}/move": [{"parent": Id("other")}],
    "post /values": [{"name": "new", "value": "New", "unit": UNIT}],
    "patch /values/{id}": [{"unit": UNIT}],
    "post /webhooks": [
        {"name": "New", "url": "https://example.org/", "events": ["run.sent"], "unit": UNIT}
    ],
    "patch /webhooks/{id}": [{"unit": UNIT}],
}


def picture() -> bytes:
    made = BytesIO()
    Pillow.new("RGB", (40, 30)).save(made, "PNG")
    return made.getvalue()


FILES = {"/images": ("new.png", picture()), "/imports": ("new.csv", b"address\nsomebody\n")}


def test_every_id_that_a_body_may_name_is_tried_here(fields_of_ids):
    named = {
        operation: {path for body in bodies for path, _id in ids_in(body)}
        for operation, bodies in BODIES.items()
    }
    assert named == fields_of_ids


@pytest.mark.parametrize("operation", BODIES)
def test_a_foreign_id_answers_as_one_that_does_not_exist(rival, canaries, ask, operation):
    before, different, same = canaries.snapshot(), [], []
    for body in BODIES[operation]:
        for place, named in ids_in(body):
            foreign = canaries.rows[named.kind].pk
            answers = [
                ask(operation, filled(body, rival, place, pk))
                for pk in (rival[named], foreign, MISSING)
            ]
            if answers[1] != answers[2]:
                different.append((place, answers[1:]))
            if answers[0] == answers[2]:
                same.append((place, answers[0]))
    assert different == [], "\n".join(map(str, different))
    assert same == [], "one's own is refused as well: this proves nothing"
    assert canaries.snapshot() == before


def ids_in(body: Any, place: str = "") -> Iterator[tuple[str, Id]]:
    """Where in this body there are ids, as “items[].rooms[]”."""
    if isinstance(body, Id):
        yield place, body
    elif isinstance(body, list):
        for item in body:
            yield from ids_in(item, f"{place}[]")
    elif isinstance(body, dict):
        for name, value in body.items():
            yield from ids_in(value, f"{place}.{name}".removeprefix("."))


def filled(body: Any, own: dict[str, int], wanted: str, pk: int, place: str = "") -> Any:
    """With one's own ids, but with this one at the wanted place."""
    if isinstance(body, Id):
        return pk if place == wanted else own[body]
    if isinstance(body, list):
        return [filled(item, own, wanted, pk, f"{place}[]") for item in body]
    if isinstance(body, dict):
        return {name: filled(value, own, wanted, pk, f"{place}.{name}".removeprefix("."))
                for name, value in body.items()}  # fmt: skip
    return body


@pytest.fixture(scope="module")
def fields_of_ids() -> dict[str, set[str]]:
    """By operation, where its document has whole numbers that are ids."""
    schemas, found = document()["components"]["schemas"], {}

    def numbers(schema: Any, place: str) -> Iterator[str]:
        while "$ref" in schema or "allOf" in schema:
            one = schema.get("allOf", [schema])[0]
            schema = schemas[one["$ref"].rpartition("/")[2]]
        kinds = schema.get("type", [])
        if "integer" in ([kinds] if isinstance(kinds, str) else kinds):
            yield place
        if "items" in schema:
            yield from numbers(schema["items"], f"{place}[]")
        for name, value in schema.get("properties", {}).items():
            if not value.get("readOnly"):
                yield from numbers(value, f"{place}.{name}".removeprefix("."))

    for path, methods in document()["paths"].items():
        for method in methods.keys() & set(METHODS):
            for body in methods[method].get("requestBody", {}).get("content", {}).values():
                places = {place for place in numbers(body["schema"], "") if not is_number(place)}
                if places:
                    found[f"{method} {path.removeprefix('/api/v1')}"] = places
    return found


def is_number(place: str) -> bool:
    name = place.removesuffix("[]")
    return name.rpartition(".")[2] in NUMBERS or name in NUMBERS


@pytest.fixture
def canaries(world: Any, make_schedule: Any, settings: Any, tmp_path: Any) -> Any:
    settings.MEDIA_ROOT = tmp_path
    return make_canaries(world, make_schedule)


@pytest.fixture
def rival(canaries: Any, make_schedule: Any) -> dict[str, int]:
    """The ids of another headquarters, which may do all that can be done, by their names."""
    top = Unit.objects.plant(kind="headquarters", code="rival", name="Rival", zone="UTC")
    unit, other = (
        Unit.objects.plant(top, kind="distributor", code=code, name=code, zone="UTC")
        for code in ("one", "two")
    )
    chief, clerk = (
        User.objects.create(username=name, is_staff=True, email=f"{name}@example.org")
        for name in ("chief", "clerk")
    )
    Member.objects.create(user=chief, unit=top, role=Role.MANAGER)
    member = Member.objects.create(user=clerk, unit=unit, role=Role.OPERATOR)
    account = Account.objects.create(unit=top, name="Rival's", kind="sandbox", is_shared=True)
    room, test_room = (
        Room.objects.create(unit=unit, account=account, name=kind, address=kind, kind=kind,
                            **UNLIMITED)
        for kind in ("live", "test")
    )  # fmt: skip
    person = Recipient.objects.create(unit=unit, account=account, address="person")
    audience = Audience.objects.create(unit=unit, account=account, name="All")
    audience.recipients.add(person)
    image = store_image(unit, 7)
    template = MessageTemplate.objects.create(unit=unit, name="Rival's")
    value = PlaceholderValue.objects.create(unit=unit, name="rival", value="Ours")
    target = AlertTarget.objects.create(unit=unit, name="Rival's", member=member)
    timing = {"timing_kind": "daily", "time": "09:00", "date": None}
    draft = make_schedule(unit=unit, rooms=[room], images=[image], **timing)
    schedule = register(draft, by=chief)
    run = Run.objects.create(
        schedule=schedule, due_at=database_now(), planned_at=database_now(), title="Ours",
        unit_path=unit.path, zone="UTC", state="failed", total=2,
        payloads={str(account.pk): [{"kind": "text", "text": "Hello"}]},
    )  # fmt: skip
    failed, doubtful = (
        Delivery.objects.create(
            run=run, room=of, room_name=of.name, account=account, channel="sandbox", state=state,
            unit_path=unit.path, content_hash=uuid4().hex, key=uuid4(), priority=50, parts=1,
            due_at=run.due_at, next_try_at=run.due_at,
        )
        for of, state in ((room, "failed"), (test_room, "unconfirmed"))
    )  # fmt: skip
    rows = {"top": top, "unit": unit, "other": other, "member": member, "account": account,
            "room": room, "test_room": test_room, "recipient": person, "audience": audience,
            "image": image, "messagetemplate": template, "placeholdervalue": value,
            "alerttarget": target,
            "schedule": schedule, "run": run, "failed": failed, "doubtful": doubtful}  # fmt: skip
    return {name: row.pk for name, row in rows.items()}


@pytest.fixture
def ask(rival: Any, monkeypatch: Any) -> Callable[..., Any]:
    """What is answered to the rival's manager, without the id and without a trace."""
    monkeypatch.setattr(rates, "MOST", 1_000_000)
    monkeypatch.setattr(tokens, "NOTED_EVERY", timedelta(0))
    monkeypatch.setattr(outgoing, "_system_lookup", lambda host: ["93.184.216.34"])
    api = caller(User.objects.get(username="chief"), *SCOPES)
    webhook = api.post("/webhooks", {"name": "Ours", "url": "https://example.org/",
                                     "events": ["run.sent"]}).json()  # fmt: skip
    own = {**rival, "webhook": webhook["id"]}

    def ask(operation: str, body: Any) -> tuple[Any, ...]:
        method, path = operation.split()
        owner = own.get(OWNERS[path.split("/")[1]])
        with CaptureQueriesContext(connection) as asked, transaction.atomic():
            answer = send(api, method, path.replace("{id}", str(owner)), body)
            transaction.set_rollback(True)
        text = answer.content.decode()
        assert answer.status_code < 500 and WORD not in text, (operation, text)
        text = re.sub(r'(pk \\"|"id":)\d+', r"\1ID", text)
        return answer.status_code, text, len(asked)

    return ask


def send(api: Caller, method: str, path: str, body: Any) -> Any:
    """As a form where the address takes a file."""
    if path not in FILES:
        return api(method, path, body)
    form = encode_multipart(BOUNDARY, {**body, "file": SimpleUploadedFile(*FILES[path])})
    return api(method, path, form, **{"Content-Type": MULTIPART_CONTENT})
