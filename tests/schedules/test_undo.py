"""What is sent by hand ten seconds later can be taken back until then."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from orgs.clock import database_now
from schedules import actions
from schedules.actions.run_now import UNDO
from schedules.models import Delivery, Run, Schedule
from tests.conftest import World
from tests.schedules.conftest import claim_at, on_the_wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def schedule(world: World, make_schedule: Any) -> Schedule:
    return actions.register(make_schedule(), by=world.people["xinyi"])


def act(desk: Client, schedule: Schedule, verb: str, **values: Any) -> Any:
    address = f"/admin/schedules/schedule/{schedule.pk}/act/{verb}/"
    return desk.post(address, values, follow=True)


def test_it_leaves_ten_seconds_later_and_not_before(desk: Client, schedule: Schedule) -> None:
    page = act(desk, schedule, "run-soon").content.decode()
    assert "It is sent in a few seconds." in page and "Take it back" in page
    row = Delivery.objects.get()
    assert row.due_at == row.run.due_at > database_now() + UNDO - timedelta(seconds=5)
    assert claim_at(row.due_at - timedelta(seconds=5)) == []
    assert len(on_the_wire(row.due_at)) == 1


def test_until_then_it_is_taken_back_and_never_leaves(desk: Client, schedule: Schedule) -> None:
    act(desk, schedule, "run-soon")
    run = Run.objects.get()
    page = act(desk, schedule, "take-back", run=run.pk).content.decode()
    assert "Taken back: nothing of it was sent." in page and "Take it back" not in page
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert claim_at(run.due_at) == []


def test_what_has_left_is_not_taken_back(desk: Client, schedule: Schedule) -> None:
    act(desk, schedule, "run-soon")
    run = Run.objects.get()
    on_the_wire(run.due_at)
    page = act(desk, schedule, "take-back", run=run.pk).content.decode()
    assert "Taken back" not in page
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sending"}


def test_a_second_click_is_one_run(desk: Client, schedule: Schedule) -> None:
    act(desk, schedule, "run-soon")
    assert "run by hand already" in act(desk, schedule, "run-soon").content.decode()
    assert Run.objects.count() == 1


@pytest.mark.parametrize("run", ["", "x", "9" * 30, "999999"])
def test_a_run_that_there_is_not_is_not_found(desk: Client, schedule: Schedule, run: str) -> None:
    assert act(desk, schedule, "take-back", run=run).status_code == 404


def test_a_run_of_another_schedule_is_not_taken_back(
    desk: Client, schedule: Schedule, world: World, make_schedule: Any
) -> None:
    other = actions.register(make_schedule(title="Other", text="Other"), by=world.people["xinyi"])
    run = actions.execute(other, by=world.people["xinyi"], after=UNDO)
    assert act(desk, schedule, "take-back", run=run.pk).status_code == 404
    run.refresh_from_db()
    assert run.state == "planned"
