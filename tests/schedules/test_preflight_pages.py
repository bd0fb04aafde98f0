"""What was found before a run is shown where people look, and looked for when they ask."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.models import Account, Room
from logs.models import History
from orgs.clock import database_now
from orgs.reach import Role
from schedules import actions
from schedules.models import Preflight, Schedule
from tests.schedules.api.calling import Caller, caller
from tests.schedules.dispatch.preflight.conftest import MINUTE, turn

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/schedules/schedule/"


@pytest.fixture
def api(clerk) -> Caller:
    return caller(clerk)


@pytest.fixture
def active(make_schedule, clerk) -> Schedule:
    """In eight minutes, to a room that was made inactive since."""
    schedule = actions.register(make_schedule(due_in=480), by=clerk)
    Room.objects.update(is_active=False)
    return schedule


def page_of(schedule: Schedule) -> str:
    return f"{LIST}{schedule.pk}/change/"


def test_trouble_is_on_the_page_and_in_the_list_with_what_to_do(desk, active):
    assert "1 problem" not in desk.get(LIST).content.decode()
    turn()
    page = desk.get(page_of(active)).content.decode()
    assert "The room “Xinyi room” is inactive." in page
    assert "Make it active again, or take it out of the schedule." in page
    assert "1 problem" in desk.get(LIST).content.decode()


def test_what_was_found_of_an_earlier_version_is_not_shown(desk, active):
    turn()
    Schedule.objects.filter(pk=active.pk).update(revision=7)
    assert "is inactive" not in desk.get(page_of(active)).content.decode()
    assert "1 problem" not in desk.get(LIST).content.decode()


def test_a_button_has_it_looked_at_now(desk, active):
    Schedule.objects.filter(pk=active.pk).update(next_due_at=database_now() + 600 * MINUTE)
    answer = desk.post(f"{LIST}{active.pk}/act/check/", follow=True)
    assert "A worker is looking at it" in answer.content.decode()
    state = f"{LIST}{active.pk}/check/state/"
    assert "every 1s" in desk.get(state).content.decode()
    turn()
    part = desk.get(state).content.decode()
    assert "The room “Xinyi room” is inactive." in part and "every 1s" not in part
    assert History.objects.filter(verb="checked", object_id=active.pk).count() == 1


def test_what_a_person_asked_for_early_is_looked_at_again_before_the_run(active, clerk):
    due_at = database_now() + 600 * MINUTE
    Schedule.objects.filter(pk=active.pk).update(next_due_at=due_at)
    actions.check(active, by=clerk)
    turn()
    row = Preflight.objects.get()
    assert (row.asked_at, row.due_at, row.told) == (None, due_at, "")
    turn(due_at - 9 * MINUTE)
    assert Preflight.objects.get().looked_at == due_at - 9 * MINUTE


def test_who_asks_while_a_worker_looks_is_given_another_look(active, clerk):
    actions.check(active, by=clerk)
    asked_at = Preflight.objects.get().asked_at
    turn(asked_at - MINUTE)  # the worker took it before the person asked
    assert Preflight.objects.get().asked_at == asked_at


def test_a_double_click_is_one_question(active, clerk):
    for _ in range(2):
        actions.check(active, by=clerk)
    assert History.objects.filter(verb="checked").count() == 1


def test_what_has_ended_is_not_checked(active, clerk):
    actions.cancel(active, by=clerk)
    with pytest.raises(actions.Refused, match="cannot be checked"):
        actions.check(Schedule.objects.get(), by=clerk)


@pytest.mark.parametrize("timing", [{}, {"timing_kind": "now", "date": None, "time": None}])
def test_a_draft_is_checked_on_its_last_page(desk, make_schedule, clerk, timing):
    draft = make_schedule(registered_by=clerk, **timing)
    review = f"{LIST}{draft.pk}/register/review/"
    assert "Check now" in desk.get(review).content.decode()
    answer = desk.post(f"{LIST}{draft.pk}/register/check/", follow=True)
    assert "A worker is looking at it" in answer.content.decode()
    turn()
    part = desk.get(f"{LIST}{draft.pk}/register/check/state/").content.decode()
    assert "Nothing stands against it." in part
    Account.objects.update(stopped_at=database_now(), stopped_why="Bad token.")
    desk.post(f"{LIST}{draft.pk}/register/check/")
    turn()
    assert "The Sandbox account is stopped: Bad token." in desk.get(review).content.decode()


def test_a_draft_that_is_incomplete_is_not_offered_to_be_checked(desk, make_schedule, clerk):
    draft = make_schedule(registered_by=clerk, text="")
    assert "Check now" not in desk.get(f"{LIST}{draft.pk}/register/review/").content.decode()


def test_the_api_asks_and_tells(api, active, clerk):
    assert api.get(f"/schedules/{active.pk}").json()["preflight"] == {
        "is_waiting": False, "looked_at": None, "due_at": None, "findings": [],
    }  # fmt: skip
    answer = api.post(f"/schedules/{active.pk}/check")
    assert (answer.status_code, answer.json()["preflight"]["is_waiting"]) == (202, True)
    turn()
    found = api.get(f"/schedules/{active.pk}").json()["preflight"]
    assert found["is_waiting"] is False and found["looked_at"] and found["due_at"]
    assert found["findings"] == [
        {
            "what": "room_off",
            "is_trouble": True,
            "words": "The room “Xinyi room” is inactive.",
            "advice": "Make it active again, or take it out of the schedule.",
        }
    ]
    actions.cancel(active, by=clerk)
    assert api.post(f"/schedules/{active.pk}/check").status_code == 409


def test_a_viewer_reads_it_and_cannot_ask(world, active, client):
    viewer = world.person(world.xinyi, Role.VIEWER)
    turn()
    assert caller(viewer).get(f"/schedules/{active.pk}").json()["preflight"]["findings"]
    assert caller(viewer).post(f"/schedules/{active.pk}/check").status_code == 403
    client.force_login(viewer)
    page = client.get(page_of(active)).content.decode()
    assert "is inactive" in page and "Check now" not in page


def test_a_list_of_checked_schedules_asks_as_often_for_many(api, desk, make_schedule, clerk):
    def ask() -> tuple[int, ...]:
        counts = []
        for get, address in ((api.get, "/schedules"), (desk.get, LIST)):
            with CaptureQueriesContext(connection) as queries:
                assert get(address).status_code == 200
            counts.append(len(queries))
        return tuple(counts)

    def add(count: int) -> None:
        for _ in range(count):
            title = f"Notice {Schedule.objects.count()}"
            draft = make_schedule(due_in=480, title=title, text=title)
            actions.register(draft, by=clerk)
        turn()

    add(1)
    ask()
    few = ask()
    add(9)
    assert ask() == few


def test_the_page_says_when_the_next_look_is_once_a_run_has_gone(desk, clerk, make_schedule):
    schedule = actions.register(make_schedule(timing_kind="daily"), by=clerk)
    due_at = database_now() + 600 * MINUTE
    Schedule.objects.filter(pk=schedule.pk).update(next_due_at=due_at)
    page = desk.get(page_of(schedule)).content.decode()
    assert "Looked at by itself" in page
    assert f"{due_at - 10 * MINUTE:%H:%M:%S}" in page
    Schedule.objects.filter(pk=schedule.pk).update(next_due_at=database_now() + 8 * MINUTE)
    turn()
    assert "Looked at by itself" not in desk.get(page_of(schedule)).content.decode()
    Schedule.objects.filter(pk=schedule.pk).update(next_due_at=due_at)
    assert "Looked at by itself" in desk.get(page_of(schedule)).content.decode()
