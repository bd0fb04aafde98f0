"""The monitor: what is under way, within reach, and asked for again only when it changed."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from channels.models import Room
from orgs.clock import database_now
from orgs.reach import Role
from schedules import actions
from schedules.actions.freeze import freeze
from schedules.models import Delivery, Installation, Run, RunPause, Schedule
from schedules.shown.under_way import runs_under_way
from tests.conftest import World
from tests.logs.attempts import accepted
from tests.pages import queries_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/monitor/"
DUE = "/admin/monitor/due/"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def sending(world: World, logged: Any) -> Any:
    """A run of Xinyi under way since a minute ago, so many of its deliveries done."""

    def make(unit: Any = None, *, total: int = 100, sent: int = 60, failed: int = 0) -> Run:
        now = database_now()
        row = logged(unit or world.xinyi, now - MINUTE, "sending")
        facts = {"total": total, "sent": sent, "failed": failed, "started_at": now - MINUTE}
        Run.objects.filter(pk=row.run_id).update(**facts)
        return Run.objects.get(pk=row.run_id)

    return make


def ended(run: Run, world: World, *seconds: float) -> None:
    """A delivery of the run that ended so many seconds after it began, for each."""
    for place, second in enumerate(seconds):
        at = run.started_at + timedelta(seconds=second)
        row = Delivery.objects.filter(run=run).latest("id")
        row.pk, row.key, row.content_hash = None, uuid4(), f"{run.pk}-{place}"
        row.room = Room.objects.create(
            unit=world.xinyi, account=world.sandbox, name="Room", address=f"{run.pk}-{place}"
        )
        row.state, row.claim, row.completed_at = "sent", None, at
        row.save(force_insert=True)
        accepted(world.xinyi, at, delivery_id=row.pk, run_id=run.pk)


def test_a_run_shows_its_progress_its_rate_and_the_time_that_is_left(
    world: World, sending: Any
) -> None:
    run = sending(sent=55, failed=5)
    ended(run, world, *range(50, 60))
    (item,), count = runs_under_way(world.people["xinyi"], run.started_at + MINUTE)
    assert (count, item.done, item.rate, item.left, item.clock) == (1, 60, 1.0, 40, "0:40")


def test_what_is_left_is_told_by_what_went_since_it_was_paused(world: World, sending: Any) -> None:
    run = sending()
    ended(run, world, 1, 2, 3, *(3600 + second / 2 for second in range(10)))
    now = run.started_at + timedelta(seconds=3605)
    (item,), _count = runs_under_way(world.people["xinyi"], now)
    assert (item.rate, item.left) == (2.0, 20)


def test_the_rate_counts_what_ended_and_not_each_part(world: World, sending: Any) -> None:
    run = sending()
    ended(run, world, *range(50, 60))
    for delivery in Delivery.objects.filter(run=run):
        accepted(world.xinyi, now := run.started_at + MINUTE, delivery_id=delivery.pk,
                 run_id=run.pk, part=1)  # fmt: skip
    (item,), _count = runs_under_way(world.people["xinyi"], now)
    assert item.rate == 1.0


def test_one_of_which_nothing_was_sent_lately_has_no_rate(world: World, sending: Any) -> None:
    run = sending()
    ended(run, world, 1, 2, 3)
    (item,), _count = runs_under_way(world.people["xinyi"], run.started_at + MINUTE)
    assert (item.rate, item.left) == (None, None)


def test_it_is_paused_and_goes_on_by_its_button(client: Client, world: World, sending: Any) -> None:
    run = sending()
    client.force_login(world.person(world.xinyi, Role.OPERATOR))
    assert "Pause this run" in client.get(PAGE).content.decode()
    page = client.post(f"{PAGE}run/{run.pk}/pause/", follow=True).content.decode()
    assert "Go on" in page and "Pause this run" not in page
    client.post(f"{PAGE}run/{run.pk}/resume/")
    assert not RunPause.objects.exists()


def test_another_branch_and_a_viewer_have_no_button(
    client: Client, world: World, sending: Any
) -> None:
    run = sending()
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    assert "Pause this run" not in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}run/{run.pk}/pause/").status_code == 404
    client.force_login(world.people["tainan"])
    assert run.title not in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}run/{run.pk}/pause/").status_code == 404
    client.force_login(world.people["stranger"])
    assert client.get(PAGE).status_code == client.get(f"{PAGE}state/").status_code == 404
    assert not RunPause.objects.exists()


def test_it_is_changed_by_a_post_alone(client: Client, world: World, sending: Any) -> None:
    run = sending()
    client.force_login(world.people["xinyi"])
    assert client.get(f"{PAGE}run/{run.pk}/pause/").status_code == 405
    assert client.post(PAGE).status_code == 405
    assert client.post(f"{PAGE}run/{run.pk}/cancel/").status_code == 404


def test_its_part_answers_only_what_is_new(client: Client, world: World, logged: Any) -> None:
    logged(world.xinyi, database_now() - MINUTE)
    client.force_login(world.people["xinyi"])
    seen = client.get(PAGE).context["seen"]
    assert client.get(f"{PAGE}state/?seen={seen}").status_code == 204
    logged(world.xinyi, database_now() - MINUTE, "failed")
    answer = client.get(f"{PAGE}state/?seen={seen}")
    assert answer.status_code == 200
    assert 'id="monitor-state"' in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_a_freeze_is_said(client: Client, world: World) -> None:
    client.force_login(world.people["xinyi"])
    assert "holds messages back" not in client.get(PAGE).content.decode()
    freeze(world.north, by=world.people["hq"], why="x")
    assert "holds messages back" in client.get(PAGE).content.decode()


def test_thirty_runs_and_deliveries_ask_no_more_than_one(
    client: Client, world: World, sending: Any, logged: Any
) -> None:
    client.force_login(world.people["hq"])

    def one_more() -> None:
        sending(world.tainan)
        logged(world.xinyi, database_now() - MINUTE)

    one_more()
    queries_of(client, PAGE)
    few = queries_of(client, PAGE)
    for _number in range(29):
        one_more()
    assert queries_of(client, PAGE) == few
    assert Delivery.objects.count() == 60


def test_what_is_due_is_sent_by_hand_by_who_may_run_it(
    client: Client, world: World, make_schedule: Any
) -> None:
    schedule = actions.register(make_schedule(), by=world.people["xinyi"])
    past = database_now().replace(microsecond=0) - MINUTE
    Schedule.objects.filter(pk=schedule.pk).update(
        next_due_at=past, date=past.date(), time=past.time(), zone="UTC"
    )
    client.force_login(world.people["tainan"])
    assert "Nothing was due" in client.post(DUE, follow=True).content.decode()
    assert not Run.objects.exists()
    client.force_login(world.people["xinyi"])
    assert DUE in client.get(PAGE).content.decode()
    assert "1 run was planned." in client.post(DUE, follow=True).content.decode()
    assert Run.objects.get().schedule_id == schedule.pk


def test_nothing_is_sent_by_hand_by_a_viewer_or_while_the_fence_is_up(
    client: Client, world: World
) -> None:
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    assert DUE not in client.get(PAGE).content.decode()
    assert client.post(DUE).status_code == 404
    client.force_login(world.people["xinyi"])
    assert client.get(DUE).status_code == 405
    Installation.objects.update_or_create(defaults={"fenced_at": database_now()})
    assert "an operator must lift the fence" in client.post(DUE, follow=True).content.decode()
