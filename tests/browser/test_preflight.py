"""A clerk sees before the hour that a run would not go, in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from channels.models import Account, Room
from orgs.clock import database_now
from schedules.actions import register
from tests.browser.seen import fits, look
from tests.schedules.at_once import outcome_of, start
from tests.schedules.dispatch.preflight.conftest import turn

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = [(1280, 900), (390, 844)]
LIST = "/admin/schedules/schedule/"


@pytest.fixture(params=SIZES, ids=["desktop", "phone"])
def screen(page: Page, request: Any) -> Page:
    width, height = request.param
    page.set_viewport_size({"width": width, "height": height})
    return page


def a_worker_looks() -> None:
    """In a thread of its own: this one's loop is the browser's."""
    assert outcome_of(start(turn)) is None


def test_a_warning_says_before_the_hour_what_is_wrong(screen: Page, world, make_schedule) -> None:
    page = screen
    schedule = register(make_schedule(due_in=480), by=world.people["xinyi"])
    Room.objects.filter(pk=world.room.pk).update(left_at=database_now())
    a_worker_looks()
    page.goto(LIST)
    expect(page.get_by_text("1 problem")).to_be_visible()
    look(page, "preflight-list")
    page.goto(f"{LIST}{schedule.pk}/change/")
    card = page.locator("#preflight")
    expect(card.get_by_text("The bot is not in the room “Xinyi room”.")).to_be_visible()
    look(page, "preflight")
    assert fits(page), "nothing sticks out"

    # Mended, and looked at again: the page shows it by itself.
    Room.objects.filter(pk=world.room.pk).update(left_at=None)
    card.get_by_role("button", name="Check now").click()
    expect(card.get_by_text("A worker is looking at it")).to_be_visible()
    a_worker_looks()
    expect(card.get_by_text("Nothing stands against it.")).to_be_visible()
    look(page, "preflight-well")


def test_a_draft_is_checked_before_it_is_registered(screen: Page, world, make_schedule) -> None:
    page = screen
    draft = make_schedule(registered_by=world.people["xinyi"])
    Account.objects.update(stopped_at=database_now(), stopped_why="The token was refused.")
    page.goto(f"{LIST}{draft.pk}/register/review/")
    page.get_by_role("button", name="Check now").click()
    card = page.locator("#preflight")
    expect(card.get_by_text("A worker is looking at it")).to_be_visible()
    a_worker_looks()
    expect(card.get_by_text("account is stopped: The token was refused.")).to_be_visible()
    look(page, "preflight-draft")
