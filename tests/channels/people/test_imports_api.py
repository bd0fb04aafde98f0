"""People from a table, over HTTP: upload, check, import, with what is wrong in which line."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from channels.models import Account, Recipient, RecipientImport
from logs.models import History
from orgs.reach import Role
from tests.channels.people.conftest import line_id
from tests.schedules.api.calling import ROOT, Caller, caller, ids

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def api(world: Any) -> Caller:
    return caller(world.people["taipei"])


@pytest.fixture
def upload(api: Caller, account: Any) -> Any:
    def send(text: str | bytes, by: Caller = api, key: str = "", **values: Any) -> Any:
        data = text.encode() if isinstance(text, str) else text
        form = {"file": SimpleUploadedFile("people.csv", data), "account": account.pk} | values
        headers = {"Authorization": f"Bearer {by.key}"}
        headers |= {"Idempotency-Key": key} if key else {}
        return Client().post(ROOT + "/imports", form, headers=headers)

    return send


def table(*rows: str) -> str:
    return "\n".join(["Address,Name,Tags", *rows])


RIGHT = table(f"{line_id(1)},Ann,vip", f"{line_id(2)},Ben,")


def test_a_table_goes_in_by_three_requests(api: Caller, upload: Any, world: Any) -> None:
    made = upload(RIGHT)
    assert made.status_code == 201, made.content
    shown = made.json()
    assert (shown["stage"], shown["heading"]) == ("uploaded", ["Address", "Name", "Tags"])
    assert shown["columns"] == {"address": 0, "name": 1, "tags": 2}
    assert (shown["unit"], shown["file_name"]) == (world.taipei.pk, "people.csv")
    assert Recipient.objects.count() == 0
    path = f"/imports/{shown['id']}"
    checked = api.post(path + "/check").json()
    assert (checked["stage"], checked["created"], checked["updated"]) == ("checked", 2, 0)
    done = api.post(path + "/import")
    assert (done.status_code, done.json()["stage"], done.json()["rows"]) == (200, "imported", 2)
    assert set(Recipient.objects.values_list("name", flat=True)) == {"Ann", "Ben"}
    again = api.post(path + "/import")
    assert (again.status_code, Recipient.objects.count()) == (200, 2)
    verbs = History.objects.filter(kind="recipientimport").values_list("verb", flat=True)
    assert sorted(verbs) == ["created", "imported"]


def test_what_is_wrong_is_told_by_line_and_nothing_goes_in(api: Caller, upload: Any) -> None:
    path = f"/imports/{upload(table(f'{line_id(1)},Ann,', 'nobody,Ben,')).json()['id']}"
    checked = api.post(path + "/check").json()
    assert (checked["stage"], checked["problem_count"]) == ("refused", 1)
    (problem,) = checked["problems"]
    assert (problem["line"], problem["column"]) == (3, "Address")
    assert problem["problem"].startswith("“nobody”")
    assert api.get(path).json()["problems"] == checked["problems"]
    refused = api.post(path + "/import")
    assert (refused.status_code, Recipient.objects.count()) == (409, 0)


def test_the_columns_can_be_said(api: Caller, upload: Any) -> None:
    path = f"/imports/{upload(RIGHT.replace('Address,Name', 'who,what')).json()['id']}"
    assert api.get(path).json()["columns"] == {"tags": 2}
    assert api.post(path + "/check").status_code == 409  # which one holds the addresses?
    said = {"columns": {"address": 0, "name": 1}}
    assert api.post(path + "/check", said).json()["stage"] == "checked"
    api.post(path + "/import")
    assert Recipient.objects.filter(name="Ann").count() == 1


def test_one_column_cannot_be_two_things(api: Caller, upload: Any) -> None:
    path = f"/imports/{upload(RIGHT).json()['id']}"
    answer = api.post(path + "/check", {"columns": {"address": 0, "name": 0}})
    assert (answer.status_code, answer.json()["detail"]) == (
        409, "A column can be one thing only.",
    )  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [{"columns": {"name": 1}}, {"columns": {"address": -1}}, {"columns": {"address": "0"}},
     {"columns": {"address": 0, "age": 1}}, {"encoding": "rot13"}, {"mapping": {}}],
)  # fmt: skip
def test_what_is_not_well_said_is_refused(api: Caller, upload: Any, body: Any) -> None:
    path = f"/imports/{upload(RIGHT).json()['id']}"
    assert api.post(path + "/check", body).status_code == 400


@pytest.mark.parametrize("data", [b"", b"\xd0\xcf\x11\xe0old excel"])
def test_what_is_no_table_is_refused_at_once(upload: Any, data: bytes) -> None:
    answer = upload(data)
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"file"})
    assert RecipientImport.objects.count() == 0


def test_an_account_out_of_reach_or_without_audiences_is_refused(upload: Any, world: Any) -> None:
    hidden = Account.objects.create(unit=world.south, name="South", kind="sandbox")
    plain = Account.objects.create(unit=world.taipei, name="Plain", kind="webhook")
    for pk in (999_999, hidden.pk, plain.pk):
        answer = upload(RIGHT, account=pk)
        assert (answer.status_code, set(answer.json()["errors"])) == (400, {"account"})


def test_all_come_on_a_fixed_list_of_the_same_account(
    api: Caller, upload: Any, make_audience: Any
) -> None:
    audience = make_audience([])
    path = f"/imports/{upload(RIGHT, audience=audience.pk).json()['id']}"
    api.post(path + "/check")
    api.post(path + "/import")
    assert audience.recipients.count() == 2
    rule = make_audience(name="Rule")
    assert set(upload(RIGHT, audience=rule.pk).json()["errors"]) == {"audience"}


def test_an_upload_sent_twice_with_its_key_is_one(upload: Any) -> None:
    first, second = upload(RIGHT, key="once"), upload(RIGHT, key="once")
    assert first.json()["id"] == second.json()["id"]
    assert second["Idempotency-Replayed"] == "true"
    assert RecipientImport.objects.count() == 1


def test_who_is_elsewhere_or_manages_nothing_finds_none(
    upload: Any, world: Any, api: Caller
) -> None:
    path = f"/imports/{upload(RIGHT).json()['id']}"
    stranger = caller(world.people["tainan"])
    assert ids(stranger.get("/imports")) == []
    for method, tail in (("get", ""), ("post", "/check"), ("post", "/import"), ("delete", "")):
        foreign = stranger(method, path + tail, None if method == "get" else {})
        missing = stranger(method, "/imports/999999" + tail, None if method == "get" else {})
        assert (foreign.status_code, foreign.content) == (404, missing.content)
    operator = caller(world.person(world.taipei, Role.OPERATOR))
    assert operator.get("/imports").status_code == 403
    assert upload(RIGHT, by=operator).status_code == 403
    north = world.north.pk
    assert set(upload(RIGHT, unit=north).json()["errors"]) == {"unit"}
    assert set(upload(RIGHT, unti=north).json()["errors"]) == {"unti"}
    assert ids(api.get("/imports?stage=uploaded")) == [int(path.rpartition("/")[2])]


def test_one_can_be_forgotten_with_its_file(api: Caller, upload: Any) -> None:
    pk = upload(RIGHT).json()["id"]
    file = RecipientImport.objects.get().file
    assert file.storage.exists(file.name)
    assert api("delete", f"/imports/{pk}").status_code == 204
    assert not file.storage.exists(file.name)
    assert History.objects.filter(kind="recipientimport", verb="deleted").count() == 1
