"""Lists by keyboard alone: rows are chosen, and what is to be done with them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from orgs.reach import Role
from schedules.actions import register
from schedules.models import Schedule
from tests.browser.people import speaks
from tests.browser.seen import fits
from tests.browser.test_access import violations
from tests.conftest import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_from_a_chosen_row_it_is_one_step_to_the_acts(
    world: World, make_schedule: Callable[..., Schedule], browse: Callable[..., Page],
    width: int, scheme: str,
) -> None:  # fmt: skip
    clerk = speaks(world.person(world.xinyi, Role.OPERATOR), "ko")
    for number in range(3):
        register(make_schedule(title=f"공지 {number}", text=f"내용 {number}"), by=clerk)
    page = browse(clerk, width=width)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto("/admin/schedules/schedule/")
    boxes = page.locator("input.action-select")
    boxes.nth(1).focus()
    page.keyboard.press("Tab")
    expect(page.locator("[data-to-acts]:focus")).to_have_count(0)  # nothing is chosen
    for number in (1, 2):
        boxes.nth(number).focus()
        page.keyboard.press("Space")
    page.keyboard.press("Tab")
    way = page.locator("[data-to-acts]:focus")
    expect(way).to_have_text("선택한 항목의 작업으로 이동")
    assert way.bounding_box()["height"] >= 24  # type: ignore[index]  # it is seen
    assert fits(page)
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(page.locator("#changelist-actions select")).to_be_focused()
    page.keyboard.press("ArrowDown")
    run = page.locator("#changelist-actions button[name=index]")
    expect(run).to_be_visible()  # once something is chosen that can be run
    page.keyboard.press("Tab")
    expect(run).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("input.action-select:checked")).to_have_count(0)
    assert sorted(Schedule.objects.values_list("state", flat=True)) == [
        "active",
        "paused",
        "paused",
    ]
