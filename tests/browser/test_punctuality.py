"""The page “Punctuality” in a browser: it draws its chart, and fits a phone."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from orgs.clock import database_now
from tests.browser.seen import fits
from tests.conftest import World
from tests.logs.attempts import accepted

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DRAWN = """canvas => canvas.getContext("2d")
  .getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0)"""


@pytest.mark.parametrize("width", [390, 1280])
def test_it_shows_figures_verdicts_and_a_chart_at_any_width(
    page: Page, world: World, width: int
) -> None:
    now = database_now()
    for days in range(12):
        accepted(world.xinyi, now - timedelta(days=days), 100 * days, schedule_title="T" * 120)
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/admin/logs/punctuality/")
    expect(page.get_by_text("not kept").first).to_be_visible()
    canvas = page.locator("canvas.chart")
    expect(canvas).to_be_visible()
    assert canvas.evaluate(DRAWN)
    assert fits(page)
    page.get_by_text("As a table").click()
    expect(page.get_by_role("row", name=f"{now:%Y-}").first).to_be_visible()
