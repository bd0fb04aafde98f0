"""The worklist in a real browser: found, read, decided one by one and together, on both widths."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from channels.models import Account, Room
from schedules.models import Delivery
from tests.browser.seen import fits, look
from tests.schedules.conftest import doubtful

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

__all__ = ["doubtful"]

SIZES = [(1280, 900), (390, 844)]


@pytest.fixture(params=SIZES, ids=["desktop", "phone"])
def screen(page: Page, request: Any) -> Page:
    width, height = request.param
    page.set_viewport_size({"width": width, "height": height})
    return page


@pytest.fixture
def waiting(world, doubtful: Callable[..., Delivery]) -> list[Delivery]:
    """Four, the oldest first; one more is still being asked about."""
    Account.objects.update(config={"honours_key": "no"})
    texts = ["아메리카노 1+1 행사가 곧 끝납니다 ☕", "今日九點開門，歡迎光臨", "Third", "Fourth"]
    rows = []
    for number, text in enumerate(texts):
        room = Room.objects.create(
            unit=world.xinyi, account=world.sandbox, name=f"Room {number}", address=f"r{number}"
        )
        how = "lost_worker" if number == 2 else "lost_answer"
        ago = timedelta(hours=30 - 8 * number)
        rows.append(doubtful(how, title=f"Notice {number}", text=text, rooms=[room], ago=ago))
    doubtful("asked", title="Asked", text="Asked")
    return rows


def state(row: Delivery) -> str:
    return Delivery.objects.get(pk=row.pk).state


def row_of(page: Page, title: str) -> Any:
    return page.locator(".nc-row").filter(has_text=title)


def test_the_worklist_is_found_read_and_decided(screen: Page, waiting: list[Delivery]) -> None:
    page = screen
    page.goto("/admin/")
    page.get_by_role("link", name="4 not confirmed").click()
    expect(page.locator(".nc-row")).to_have_count(4)
    expect(page.locator(".nc-row h2").first).to_have_text("Notice 0")
    first = row_of(page, "Notice 0")
    first.get_by_text("1 attempt").click()
    expect(first.get_by_text("no certain answer").first).to_be_visible()
    expect(first.get_by_text("아메리카노")).to_be_visible()
    expect(page.get_by_role("button", name="They arrived")).to_be_disabled()
    look(page, "worklist")
    assert fits(page), "nothing sticks out"

    # One: it arrived.
    page.get_by_label("Note for the history").fill("Seen")
    first.get_by_role("button", name="It arrived").click()
    expect(page.get_by_text("1 message: it arrived.")).to_be_visible()
    assert state(waiting[0]) == "sent"

    # Several: they did not; the question comes first.
    page.get_by_label("All on this page").check()
    expect(page.get_by_text("3 ticked")).to_be_visible()
    row_of(page, "Notice 3").get_by_role("checkbox").uncheck()
    look(page, "worklist-ticked")
    page.get_by_role("button", name="They did not: send now").click()
    expect(page.get_by_role("heading", name="Send these 2 messages now?")).to_be_visible()
    look(page, "worklist-sure")
    assert state(waiting[1]) == "unconfirmed"
    page.get_by_role("button", name="Send all 2 now").click()
    expect(page.get_by_text("2 messages: it did not, send now.")).to_be_visible()
    assert [state(row) for row in waiting[1:3]] == ["planned", "planned"]

    # The last is left open, and still there.
    row_of(page, "Notice 3").get_by_role("button", name="Leave it").click()
    expect(page.get_by_text("Nothing waits for a decision.")).to_be_visible()
    look(page, "worklist-empty")
    page.get_by_role("link", name="Left open 1").click()
    expect(row_of(page, "Notice 3").get_by_text("xinyi-operator")).to_be_visible()
    look(page, "worklist-left")


def test_a_second_window_is_told_what_was_decided_in_the_first(
    page: Page, waiting: list[Delivery]
) -> None:
    second = page.context.new_page()
    for window in (page, second):
        window.goto("/admin/not-confirmed/")
    row_of(page, "Notice 0").get_by_role("button", name="It did not").click()
    page.get_by_role("button", name="Send it now").click()
    expect(page.get_by_text("1 message: it did not, send now.")).to_be_visible()
    row_of(second, "Notice 0").get_by_role("button", name="It arrived").click()
    expect(second.get_by_text("Room 0: xinyi-operator has decided at")).to_be_visible()
    look(second, "worklist-second")
    assert state(waiting[0]) == "planned"


def test_what_is_still_asked_is_marked_and_asked_about_twice(
    screen: Page, waiting: list[Delivery]
) -> None:
    page = screen
    page.goto("/admin/not-confirmed/")
    page.get_by_role("link", name="Being asked 1").click()
    asked = row_of(page, "Asked")
    expect(asked.get_by_text("being confirmed")).to_be_visible()
    look(page, "worklist-asked")
    asked.get_by_role("button", name="It arrived").click()
    expect(page.get_by_text("before the channel has answered?")).to_be_visible()
    page.get_by_role("link", name="Back, change nothing").click()
    expect(asked).to_have_count(1)
    assert Delivery.objects.filter(state="unconfirmed").count() == 5


def test_the_keyboard_reaches_every_answer(page: Page, waiting: list[Delivery]) -> None:
    page.goto("/admin/not-confirmed/")
    row_of(page, "Notice 0").get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("1 ticked")).to_be_visible()
    page.get_by_label("Note for the history").focus()
    page.keyboard.type("One line")
    page.keyboard.press("Enter")  # a new line, and no answer given by mistake
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="They arrived")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 message: it arrived.")).to_be_visible()
    assert state(waiting[0]) == "sent"
