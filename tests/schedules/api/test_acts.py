"""Retry, roll back, test, duplicate, run what is due, and the history, over HTTP."""

from datetime import timedelta

import pytest

from channels.adapters.base import refused
from channels.models import Room
from orgs.clock import database_now
from orgs.reach import Role
from schedules import actions
from schedules.dispatch.settle import settle
from schedules.models import Delivery, Installation, Run, Schedule
from tests.schedules.api.calling import caller, ids
from tests.schedules.conftest import accepted, not_accepted, on_the_wire
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(api, body):
    return f"/schedules/{api.post('/schedules', body()).json()['id']}"


@pytest.fixture
def half_failed(world, api, body):
    """The path of a schedule whose run reached one of its two rooms."""
    values = {"unit": world.xinyi, "account": world.sandbox, "address": "second", **UNLIMITED}
    second = Room.objects.create(name="Second", **values)
    made = api.post("/schedules", body(rooms=[world.room.pk, second.pk])).json()
    api.post(f"/schedules/{made['id']}/execute")
    now = database_now()
    one, other = on_the_wire(now)
    settle([accepted(one, now), not_accepted(other, now, refused("No."))])
    assert Run.objects.get().state == "partial"
    return f"/schedules/{made['id']}"


def test_what_failed_is_sent_once_more_and_the_rest_is_not(api, half_failed):
    answer = api.post(half_failed + "/retry").json()
    failed = Delivery.objects.get(state="planned")
    assert answer["planned"] == [failed.pk]
    assert (answer["refused"], answer["run"]["state"]) == ([], "sending")
    now = database_now()
    settle([accepted(one, now) for one in on_the_wire(now)])
    assert Run.objects.get().state == "sent"
    assert Delivery.objects.filter(state="sent").count() == 2
    again = api.post(half_failed + "/retry")
    assert (again.status_code, again.json()["detail"]) == (
        409, "Nothing of it has failed for good.",
    )  # fmt: skip


def test_a_retry_of_chosen_entries_leaves_the_others(api, half_failed):
    sent = Delivery.objects.get(state="sent")
    assert api.post(half_failed + "/retry", {"logs": [sent.pk]}).status_code == 409
    failed = Delivery.objects.get(state="failed")
    answer = api.post(half_failed + "/retry", {"run": failed.run_id, "logs": [failed.pk]})
    assert answer.json()["planned"] == [failed.pk]


def test_what_is_long_past_is_only_retried_knowingly(api, half_failed):
    past = database_now() - timedelta(hours=2)
    Delivery.objects.update(due_at=past)
    answer = api.post(half_failed + "/retry").json()
    assert answer["planned"] == []
    assert [row["needs_sure"] for row in answer["refused"]] == [True]
    assert len(api.post(half_failed + "/retry", {"sure": True}).json()["planned"]) == 1


def test_an_imported_run_is_not_retried(api, half_failed):
    Run.objects.update(trigger=Run.Trigger.IMPORTED)
    answer = api.post(half_failed + "/retry").json()
    assert answer["planned"] == []
    assert "older system" in answer["refused"][0]["detail"]


def test_another_schedule_s_run_is_no_run_of_this_one(api, half_failed, body):
    other = api.post("/schedules", body(text="Other")).json()["id"]
    for act in ("retry", "rollback"):
        answer = api.post(f"/schedules/{other}/{act}", {"run": Run.objects.get().pk})
        assert answer.status_code == 404


def test_what_has_not_left_is_taken_back_and_what_has_is_named(api, body, world):
    values = {"unit": world.xinyi, "account": world.sandbox, "address": "second", **UNLIMITED}
    second = Room.objects.create(name="Second", **values)
    made = api.post("/schedules", body(rooms=[world.room.pk, second.pk])).json()
    path = f"/schedules/{made['id']}"
    assert api.post(path + "/rollback").status_code == 409
    api.post(path + "/execute")
    now = database_now()
    Delivery.objects.filter(room=second).update(next_try_at=now + timedelta(minutes=1))
    settle([accepted(one, now) for one in on_the_wire(now)])
    answer = api.post(path + "/rollback").json()
    assert (answer["taken_back"], answer["stays"]) == (1, {"sandbox": 1})
    assert answer["run"]["state"] == "partial"
    assert Delivery.objects.get(room=second).state == "cancelled"
    again = api.post(path + "/rollback")
    assert again.status_code == 409
    assert "cannot take a message back" in again.json()["detail"]
    assert api.get(path).json()["state"] == "active"


