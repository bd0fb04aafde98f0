"""Runs over HTTP: what became of each, also of one of which nothing was sent at all."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.adapters.base import refused
from orgs.clock import database_now
from orgs.reach import Role
from schedules.dispatch.settle import settle
from schedules.models import Run, RunPause, Schedule
from tests.schedules.api.calling import caller, ids
from tests.schedules.conftest import accepted, claim_at, not_accepted, on_the_wire, plan_at

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def registered(api, body):
    def make(**values) -> Schedule:
        return Schedule.objects.get(pk=api.post("/schedules", body(**values)).json()["id"])

    return make


def test_it_tells_state_counts_and_times(api, registered):
    schedule = registered()
    due_at = schedule.next_due_at
    plan_at(schedule, due_at)
    settle([accepted(one, due_at) for one in on_the_wire(due_at)])
    (shown,) = api.get("/runs").json()["results"]
    run = Run.objects.get()
    assert shown == api.get(f"/runs/{run.pk}").json()
    assert (shown["schedule"], shown["state"], shown["trigger"]) == (schedule.pk, "sent", "timing")
    assert (shown["total"], shown["sent"], shown["failed"], shown["skipped"]) == (1, 1, 0, 0)
    assert shown["due_at"] == due_at.isoformat().replace("+00:00", "Z")
    assert shown["started_at"] and shown["completed_at"]
    assert (shown["kind"], shown["zone"], shown["reason"]) == ("once", "Asia/Taipei", "")
    assert not {"payloads", "content"} & shown.keys()


def test_one_that_was_skipped_as_a_whole_says_why(api, registered):
    """No room has an entry in the log."""
    schedule = registered()
    plan_at(schedule, schedule.next_due_at + DAY)
    assert ids(api.get("/logs")) == []
    (shown,) = api.get("/runs?state=skipped&reason=missed").json()["results"]
    assert (shown["state"], shown["reason"], shown["total"]) == ("skipped", "missed", 0)


def test_runs_are_narrowed(api, world, registered):
    one, other = registered(title="One"), registered(title="Other", text="Else", time="10:00")
    api.post(f"/schedules/{other.pk}/execute")
    now = database_now()
    settle([not_accepted(each, now, refused("No.")) for each in on_the_wire(now)])
    plan_at(one, one.next_due_at)
    by_hand = Run.objects.get(schedule=other).pk
    timed = Run.objects.get(schedule=one).pk
    due = one.next_due_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    for query, wanted in (
        (f"schedule={one.pk}", [timed]),
        (f"unit={world.xinyi.pk}", [timed, by_hand]),
        (f"unit={world.taipei.pk}", []),
        ("unit=999999", []),
        ("state=failed", [by_hand]),
        ("trigger=hand", [by_hand]),
        (f"due_after={due}", [timed]),
        (f"due_before={due}", [by_hand]),
        ("ordering=due_at", [by_hand, timed]),
    ):
        assert ids(api.get(f"/runs?{query}")) == wanted, query
    assert api.get("/runs?fields=id,state").json()["results"][0].keys() == {"id", "state"}
    assert api.get("/runs?state=gone").status_code == 400


def test_the_log_of_a_deleted_schedule_keeps_its_runs(api, registered):
    schedule = registered()
    api.post(f"/schedules/{schedule.pk}/execute")
    api("delete", f"/schedules/{schedule.pk}")
    assert ids(api.get(f"/runs?schedule={schedule.pk}")) == [Run.objects.get().pk]


def test_a_neighbour_finds_none(api, world, registered):
    api.post(f"/schedules/{registered().pk}/execute")
    run = Run.objects.get()
    stranger = caller(world.people["tainan"])
    assert ids(stranger.get("/runs")) == ids(stranger.get(f"/runs?unit={world.xinyi.pk}")) == []
    answers = [stranger.get(f"/runs/{pk}") for pk in (run.pk, 999_999)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_thirty_runs_ask_as_often_as_one(api, world, logged):
    def asked() -> int:
        with CaptureQueriesContext(connection) as questions:
            assert api.get("/runs").status_code == 200
        return len(questions)

    now = database_now()
    api.get("/runs")  # notes the token's last use
    logged(world.xinyi, now)
    few = asked()
    for number in range(29):
        logged(world.xinyi, now - number * DAY)
    assert asked() == few


@pytest.fixture
def under_way(api, registered) -> Run:
    """One that has been started, and of which nothing has left."""
    api.post(f"/schedules/{registered().pk}/execute")
    return Run.objects.get()


def test_one_that_is_under_way_is_paused_and_goes_on(api, world, under_way):
    address = f"/runs/{under_way.pk}"
    assert api.post(f"{address}/resume").status_code == 409
    held = api.post(f"{address}/pause")
    assert (held.status_code, held.json()) == (200, api.get(address).json())
    assert held.json()["paused_by"] == "xinyi-operator"
    assert held.json()["paused_at"]
    assert api.post(f"{address}/pause").status_code == 409
    assert not claim_at(database_now())
    gone_on = api.post(f"{address}/resume").json()
    assert (gone_on["paused_at"], gone_on["paused_by"]) == (None, None)
    assert [claimed.run_id for claimed in claim_at(database_now())] == [under_way.pk]


def test_one_that_has_ended_is_not_paused(api, under_way):
    now = database_now()
    settle([accepted(one, now) for one in on_the_wire(now)])
    answer = api.post(f"/runs/{under_way.pk}/pause")
    assert (answer.status_code, "nothing of it waits" in answer.json()["detail"]) == (409, True)


def test_who_stands_below_lets_nothing_go_on(api, world, under_way):
    above = caller(world.person(world.taipei, Role.OPERATOR))
    assert above.post(f"/runs/{under_way.pk}/pause").status_code == 200
    assert api.post(f"/runs/{under_way.pk}/resume").status_code == 409
    assert above.post(f"/runs/{under_way.pk}/resume").status_code == 200


def test_pausing_asks_for_reach_role_and_scope(world, under_way):
    for call, status in (
        (caller(world.people["tainan"]), 404),
        (caller(world.person(world.xinyi, Role.VIEWER)), 403),
        (caller(world.people["xinyi"], "read"), 403),
    ):
        for act in ("pause", "resume"):
            assert call.post(f"/runs/{under_way.pk}/{act}").status_code == status
    assert not RunPause.objects.exists()
