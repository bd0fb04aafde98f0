"""Schedules over HTTP: what is read, written and refused."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from channels.models import Account
from logs.models import History
from orgs.clock import database_now
from orgs.reach import Role
from schedules import actions, rules
from schedules.models import Delivery, Run, Schedule
from tests.schedules.api.calling import ROOT, caller, ids

pytestmark = pytest.mark.django_db


def test_what_is_posted_is_registered_and_comes_back_as_it_is_read(api, body, world):
    response = api.post("/schedules", body(priority=70))
    assert response.status_code == 201
    made = response.json()
    row = Schedule.objects.get(pk=made["id"])
    assert row.state == made["state"] == "active"
    assert made["unit"] == world.xinyi.pk
    assert made["zone"] == "Asia/Taipei"
    assert made["rooms"] == [world.room.pk]
    assert made["next_due_at"].endswith("01:00:00Z")
    assert made["timing_in_words"].endswith("at 09:00 (Asia/Taipei)")
    assert made["registered_by"] == "xinyi-operator"
    assert response["ETag"] == '"0"'
    assert api.get(f"/schedules/{made['id']}").json() == made
    entry = History.objects.get(verb="created", object_id=str(row.pk))
    assert (entry.via, entry.actor) == ("api", "xinyi-operator")


def test_a_draft_stays_one_until_it_is_registered(api, body):
    made = api.post("/schedules", {"title": "Later", "rooms": [], "timing_kind": "daily",
                                   "state": "draft"}).json()  # fmt: skip
    assert made["state"] == "draft"
    assert made["next_due_at"] is None
    assert made["timing_in_words"] == "The timing is not complete"
    now = api.post("/schedules", {"title": "Now", "rooms": [], "timing_kind": "now",
                                  "state": "draft"}).json()  # fmt: skip
    assert now["timing_in_words"] == "At once"
    refused = api.post(f"/schedules/{made['id']}/register")
    assert refused.status_code == 400
    assert set(refused.json()["errors"]) == {"rooms", "text", "time"}
    filled = api("put", f"/schedules/{made['id']}", body())
    assert (filled.status_code, filled.json()["state"]) == (200, "draft")
    for _twice in range(2):
        assert api.post(f"/schedules/{made['id']}/register").json()["state"] == "active"


def test_images_keep_their_order_and_may_come_twice(api, body, make_images):
    first, second = make_images(2)
    images = [second.pk, first.pk, second.pk]
    made = api.post("/schedules", body(images=images)).json()
    assert made["images"] == images


BAD = [
    ("title", ""), ("title", 5), ("title", None), ("title", "x" * 256), ("title", "a\0b"),
    ("rooms", []), ("rooms", 5), ("rooms", ["1"]), ("rooms", [True]), ("rooms", [2**70]),
    ("rooms", [1.0]), ("rooms", None), ("images", [999_999]), ("images", [{}]),
    ("unit", 999_999), ("unit", "1"), ("unit", True), ("unit", 10.5), ("unit", []),
    ("text", 5), ("text", "x" * 100_000), ("text", []),
    ("order", "sideways"), ("order", ["text_first"]), ("order", "images_only"),
    ("interval_seconds", -1), ("interval_seconds", "5"), ("interval_seconds", 3601),
    ("timing_kind", "sometimes"), ("timing_kind", {}), ("timing_kind", True),
    ("zone", "Mars/Olympus"), ("zone", ""), ("zone", "../../etc/passwd"),
    ("date", "tomorrow"), ("date", 20260101), ("date", "2020-01-01T00:00"),
    ("time", "25:00"), ("time", 9), ("time", "09:00+09:00"), ("time", None),
    ("weekdays", [7]), ("weekdays", [True]), ("weekdays", ["1"]), ("weekdays", 3),
    ("weekdays", {"0": 1}), ("peak_hours", [24]), ("peak_hours", [-1]), ("peak_hours", None),
    ("day_of_month", 0), ("day_of_month", 33), ("every_minutes", 0), ("every_minutes", 1441),
    ("short_month", "maybe"), ("skip_dates", ["soon"]), ("skip_dates", [5]),
    ("skip_dates", "2030-01-01"), ("valid_from", "2030-01-01T00:00"), ("valid_from", 5),
    ("valid_until", "2001-01-01T00:00:00Z"), ("valid_until", "9999-12-31T23:59:59-12:00"),
    ("valid_from", "0001-01-01T00:00:00+14:00"),
    ("holiday_country", "XX"), ("holiday_country", "KOREA"),
    ("priority", 101), ("priority", -1), ("priority", True), ("priority", "50"),
    ("priority", 50.0), ("max_retries", 11), ("cron", 5),
    ("state", "paused"), ("state", None), ("revision", "x"), ("colour", "red"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), BAD)
def test_bad_input_is_named_by_its_field_and_nothing_is_written(api, body, field, value):
    before = Schedule.objects.count()
    response = api.post("/schedules", body(**{field: value}))
    assert response.status_code == 400
    assert set(response.json()["errors"]) == {field}
    assert all(response.json()["errors"][field])
    assert Schedule.objects.count() == before


@pytest.mark.parametrize("field", ["title", "rooms", "timing_kind"])
def test_what_is_needed_is_asked_for(api, body, field):
    values = body()
    del values[field]
    response = api.post("/schedules", values)
    assert response.json()["errors"] == {field: ["This field is required."]}


def test_a_validity_that_ends_as_it_begins_is_refused_even_of_a_draft(api, body):
    moment = "2030-01-01T00:00:00Z"
    response = api.post("/schedules", body(valid_from=moment, valid_until=moment, state="draft"))
    assert (response.status_code, set(response.json()["errors"])) == (400, {"valid_until"})


def test_the_same_for_the_same_room_at_the_same_time_is_a_conflict(api, body):
    assert api.post("/schedules", body()).status_code == 201
    twin = api.post("/schedules", body(title="Other"))
    assert twin.status_code == 409
    assert "already sends the same" in twin.json()["detail"]
    assert Schedule.objects.count() == 1


def test_a_change_is_made_all_at_once_or_not_at_all(api, body):
    made = api.post("/schedules", body()).json()
    path = f"/schedules/{made['id']}"
    refused = api.patch(path, {"title": "New", "rooms": [], "priority": 3})
    assert (refused.status_code, set(refused.json()["errors"])) == (400, {"rooms"})
    assert api.get(path).json() == made
    assert Schedule.objects.count() == 1  # no working copy is left
    changed = api.patch(path, {"title": "New", "priority": 3}).json()
    assert (changed["title"], changed["priority"], changed["revision"]) == ("New", 3, 1)
    assert changed["text"] == made["text"]
    assert Schedule.objects.count() == 1


def test_putting_needs_all_that_is_required_and_returns_the_rest_to_its_default(api, body):
    made = api.post("/schedules", body(priority=70, zone="UTC", description="why")).json()
    path = f"/schedules/{made['id']}"
    refused = api("put", path, {"title": "Only this"})
    assert set(refused.json()["errors"]) == {"rooms", "timing_kind"}
    changed = api("put", path, body(title="Whole")).json()
    assert (changed["title"], changed["priority"], changed["zone"]) == ("Whole", 50, "Asia/Taipei")
    assert changed["description"] == ""


def test_what_was_read_can_be_put_back_as_it_is(api, body):
    made = api.post("/schedules", body(text="  kept \n")).json()
    again = api("put", f"/schedules/{made['id']}", made).json()
    moving = {"revision", "updated_at"}
    assert {k: v for k, v in again.items() if k not in moving} == {
        k: v for k, v in made.items() if k not in moving
    }


@pytest.mark.parametrize("state", ["active", "draft"])
def test_a_change_of_what_has_changed_meanwhile_is_a_conflict(api, body, state):
    made = api.post("/schedules", body(state=state)).json()
    path = f"/schedules/{made['id']}"
    assert api.patch(path, {"title": "One", "revision": 0}).json()["revision"] == 1
    assert api.patch(path, {"title": "Two", "revision": 0}).status_code == 409
    assert api.patch(path, {"title": "Two"}, **{"If-Match": '"0"'}).status_code == 409
    assert api.patch(path, {"title": "Two"}, **{"If-Match": "nonsense"}).status_code == 409
    assert api.get(path).json()["title"] == "One"
    assert api.patch(path, {"title": "Two"}, **{"If-Match": '"1"'}).json()["title"] == "Two"


@pytest.mark.parametrize("act", ["register", "toggle", "cancel", "execute", ""])
def test_no_act_is_carried_out_on_another_revision_than_the_one_that_if_match_names(api, body, act):
    made = api.post("/schedules", body(state="draft" if act == "register" else "active")).json()
    path = f"/schedules/{made['id']}"
    assert api.patch(path, {"title": "One"}).json()["revision"] == 1
    method, address = ("post", f"{path}/{act}") if act else ("delete", path)
    assert api(method, address, **{"If-Match": '"0"'}).status_code == 409
    assert api.get(path).json()["state"] == made["state"]
    assert not Run.objects.exists()
    assert api(method, address, **{"If-Match": '"1"'}).status_code in (200, 202, 204)


def test_a_state_is_not_written_but_moved(api, body):
    made = api.post("/schedules", body()).json()
    path = f"/schedules/{made['id']}"
    assert set(api.patch(path, {"state": "paused"}).json()["errors"]) == {"state"}
    assert api.patch(path, {"state": "active", "title": "T"}).status_code == 200
    assert api.post(path + "/toggle").json()["state"] == "paused"
    assert api.post(path + "/toggle").json()["state"] == "active"
    assert api.post(path + "/cancel").json()["state"] == "cancelled"
    again = api.post(path + "/toggle")
    assert (again.status_code, again.json()["title"]) == (409, "Conflict")
    assert api.patch(path, {"title": "Too late"}).status_code == 409


def test_a_registered_schedule_stays_with_its_unit_and_a_draft_may_move(body, world):
    api = caller(world.person(world.taipei, Role.OPERATOR))
    fixed = api.post("/schedules", body()).json()
    refused = api.patch(f"/schedules/{fixed['id']}", {"unit": world.xinyi.pk})
    assert set(refused.json()["errors"]) == {"unit"}
    draft = api.post("/schedules", body(state="draft")).json()
    moved = api.patch(f"/schedules/{draft['id']}", {"unit": world.xinyi.pk})
    assert moved.json()["unit"] == world.xinyi.pk


def test_what_a_person_is_editing_is_not_changed_under_their_hands(api, body, world):
    made = api.post("/schedules", body()).json()
    row = Schedule.objects.get(pk=made["id"])
    copy = actions.begin_edit(row, by=world.people["xinyi"])
    refused = api.patch(f"/schedules/{made['id']}", {"title": "Mine"})
    assert refused.status_code == 409
    assert Schedule.objects.filter(pk=copy.pk).exists()
    assert ids(api.get("/schedules")) == [row.pk]
    assert api.get(f"/schedules/{copy.pk}").status_code == 404


def test_what_is_deleted_is_gone_but_for_its_log(api, body, world):
    made = api.post("/schedules", body()).json()
    path = f"/schedules/{made['id']}"
    api.post(path + "/execute")
    assert api("delete", path).status_code == 204
    assert api.get(path).status_code == 404
    assert api("delete", path).status_code == 404
    assert ids(api.get("/schedules")) == []
    assert [row["schedule"] for row in api.get("/logs").json()["results"]] == [made["id"]]


def test_running_now_answers_with_the_run_and_a_second_one_waits_for_it(api, body):
    made = api.post("/schedules", body()).json()
    response = api.post(f"/schedules/{made['id']}/execute")
    assert response.status_code == 202
    run = response.json()
    assert (run["schedule"], run["trigger"], run["state"], run["total"]) == (
        made["id"], "hand", "planned", 1,
    )  # fmt: skip
    assert Run.objects.get().pk == run["id"]
    assert api.post(f"/schedules/{made['id']}/execute").status_code == 409
    assert Delivery.objects.count() == 1


def test_occurrences_are_those_of_the_planner(api, body):
    made = api.post(
        "/schedules",
        body(timing_kind="daily", skip_dates=[str(datetime.now(UTC).date() + timedelta(days=3))]),
    ).json()
    found = api.get(f"/schedules/{made['id']}/occurrences?count=5").json()["results"]
    row = Schedule.objects.get(pk=made["id"])
    wanted = rules.preview(row, database_now(), 5)
    assert [datetime.fromisoformat(each["due_at"]) for each in found] == [o.due_at for o in wanted]
    assert [each["skipped"] for each in found].count("date") == 1
    assert {each["zone"] for each in found} == {"Asia/Taipei"}
    assert found[0]["due_at"].endswith("01:00:00Z")
    assert found[0]["local"].endswith("T09:00:00+08:00")
    names = "appointed_at due_at local zone text skipped detail moved held"
    assert set(found[0]) == set(names.split())
    assert len(api.get(f"/schedules/{made['id']}/occurrences").json()["results"]) == 10


def test_each_coming_time_has_an_address_in_any_offset(api, body):
    made = api.post("/schedules", body(timing_kind="daily", zone="Europe/Berlin")).json()
    path = f"/schedules/{made['id']}/occurrences"
    for each in api.get(f"{path}?count=100").json()["results"]:  # a DST change may be among them
        assert api.get(f"{path}/{each['due_at']}").json() == each
    assert api.get(f"{path}/{each['local']}").json() == each


@pytest.mark.parametrize(
    "at", ["x", "2030", "2001-01-01T00:00:00Z", "9998-01-01T01:00:00Z", "2030-01-01T09:00:00"]
)
def test_a_time_that_is_none_of_the_coming_ones_is_not_found(api, body, at):
    made = api.post("/schedules", body(timing_kind="daily")).json()
    assert api.get(f"/schedules/{made['id']}/occurrences/{at}").status_code == 404


@pytest.mark.parametrize("count", ["0", "101", "x", "1.5"])
def test_a_wrong_count_is_named(api, body, count):
    made = api.post("/schedules", body(state="draft")).json()
    response = api.get(f"/schedules/{made['id']}/occurrences?count={count}")
    assert (response.status_code, set(response.json()["errors"])) == (400, {"count"})


def test_a_moment_may_be_given_in_any_zone_and_comes_back_in_utc(api, body):
    made = api.post("/schedules", body(valid_from="2020-01-01T09:00:00+09:00")).json()
    assert made["valid_from"] == "2020-01-01T00:00:00Z"


def test_the_list_is_filtered_and_paged_and_wrong_filters_are_named(api, make_schedule, world):
    rows = [make_schedule(title=f"Notice {number}") for number in range(5)]
    other = make_schedule(title="Other", rooms=[world.test_room])
    actions.register(other, by=world.people["xinyi"])
    first = api.get("/schedules?page_size=4&search=notice")
    assert ids(first) == [row.pk for row in reversed(rows)][:4]
    following = first.json()["next"].partition(ROOT)[2]
    assert ids(api.get(following)) == [rows[0].pk]
    assert ids(api.get("/schedules?state=active")) == [other.pk]
    assert ids(api.get(f"/schedules?room={world.test_room.pk}")) == [other.pk]
    assert len(ids(api.get(f"/schedules?unit={world.xinyi.pk}"))) == 6
    for wrong in ("state=lost", "room=x", "unit=0", f"unit={10**30}"):
        response = api.get(f"/schedules?{wrong}")
        assert (response.status_code, set(response.json()["errors"])) == (
            400,
            {wrong.split("=")[0]},
        )


@pytest.mark.parametrize("cursor", ["!", "cD1hYmM=", "cD0yMDI2", "bz0tMQ==", "%00", "bz05OTk5OTk5"])
def test_a_cursor_that_was_written_by_hand_is_no_fault_of_ours(api, make_schedule, cursor):
    make_schedule()
    assert api.get(f"/schedules?cursor={cursor}").status_code in (200, 404)
    assert api.get(f"/logs?cursor={cursor}").status_code in (200, 404)


def test_the_list_asks_as_often_for_thirty_as_for_one(api, make_schedule, make_images):
    def ask() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = api.get("/schedules")
        assert len(ids(response)) == Schedule.objects.count()
        return len(queries)

    api.get("/schedules")  # notes when the token was used
    images = make_images(2)
    make_schedule(images=images)
    alone = ask()
    for _number in range(29):
        make_schedule(images=images)
    assert ask() == alone


def test_the_zone_of_the_unit_decides_what_nine_o_clock_is(body, world):
    api = caller(world.person(world.south, Role.OPERATOR))
    made = api.post("/schedules", body(rooms=[world.tainan_room.pk])).json()
    due = datetime.fromisoformat(made["next_due_at"])
    assert due.astimezone(ZoneInfo("Asia/Seoul")).hour == 9


def test_a_person_who_is_signed_in_writes_with_the_page_s_token_only(world, body):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.people["xinyi"])
    assert browser.get(ROOT + "/schedules").status_code == 200
    refused = browser.post(ROOT + "/schedules", body(), content_type="application/json")
    assert refused.status_code == 403
    assert "CSRF" in refused.json()["detail"]
    browser.cookies["csrftoken"] = "a" * 32
    taken = browser.post(
        ROOT + "/schedules", body(), content_type="application/json",
        headers={"X-CSRFToken": "a" * 32},
    )  # fmt: skip
    assert taken.status_code == 201


def test_an_account_s_settings_are_in_no_answer_about_a_schedule(api, body, world):
    Account.objects.filter(pk=world.sandbox.pk).update(config={"note": "canary-config"})
    made = api.post("/schedules", body())
    assert "canary" not in made.content.decode()
