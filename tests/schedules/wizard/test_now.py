"""What is registered to go "now" leaves ten seconds later, and is taken back until then."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from orgs.clock import database_now
from orgs.models import User
from schedules import actions
from schedules.actions.run_now import UNDO
from schedules.dispatch.sweep import complete
from schedules.models import Delivery, Run, Schedule
from tests.schedules.approving import demand
from tests.schedules.conftest import claim_at, on_the_wire
from tests.schedules.wizard.conftest import address, marks

pytestmark = pytest.mark.django_db

NOW = {"timing_kind": "now", "date": None, "time": None}


@pytest.fixture
def draft(make_schedule: Any, clerk: User) -> Schedule:
    return make_schedule(registered_by=clerk, **NOW)


def confirm(desk: Client, draft: Schedule) -> Any:
    review = desk.get(address(draft, "review"))
    return desk.post(address(draft, "confirm"), marks(review), follow=True)


def take_back(desk: Client, run: Run) -> str:
    place = f"/admin/schedules/schedule/{run.schedule_id}/act/take-back/"
    return desk.post(place, {"run": run.pk}, follow=True).content.decode()


def test_it_leaves_ten_seconds_later_and_not_before(desk: Client, draft: Schedule) -> None:
    before = database_now()
    answer = confirm(desk, draft)
    run = Run.objects.get()
    assert run.due_at >= before + UNDO
    assert answer.redirect_chain[-1][0] == f"/admin/schedules/run/{run.pk}/change/"
    page = answer.content.decode()
    assert "It is sent in a few seconds" in page and "Take it back" in page
    row = Delivery.objects.get()
    assert row.due_at == run.due_at
    assert claim_at(row.due_at - timedelta(seconds=5)) == []
    assert len(on_the_wire(row.due_at)) == 1


def test_until_then_it_is_taken_back_and_never_leaves(desk: Client, draft: Schedule) -> None:
    confirm(desk, draft)
    run = Run.objects.get()
    assert "Taken back: nothing of it was sent." in take_back(desk, run)
    run.refresh_from_db()
    assert run.state == "cancelled" and claim_at(run.due_at) == []
    complete(run.due_at)
    draft.refresh_from_db()
    assert draft.state == "completed"


def test_a_second_click_registers_once(desk: Client, draft: Schedule) -> None:
    review = marks(desk.get(address(draft, "review")))
    for _click in range(2):
        desk.post(address(draft, "confirm"), review)
    assert Run.objects.count() == 1


def test_what_has_left_is_not_taken_back(desk: Client, draft: Schedule) -> None:
    confirm(desk, draft)
    run = Run.objects.get()
    on_the_wire(run.due_at)
    assert "Taken back" not in take_back(desk, run)


def test_what_waits_for_approval_goes_with_the_yes(
    desk: Client, draft: Schedule, world: Any
) -> None:
    demand(world.taipei)
    confirm(desk, draft)
    draft.refresh_from_db()
    assert draft.state == "waiting" and not Run.objects.exists()


def test_registered_by_a_program_it_leaves_at_once(draft: Schedule, clerk: User) -> None:
    actions.register(draft, by=clerk)
    assert Run.objects.get().due_at <= database_now()
