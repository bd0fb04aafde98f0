"""What failed for good of a run, or of several, is looked at and sent again from the pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from orgs.clock import database_now
from orgs.reach import Role
from schedules.actions import cancel
from schedules.models import Delivery, Run
from tests.conftest import World
from tests.pages import queries_of

pytestmark = pytest.mark.django_db

RUNS = "/admin/schedules/run/"
RETRY = f"{RUNS}retry/"
OFFER = f'href="{RETRY}?run='


def page_of(run: Run) -> str:
    return f"{RUNS}{run.pk}/change/"


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def send(client: Client, *rows: Delivery) -> str:
    posted = client.post(RETRY, {"row": [row.pk for row in rows]}, follow=True)
    return posted.content.decode()


def states() -> list[str]:
    return list(Delivery.objects.order_by("id").values_list("state", flat=True))


def choose(client: Client, *runs: Run) -> str:
    posted = {"action": "retry_chosen", "_selected_action": [run.pk for run in runs]}
    return client.post(RUNS, posted, follow=True).content.decode()


def test_the_page_of_a_run_offers_it_and_the_look_says_to_whom_and_why_it_failed(
    desk: Client, failed: Any, group: Any
) -> None:
    rows = failed(rooms=group(2))
    run = Run.objects.get()
    assert "Send the failed ones again (2)" in text(desk, page_of(run))
    look = text(desk, f"{RETRY}?run={run.pk}")
    assert "Send 2 that failed again?" in look
    for words in ("Room 0", "Room 1", "No such room.", "Morning notice", "at once"):
        assert words in look, words
    assert [f'value="{row.pk}" checked' in look for row in rows] == [True, True]
    assert states() == ["failed", "failed"]


def test_those_that_are_ticked_go_again_and_the_page_says_how_many(
    desk: Client, failed: Any, group: Any
) -> None:
    rows = failed(rooms=group(3))
    page = send(desk, *rows[:2])
    assert "2 are sent again." in page and "Send the failed one again" in page
    assert states() == ["planned", "planned", "failed"]
    assert Run.objects.get().state == "sending"


def test_a_second_click_sends_nothing_twice_and_says_so(desk: Client, failed: Any) -> None:
    (row,) = failed()
    send(desk, row)
    planned = Delivery.objects.get()
    assert "Only what failed can be tried again" in send(desk, row)
    assert Delivery.objects.get().next_try_at == planned.next_try_at


def test_what_is_long_past_is_not_ticked_and_goes_only_if_a_person_ticks_it(
    desk: Client, failed: Any
) -> None:
    (row,) = failed()
    Delivery.objects.update(due_at=database_now() - timedelta(days=1))
    look = text(desk, f"{RETRY}?run={row.run_id}")
    assert "which is long past" in look and f'value="{row.pk}">' in look
    assert "1 is sent again." in send(desk, row)


def test_what_cannot_go_says_why_and_cannot_be_ticked(
    desk: Client, failed: Any, world: World
) -> None:
    (row,) = failed()
    cancel(row.run.schedule, by=world.people["xinyi"])
    look = text(desk, f"{RETRY}?run={row.run_id}")
    assert "Its schedule was cancelled" in look and f'value="{row.pk}" disabled' in look
    assert "Send the ticked ones again" not in look
    assert "Its schedule was cancelled" in send(desk, row)
    assert states() == ["failed"]


def test_several_runs_of_the_list_are_looked_at_as_one(desk: Client, failed: Any) -> None:
    rows = [*failed(title="One", text="1"), *failed(title="Two", text="2")]
    look = choose(desk, *Run.objects.all())
    assert "Send 2 that failed again?" in look and "One" in look and "Two" in look
    assert "2 are sent again." in send(desk, *rows)
    assert states() == ["planned", "planned"]


def test_a_run_of_which_nothing_failed_says_so(desk: Client, planned: Any) -> None:
    (row,) = planned()
    assert OFFER not in text(desk, page_of(row.run))
    words = "Nothing of it has failed for good."
    assert words in choose(desk, row.run)
    assert words in desk.get(f"{RETRY}?run={row.run_id}", follow=True).content.decode()


@pytest.mark.parametrize("asked", ["", "x", "9" * 30, "999999"])
def test_a_run_that_there_is_not_is_not_found(desk: Client, asked: str) -> None:
    assert desk.get(f"{RETRY}?run={asked}").status_code == 404


@pytest.mark.parametrize("rows", [[], ["x"], ["9" * 30]])
def test_with_nothing_ticked_nothing_goes(desk: Client, failed: Any, rows: list[str]) -> None:
    failed()
    page = desk.post(RETRY, {"row": rows}, follow=True).content.decode()
    assert "Choose at least one." in page and states() == ["failed"]


def test_who_may_only_look_is_offered_nothing_and_sends_nothing(
    client: Client, world: World, failed: Any
) -> None:
    (row,) = failed()
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    assert OFFER not in text(client, page_of(row.run))
    assert "retry_chosen" not in text(client, RUNS)
    assert "There is no such delivery." in send(client, row)
    assert states() == ["failed"]


def test_another_branch_neither_finds_the_run_nor_learns_of_it(
    client: Client, world: World, failed: Any
) -> None:
    (row,) = failed()
    client.force_login(world.people["tainan"])
    assert client.get(f"{RETRY}?run={row.run_id}").status_code == 404
    page = send(client, row)
    assert "There is no such delivery." in page and row.room_name not in page
    assert states() == ["failed"]


def test_thirty_that_failed_are_looked_at_with_as_many_queries_as_one(
    desk: Client, failed: Any, group: Any
) -> None:
    (row,) = failed()
    many = failed(rooms=group(30), title="Many", text="Many")
    one, thirty = (f"{RETRY}?run={run_id}" for run_id in (row.run_id, many[0].run_id))
    queries_of(desk, one)
    assert queries_of(desk, thirty) == queries_of(desk, one)
