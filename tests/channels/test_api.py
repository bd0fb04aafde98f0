"""Rooms and images over HTTP."""

from contextlib import closing
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image as Pillow

from channels.api.images import UploadParser
from channels.api.rooms import RoomSerializer
from channels.models import Account, Image, Room
from logs.models import History
from orgs.reach import Role
from tests.schedules.api.calling import ROOT, Caller, caller, ids

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(world):
    """Xinyi's manager."""
    return caller(world.people["xinyi"])


def room_body(world, **values):
    return {
        "unit": world.xinyi.pk,
        "account": world.sandbox.pk,
        "name": "Lobby",
        "address": "lobby",
    } | values


def test_a_manager_adds_a_room_with_a_shared_account(api, world):
    made = api.post("/rooms", room_body(world))
    assert made.status_code == 201
    room = Room.objects.get(pk=made.json()["id"])
    assert made.json() == {
        "id": room.pk, "unit": world.xinyi.pk, "account": world.sandbox.pk, "channel": "sandbox",
        "promise": "once",
        "name": "Lobby", "address": "lobby", "kind": "live", "language": "", "is_active": True,
        "min_interval_seconds": None, "daily_cap": None, "quiet_from": None, "quiet_until": None,
        "never_quiet": False,
    }  # fmt: skip
    entry = History.objects.get(kind="room", object_id=str(room.pk))
    assert (entry.verb, entry.via, entry.changes["name"]) == ("created", "api", [None, "Lobby"])


def test_a_room_belongs_to_ones_own_unit_if_none_is_named(api, world):
    body = room_body(world)
    del body["unit"]
    assert api.post("/rooms", body).json()["unit"] == world.xinyi.pk
    path = f"/rooms/{world.room.pk}"
    replaced = api("put", path, body | {"address": world.room.address})
    assert (replaced.status_code, replaced.json()["unit"]) == (200, world.xinyi.pk)


def test_two_changes_at_once_leave_each_other_what_they_do_not_name(api, world, monkeypatch):
    def meanwhile(serializer, values):
        Room.objects.filter(pk=world.room.pk).update(name="Meanwhile")
        return values

    monkeypatch.setattr(RoomSerializer, "validate", meanwhile)
    assert api.patch(f"/rooms/{world.room.pk}", {"daily_cap": 7}).status_code == 200
    world.room.refresh_from_db()
    assert (world.room.name, world.room.daily_cap) == ("Meanwhile", 7)


def test_a_change_is_remembered_by_what_it_changed(api, world):
    path = f"/rooms/{world.room.pk}"
    changed = api.patch(path, {"is_active": False, "name": world.room.name})
    assert changed.json()["is_active"] is False
    assert History.objects.get(verb="updated").changes == {"is_active": [True, False]}
    same_place = room_body(world, name="New", address=world.room.address)
    replaced = api("put", path, same_place)
    assert (replaced.status_code, replaced.json()["name"]) == (200, "New")
    assert api("delete", path).status_code == 405


def test_a_room_does_not_move_to_another_address(api, world):
    response = api.patch(f"/rooms/{world.room.pk}", {"address": "elsewhere"})
    assert (response.status_code, set(response.json()["errors"])) == (400, {"address"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("unit", 999_999), ("unit", "1"), ("account", 999_999), ("account", None), ("name", ""),
        ("name", 5), ("name", "x" * 101), ("address", "x" * 201), ("address", []),
        ("kind", "both"), ("kind", 1), ("is_active", "yes"), ("is_active", 1), ("config", {}),
        ("channel_secret", "x"),
    ],
)  # fmt: skip
def test_bad_input_is_named_by_its_field(api, world, field, value):
    response = api.post("/rooms", room_body(world, **{field: value}))
    assert (response.status_code, set(response.json()["errors"])) == (400, {field})


def test_an_address_must_be_one_of_its_channel(world):
    line = Account.objects.create(unit=world.xinyi, name="LINE", kind="line")
    response = caller(world.people["xinyi"]).post("/rooms", room_body(world, account=line.pk))
    assert (response.status_code, set(response.json()["errors"])) == (400, {"address"})


