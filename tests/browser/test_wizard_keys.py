"""A schedule is registered by keyboard alone, from the start page to its own."""

from collections.abc import Callable
from datetime import time

import pytest
from playwright.sync_api import Locator, Page, expect

from orgs.reach import Role
from schedules.models import Schedule
from tests.browser.people import speaks
from tests.browser.seen import fits
from tests.conftest import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NEXT = ".tj-bar [name=go][value=next]"
STOPS = 80  # of the tab key, on one page
# Nothing that sticks to an edge may lie over what has the focus.
IS_SEEN = """it => {
  const box = it.getBoundingClientRect();
  const at = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 20));
  const own = it.closest("label") ?? it;
  return own.contains(at) || at?.contains(it);
}"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("shown", ["ko light 1280", "zh-hant dark 390"])
def test_a_schedule_is_registered_without_a_mouse(
    world: World, browse: Callable[..., Page], shown: str
) -> None:
    language, scheme, width = shown.split()
    clerk = speaks(world.person(world.xinyi, Role.OPERATOR), language)
    page = browse(clerk, width=int(width))
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.goto("/admin/")
    press(page, page.locator("#content a[href='/admin/schedules/schedule/add/']").first)
    reach(page, page.locator("[name=title]"))
    page.keyboard.type("매장 공지")
    reach(page, page.locator("[name=rooms]").first)
    page.keyboard.press("Space")
    press(page, page.locator(NEXT))
    reach(page, page.locator("textarea:not([readonly])").first)
    page.keyboard.type("점심 특선")
    press(page, page.locator(NEXT))
    reach(page, page.locator("[name=timing_kind]:checked"))
    while page.locator("[name=timing_kind]:checked").get_attribute("value") != "daily":
        page.keyboard.press("ArrowRight")
    reach(page, page.locator("[name=time]"))
    page.keyboard.type("0930AM")
    expect(page.locator("[name=time]")).to_have_value("09:30")
    press(page, page.locator(NEXT))
    expect(page.locator(".tj-bubble").first).to_have_text("점심 특선")
    press(page, page.locator("#register"))
    expect(page.get_by_role("heading", name="매장 공지")).to_be_visible()
    row = Schedule.objects.get()
    assert (row.state, row.time, row.rooms.count()) == ("active", time(9, 30), 1)


def reach(page: Page, wanted: Locator) -> None:
    """By the tab key, until it has the focus; where it then is seen."""
    for _stop in range(STOPS):
        page.keyboard.press("Tab")
        if wanted.evaluate("it => it === document.activeElement"):
            assert wanted.evaluate(IS_SEEN), wanted
            return
    raise AssertionError(f"{wanted} is not reached by the tab key")


def press(page: Page, button: Locator) -> None:
    """To another page."""
    reach(page, button)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert fits(page)
