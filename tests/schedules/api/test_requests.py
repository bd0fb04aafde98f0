"""A request's id leads from its answer through the history to every attempt that came of it."""

from datetime import timedelta

import pytest

from channels.adapters.base import refused
from logs.models import Attempt, History
from orgs.clock import database_now
from schedules.dispatch.settle import settle
from schedules.models import Run, Schedule
from tests.schedules.api.calling import caller
from tests.schedules.conftest import accepted, not_accepted, on_the_wire, plan_at

pytestmark = pytest.mark.django_db


def named(name: str) -> dict[str, str]:
    return {"X-Request-ID": name}


@pytest.fixture
def schedule(api, body):
    made = api.post("/schedules", body(), **named("registered-it"))
    assert made["X-Request-ID"] == "registered-it"
    return Schedule.objects.get(pk=made.json()["id"])


def send(schedule: Schedule, *, fails: bool = False) -> None:
    due_at = schedule.next_due_at
    plan_at(schedule, due_at)
    no = refused("No such room.")
    claimed = on_the_wire(due_at)
    settle([not_accepted(one, due_at, no) if fails else accepted(one, due_at) for one in claimed])


def test_what_its_timing_sends_came_of_the_request_that_registered_it(api, schedule):
    send(schedule)
    assert Run.objects.get().request == Attempt.objects.get().request == "registered-it"
    entry = api.get("/logs").json()["results"][0]
    assert (entry["request"], entry["attempts"][0]["request"]) == ("registered-it",) * 2


def test_the_history_of_one_request_can_be_asked_for(api, schedule):
    api.post(f"/schedules/{schedule.pk}/toggle", **named("paused-it"))
    acts = api.get("/history?request=registered-it").json()["results"]
    assert [(act["verb"], act["request"]) for act in acts] == [("created", "registered-it")]
    assert api.get("/history?request=paused-it").json()["results"][0]["verb"] == "paused"


def test_what_the_machine_does_to_a_run_came_of_the_same(schedule, caplog):
    send(schedule, fails=True)
    failed = History.objects.get(kind="run", verb="failed")
    assert (failed.actor, failed.request) == ("", "registered-it")
    lines = [line for line in caplog.records if line.name == "schedules.totals"]
    assert [line.came_of for line in lines] == ["registered-it"]


@pytest.mark.parametrize("change", ["edit", "resume"])
def test_who_changes_it_answers_for_what_goes_then(api, schedule, change):
    path = f"/schedules/{schedule.pk}"
    if change == "edit":
        api.patch(path, {"text": "Other"}, **named("changed-it"))
    else:
        api.post(path + "/toggle")
        api.post(path + "/toggle", **named("changed-it"))
    send(Schedule.objects.get())
    assert Attempt.objects.get().request == "changed-it"


def test_a_run_by_hand_came_of_its_own_request(api, schedule):
    api.post(f"/schedules/{schedule.pk}/execute", **named("by-hand-1"))
    now = database_now()
    settle([accepted(one, now) for one in on_the_wire(now + timedelta(seconds=1))])
    assert Attempt.objects.get().request == Run.objects.get().request == "by-hand-1"


def test_what_is_tried_once_more_came_of_who_asked_for_that(api, schedule):
    api.post(f"/schedules/{schedule.pk}/execute", **named("by-hand-1"))
    now = database_now()
    settle([not_accepted(one, now, refused("No.")) for one in on_the_wire(now)])
    api.post(f"/schedules/{schedule.pk}/retry", **named("try-again"))
    now = database_now()
    settle([accepted(one, now) for one in on_the_wire(now)])
    found = Attempt.objects.order_by("id").values_list("request", flat=True)
    assert list(found) == ["by-hand-1", "try-again"]
    assert api.get("/logs").json()["results"][0]["request"] == "try-again"


def test_a_browser_may_give_it_and_read_it(settings, client):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    asks = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    first = client.options("/api/v1/logs", headers=asks)
    assert "x-request-id" in first["Access-Control-Allow-Headers"]
    answer = client.get("/api/v1/logs", headers={"Origin": "https://app.example"})
    assert "X-Request-ID" in answer["Access-Control-Expose-Headers"]


def test_it_is_the_callers_word_and_opens_nothing_that_another_has_named_so(api, schedule, world):
    other = caller(world.people["tainan"])
    assert other.get("/schedules", **named("registered-it"))["X-Request-ID"] == "registered-it"
    for path in ("/history?request=registered-it", "/logs", "/runs"):
        assert other.get(path, **named("registered-it")).json()["results"] == []
    assert other.get(f"/schedules/{schedule.pk}", **named("registered-it")).status_code == 404


@pytest.mark.parametrize("name", ["short", "x" * 65, "two words", "é" * 8, "a\tb-c-d-e"])
def test_what_could_be_more_than_a_name_is_replaced(api, name):
    made = api.get("/schedules", **named(name))["X-Request-ID"]
    assert made != name
    assert len(made) == 16
