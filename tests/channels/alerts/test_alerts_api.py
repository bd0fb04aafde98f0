"""The places that are told of alerts, and the log of alerts, by a program."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.alerts.gather import gather
from channels.models import AlertTarget, Notice
from logs.models import History
from orgs.models import User
from orgs.reach import Role
from tests.channels.alerts.conftest import raise_one, tell_all
from tests.fakes.discord import URL
from tests.schedules.api.calling import Caller, caller, ids

pytestmark = pytest.mark.django_db

OPS = {"name": "Ops", "url": URL}
SECRET = URL.rpartition("/")[2]


@pytest.fixture
def api(world) -> Caller:
    return caller(world.people["north"])


@pytest.fixture
def mailed(world) -> User:
    person: User = world.people["north"]
    User.objects.filter(pk=person.pk).update(email="north@example.com")
    return person


def test_one_is_added_changed_and_removed_and_its_url_is_never_told(api, world):
    made = api.post("/alert-targets", OPS)
    assert made.status_code == 201
    row = made.json()
    assert row == {
        "id": row["id"], "unit": world.north.pk, "name": "Ops", "service": "discord",
        "member": None, "is_active": True,
    }  # fmt: skip
    address = f"/alert-targets/{row['id']}"
    assert api.patch(address, {"name": "Room 5"}).json() == row | {"name": "Room 5"}
    again = api.patch(address, {"url": f"{URL}2"})
    assert AlertTarget.objects.get().url == f"{URL}2"
    told = [made, again, api.get(address), api.get("/alert-targets")]
    assert not [answer for answer in told if SECRET in answer.content.decode()]
    assert api("delete", address).status_code == 204
    assert api.get(address).status_code == 404
    entries = History.objects.filter(kind="alerttarget").order_by("id")
    assert [(entry.verb, entry.via) for entry in entries] == [
        ("created", "api"), ("updated", "api"), ("updated", "api"), ("deleted", "api"),
    ]  # fmt: skip
    assert [entry.changes for entry in entries[1:3]] == [
        {"name": ["Ops", "Room 5"]}, {"fields": ["Apprise URL"]},
    ]  # fmt: skip
    assert entries[0].changes["service"] == [None, "discord"]
    assert SECRET not in str([entry.changes for entry in entries])


def test_the_page_does_the_same(client, world):
    client.force_login(world.people["north"])
    page = "/admin/channels/alerttarget/"
    form = {"unit": world.north.pk, "name": "Ops", "url": URL, "member": "", "is_active": "on"}
    assert client.post(f"{page}add/", form).status_code == 302
    row = AlertTarget.objects.get()
    client.post(f"{page}{row.pk}/change/", form | {"url": "", "name": "Room 5"})
    client.post(page, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert not AlertTarget.objects.exists()
    entries = History.objects.filter(kind="alerttarget").order_by("id")
    assert [(entry.verb, entry.via) for entry in entries] == [
        ("created", "admin"), ("updated", "admin"), ("deleted", "admin"),
    ]  # fmt: skip
    assert entries[1].changes == {"name": ["Ops", "Room 5"]}


def test_a_new_place_is_greeted_and_no_other(api, discord, start):
    address = f"/alert-targets/{api.post('/alert-targets', OPS).json()['id']}"
    tell_all(start.replace(year=start.year + 1))
    [greeting] = api.get("/alerts").json()["results"]
    assert (greeting["kind"], greeting["told"][0]["state"]) == ("welcome", "told")
    api.patch(address, {"name": "Renamed", "is_active": False})
    api.patch(address, {"url": f"{URL}2"})
    api.patch(address, {"is_active": True})
    assert Notice.objects.count() == 1


def test_a_member_takes_the_place_of_a_url_and_back(api, mailed):
    address = f"/alert-targets/{api.post('/alert-targets', OPS).json()['id']}"
    member = mailed.member.pk
    row = api.patch(address, {"member": member}).json()
    assert (row["member"], row["service"]) == (member, "")
    assert AlertTarget.objects.get().sealed == ""
    row = api.patch(address, {"url": URL}).json()
    assert (row["member"], row["service"]) == (None, "discord")
    assert Notice.objects.count() == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": ""}, "url"),
        ({"url": 5}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "discord://only-one"}, "url"),
        ({"url": "discord://1/" + "x" * 2000}, "url"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"unit": 999_999}, "unit"),
        ({"member": 999_999}, "member"),
        ({"is_active": "yes"}, "is_active"),
        ({"service": "slack", "sealed": "x"}, "sealed"),
    ],
)
def test_what_is_wrong_is_said_by_field_at_once_and_later(api, body, field):
    refused = api.post("/alert-targets", OPS | body)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])
    address = f"/alert-targets/{api.post('/alert-targets', OPS).json()['id']}"
    refused = api.patch(address, body)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])


def test_a_place_is_a_url_or_somebody_who_can_be_told(api, world, mailed):
    low, member = world.people["xinyi"].member, mailed.member.pk
    for body, field in (
        ({"name": "None"}, "url"),
        ({"name": "None", "member": None}, "url"),
        (OPS | {"member": member}, "member"),
        ({"name": "Below", "member": low.pk}, "member"),
    ):
        assert list(api.post("/alert-targets", body).json()["errors"]) == [field], body
    made = api.post("/alert-targets", {"name": "Mail", "member": member}).json()
    assert list(api.patch(f"/alert-targets/{made['id']}", {"member": None}).json()["errors"]) == [
        "url"
    ]


def test_a_name_is_had_once_in_a_unit_and_a_key_adds_once(api):
    key = {"Idempotency-Key": "once"}
    first = api.post("/alert-targets", OPS, **key)
    assert api.post("/alert-targets", OPS, **key).json() == first.json()
    assert api.post("/alert-targets", OPS).status_code == 409
    assert AlertTarget.objects.count() == 1


def test_the_list_is_narrowed(api, world, add_target):
    far, near = add_target(world.xinyi, is_active=False), add_target(world.north, name="Night")
    add_target(world.tainan)
    assert ids(api.get("/alert-targets")) == [near.pk, far.pk]
    assert ids(api.get(f"/alert-targets?unit={world.xinyi.pk}")) == [far.pk]
    assert ids(api.get("/alert-targets?is_active=true")) == [near.pk]
    assert ids(api.get("/alert-targets?search=NIGHT")) == [near.pk]


def test_who_may_is_asked(world, add_target):
    row = add_target(world.north)
    address = f"/alert-targets/{row.pk}"
    for who, status in (
        (world.people["south"], 404),
        (world.people["xinyi"], 404),
        (world.person(world.north, Role.APPROVER), 403),
    ):
        other = caller(who)
        assert other.get(address).status_code == status
        assert other.patch(address, {"name": "stolen"}).status_code == status
        assert other("delete", address).status_code == status
    reader = caller(world.people["north"], "read")
    assert reader.get(address).status_code == 200
    assert reader.patch(address, {"name": "stolen"}).status_code == 403
    assert list(
        caller(world.people["xinyi"])
        .post("/alert-targets", OPS | {"unit": world.north.pk})
        .json()["errors"]
    ) == ["unit"]
    row.refresh_from_db()
    assert row.name != "stolen"


def test_the_log_says_what_was_told_to_whom_and_why_not(api, world, start, discord, add_target):
    add_target(world.north, name="Ops channel")
    add_target(world.north, name="Gone", url="discord://1/gone")
    raise_one(world.xinyi, start, text="Morning notice")
    tell_all(start)
    [alert] = api.get("/alerts").json()["results"]
    assert (alert["kind"], alert["unit"], alert["events"]) == ("failed", world.north.pk, 1)
    assert "Morning notice" in alert["text"]
    told = {one["to"]: (one["state"], one["why"]) for one in alert["told"]}
    assert told == {
        "Ops channel": ("told", ""), "Gone": ("failed", "It did not take it (HTTP 404)."),
    }  # fmt: skip
    assert api.get(f"/alerts/{alert['id']}").json() == alert
    assert api.get("/alerts?state=failed").json()["results"] == [alert]
    assert ids(api.get("/alerts?state=unsure")) == []
    korean = api.get(f"/alerts/{alert['id']}", **{"Accept-Language": "ko"}).json()
    assert korean["title"] != alert["title"]
    assert korean["told"] != alert["told"]


def test_the_log_is_narrowed(api, world, start):
    raise_one(world.xinyi, start, "1", subject="a", text="Morning")
    raise_one(world.north, start, "2", subject="b", kind="quota", text="Evening")
    raise_one(world.tainan, start, "3", subject="c", text="CANARY")
    gather(start)
    assert ids(api.get("/alerts")) == []  # no place is set: they are the headquarters'
    boss = caller(world.people["hq"])
    by_text: dict[str, Any] = {
        name: next(
            row["id"] for row in boss.get("/alerts").json()["results"] if name in row["text"]
        )
        for name in ("Morning", "Evening")
    }
    assert ids(boss.get("/alerts?kind=quota")) == [by_text["Evening"]]
    assert ids(boss.get("/alerts?search=MORNING")) == [by_text["Morning"]]
    moment = start.isoformat().replace("+", "%2B")
    assert len(ids(boss.get(f"/alerts?since={moment}"))) == 3
    assert ids(boss.get(f"/alerts?until={moment}")) == []
    assert len(ids(boss.get(f"/alerts?unit={world.hq.pk}"))) == 3


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.APPROVER])
def test_only_managers_read_the_log(world, start, role):
    raise_one(world.north, start)
    gather(start)
    assert caller(world.person(world.north, role)).get("/alerts").status_code == 403


def test_many_alerts_are_asked_for_as_often_as_one(api, world, start, add_target):
    def asked() -> int:
        with CaptureQueriesContext(connection) as questions:
            assert ids(api.get("/alerts"))
        return len(questions)

    add_target(world.north)
    raise_one(world.xinyi, start, "0", subject="s0")
    gather(start)
    api.get("/alerts")  # notes the token's last use
    few = asked()
    for number in range(1, 6):
        raise_one(world.xinyi, start, f"{number}", subject=f"s{number}")
    gather(start)
    assert asked() == few