def test_a_test_goes_to_test_rooms_only_also_of_a_draft(api, body, world):
    made = api.post("/schedules", body(state="draft")).json()
    path = f"/schedules/{made['id']}/test-send"
    refused = api.post(path, {"rooms": [world.room.pk]})
    assert (refused.status_code, set(refused.json()["errors"])) == (400, {"rooms"})
    run = api.post(path)
    assert run.status_code == 202
    assert (run.json()["trigger"], run.json()["total"]) == ("test", 1)
    assert Delivery.objects.get().room == world.test_room
    assert api.post(path).status_code == 409  # the first is still under way
    now = database_now()
    settle([accepted(one, now) for one in on_the_wire(now)])
    assert Run.objects.get().state == "sent"
    assert api.get(f"/schedules/{made['id']}").json()["state"] == "draft"
    assert api("delete", f"/schedules/{made['id']}").status_code == 204


def test_a_test_says_what_is_wrong_with_the_content(api, body, world):
    made = api.post("/schedules", body(state="draft", text="")).json()
    refused = api.post(f"/schedules/{made['id']}/test-send", {"rooms": [world.test_room.pk]})
    assert (refused.status_code, set(refused.json()["errors"])) == (400, {"text"})
    Room.objects.filter(kind="test").update(is_active=False)
    refused = api.post(f"/schedules/{made['id']}/test-send")
    assert "no test room" in refused.json()["errors"]["rooms"][0]


def test_a_duplicate_is_a_draft_and_one_uid_makes_one(api, path):
    uid = "6f1f9a3e-4b63-4a3c-9a54-0d2b2f5f7e11"
    one, again = (api.post(path + "/duplicate", {"uid": uid}) for _ in "12")
    assert one.status_code == 201
    assert (one.json()["state"], one.json()["text"]) == ("draft", "Everything must go")
    assert one.json()["id"] == again.json()["id"]
    assert api.post(path + "/duplicate", {"uid": "x"}).status_code == 400
    assert Schedule.objects.count() == 2


def test_what_is_due_within_reach_is_planned_at_once(api, body, make_schedule, world):
    past = database_now() - timedelta(seconds=30)
    mine = api.post("/schedules", body()).json()["id"]
    draft = make_schedule(unit=world.tainan, rooms=[world.tainan_room])
    other = actions.register(draft, by=world.people["tainan"])
    Schedule.objects.update(
        next_due_at=past, date=past.date(), time=past.time().replace(microsecond=0), zone="UTC"
    )
    Schedule.objects.update(next_due_at=past.replace(microsecond=0))
    answer = api.post("/schedules/execute-due")
    assert answer.status_code == 202
    assert answer.json()["planned"] == 1
    assert [run["schedule"] for run in answer.json()["results"]] == [mine]
    assert not Run.objects.filter(schedule=other).exists()
    again = api.post("/schedules/execute-due").json()
    assert (again["planned"], len(again["results"])) == (0, 1)


def test_nothing_is_planned_by_hand_while_the_fence_is_up(api, path):
    Installation.objects.update_or_create(defaults={"fenced_at": database_now()})
    assert api.post("/schedules/execute-due").status_code == 409


def test_the_history_tells_who_did_what(api, path, world):
    api.post(path + "/toggle")
    found = api.get(path + "/history").json()["results"]
    assert [row["verb"] for row in found] == ["paused", "created"]
    assert {row["actor"] for row in found} == {"xinyi-operator"}
    assert found[0]["changes"] == {"state": ["active", "paused"]}
    assert [row["verb"] for row in api.get(path + "/history?verb=paused").json()["results"]] == [
        "paused"
    ]
    everything = api.get("/history?kind=schedule")
    assert ids(everything) == [row["id"] for row in found]
    assert api.get(f"/history/{found[0]['id']}").json() == found[0]
    assert ids(api.get("/history?since=2100-01-01T00:00:00Z")) == []
    elsewhere = caller(world.people["tainan"])
    assert ids(elsewhere.get("/history")) == []
    assert elsewhere.get(f"/history/{found[0]['id']}").status_code == 404


def test_the_history_is_searched(api, path, world):
    api.post(f"{path}/toggle", None, **{"X-Request-ID": "wanted-1"})
    title = api.get(path).json()["title"]

    def found(words: str) -> list[str]:
        return [row["verb"] for row in api.get(f"/history?search={words}").json()["results"]]

    assert found("wanted-1") == ["paused"]
    assert "paused" in found(title.upper()) and "paused" in found("xinyi-oper")
    assert found("nothing like that") == []
    assert "paused" in found("127.0.0")


def test_a_viewer_reads_the_history_and_does_nothing(world, path):
    api = caller(world.person(world.xinyi, Role.VIEWER))
    assert api.get(path + "/history").status_code == 200
    for act in ("retry", "rollback", "test-send", "duplicate"):
        assert api.post(f"{path}/{act}").status_code == 403
    assert api.post("/schedules/execute-due").status_code == 403