def test_an_address_that_another_unit_has_is_refused_without_a_name(api, world):
    response = api.post("/rooms", room_body(world, address=world.tainan_room.address))
    assert (response.status_code, set(response.json()["errors"])) == (400, {"__all__"})
    assert "tainan" not in response.content.decode().lower()


def test_an_account_out_of_reach_is_as_good_as_none(api, world):
    foreign = Account.objects.create(unit=world.south, name="South", kind="sandbox", is_shared=True)
    private = Account.objects.create(unit=world.hq, name="Own", kind="sandbox")
    for account in (foreign, private):
        told = api.post("/rooms", room_body(world, account=account.pk))
        missing = api.post("/rooms", room_body(world, account=999_999))
        assert told.status_code == 400
        assert told.content.replace(str(account.pk).encode(), b"999999") == missing.content


def test_a_room_stands_at_or_below_the_unit_of_its_account(world):
    south = Account.objects.create(unit=world.south, name="South", kind="sandbox")
    response = caller(world.people["hq"]).post("/rooms", room_body(world, account=south.pk))
    assert (response.status_code, set(response.json()["errors"])) == (400, {"account"})
    moved = caller(world.people["hq"]).patch(f"/rooms/{world.room.pk}", {"account": south.pk})
    assert moved.status_code == 400


def test_a_room_cannot_be_moved_out_of_reach(api, world):
    response = api.patch(f"/rooms/{world.room.pk}", {"unit": world.taipei.pk})
    assert (response.status_code, set(response.json()["errors"])) == (400, {"unit"})


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.APPROVER])
def test_who_does_not_manage_sees_rooms_and_no_more(world, role):
    api = caller(world.person(world.xinyi, role))
    assert ids(api.get("/rooms")) == [world.test_room.pk, world.room.pk]
    assert api.post("/rooms", room_body(world)).status_code == 403
    assert api.patch(f"/rooms/{world.room.pk}", {"name": "x"}).status_code == 403


def test_a_room_out_of_reach_answers_as_one_that_does_not_exist(world):
    api = caller(world.people["tainan"])
    assert ids(api.get("/rooms")) == [world.tainan_room.pk]
    for method, body in [("get", None), ("patch", {"name": "x"}), ("put", room_body(world))]:
        foreign = api(method, f"/rooms/{world.room.pk}", body)
        assert foreign.status_code == 404
        assert foreign.content == api(method, "/rooms/999999", body).content


def test_no_answer_holds_an_account_s_settings(world):
    world.sandbox.config = {"note": "canary-config"}
    world.sandbox.secrets = {"token": "canary-secret"}
    world.sandbox.save()
    told = caller(world.people["hq"]).get("/rooms").content.decode()
    assert "canary" not in told
    assert world.sandbox.sealed not in told


def test_the_list_of_rooms_is_filtered(api, world):
    assert ids(api.get("/rooms?kind=test")) == [world.test_room.pk]
    assert ids(api.get("/rooms?search=ROOM")) == [world.room.pk]
    assert ids(api.get("/rooms?is_active=false")) == []
    assert ids(api.get(f"/rooms?unit={world.tainan.pk}")) == []
    # What is no filter is no question: secrets cannot be guessed letter by letter.
    assert api.get("/rooms?account__sealed__startswith=g").status_code == 400


def queries_of(api: Caller, path: str, wanted: int) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert len(ids(api.get(path))) == wanted
    return len(queries)


def test_lists_ask_as_often_for_thirty_as_for_one(world, make_images):
    api = caller(world.people["tainan"])
    api.get("/rooms")  # notes when the token was used
    alone = queries_of(api, "/rooms", 1)
    for number in range(29):
        Room.objects.create(
            unit=world.tainan, account=world.sandbox, name=f"R{number}", address=f"r{number}"
        )
    assert queries_of(api, "/rooms", 30) == alone

    above = caller(world.people["xinyi"])
    image = make_images(1)[0]
    above.get("/images")
    alone = queries_of(above, "/images", 1)
    for _number in range(29):
        image.pk = None
        image._state.adding = True
        image.save()
    assert queries_of(above, "/images", 30) == alone


def picture() -> bytes:
    buffer = BytesIO()
    Pillow.new("RGB", (60, 40), "red").save(buffer, "PNG")
    return buffer.getvalue()


def upload(api: Caller, data: bytes | str, name: str = "red.png", **fields):
    file = SimpleUploadedFile(name, data) if isinstance(data, bytes) else data
    headers = {"Authorization": f"Bearer {api.key}"}
    return Client().post(ROOT + "/images", {"file": file, **fields}, headers=headers)


@pytest.fixture(autouse=True)
def media_root(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def test_an_image_is_uploaded_and_described(world):
    api = caller(world.person(world.xinyi, Role.OPERATOR))
    response = upload(api, picture())
    assert response.status_code == 201
    made = response.json()
    image = Image.objects.get()
    assert (made["name"], made["width"], made["height"]) == ("red.png", 60, 40)
    assert (made["unit"], made["sha256"]) == (world.xinyi.pk, image.sha256)
    assert made["url"] == f"http://testserver/media/{image.pk}/original"
    assert api.get(f"/images/{image.pk}").json() == made
    assert ids(api.get("/images?search=red")) == [image.pk]
    assert History.objects.get(kind="image").verb == "created"
    browser = Client()
    browser.force_login(world.people["xinyi"])
    with closing(browser.get(made["url"])) as shown:
        assert Pillow.open(BytesIO(b"".join(shown))).size == (60, 40)


def test_an_image_can_be_put_into_a_unit_below(world):
    made = upload(caller(world.people["taipei"]), picture(), unit=str(world.xinyi.pk))
    assert made.json()["unit"] == world.xinyi.pk
    refused = upload(caller(world.people["taipei"]), picture(), unit=str(world.hq.pk))
    assert (refused.status_code, set(refused.json()["errors"])) == (400, {"unit"})
    misspelt = upload(caller(world.people["taipei"]), picture(), unti=str(world.xinyi.pk))
    assert (misspelt.status_code, set(misspelt.json()["errors"])) == (400, {"unti"})


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<svg/>", picture()[:60], "text"])
def test_what_is_no_image_is_refused_by_field_and_nothing_is_kept(api, data, tmp_path):
    response = upload(api, data)
    assert (response.status_code, set(response.json()["errors"])) == (400, {"file"})
    assert not Image.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_file_larger_than_what_is_held_in_memory_is_taken(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 50
    assert upload(api, picture()).status_code == 201


def test_an_upload_that_is_too_large_is_not_read(api, monkeypatch):
    monkeypatch.setattr(UploadParser, "limit", 100)
    response = upload(api, picture())
    assert (response.status_code, response.json()["title"]) == (413, "Request Entity Too Large")


def test_more_fields_than_are_read_are_refused(api, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    response = upload(api, picture(), a="1", b="2", c="3")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_images_come_as_forms_and_only_from_those_who_may(world):
    assert caller(world.people["xinyi"]).post("/images", {"file": "x"}).status_code == 415
    assert upload(caller(world.person(world.xinyi, Role.VIEWER)), picture()).status_code == 403
    assert upload(caller(world.people["xinyi"], "read"), picture()).status_code == 403
    assert upload(caller(world.people["stranger"]), picture()).status_code == 403
    assert not Image.objects.exists()


def test_an_image_out_of_reach_answers_as_one_that_does_not_exist(world):
    upload(caller(world.people["xinyi"]), picture())
    api = caller(world.people["tainan"])
    foreign = api.get(f"/images/{Image.objects.get().pk}")
    assert foreign.status_code == 404
    assert foreign.content == api.get("/images/999999").content
    assert ids(api.get("/images")) == []
