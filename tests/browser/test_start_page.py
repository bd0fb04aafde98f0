"""The start page in a browser: figures lead to their lists; it fits a phone, light or dark."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from orgs.clock import database_now
from schedules.models import Delivery
from schedules.outcomes.keep import keep_up
from tests.browser.seen import fits
from tests.conftest import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def sent(world: World, logged: Callable[..., Delivery]) -> None:
    now = database_now()
    for number in range(40):
        state = "failed" if number % 9 == 5 else "sent"
        logged(world.xinyi, now - timedelta(minutes=1, hours=number * 17), state)
    keep_up(now - timedelta(days=60))
    while keep_up(now):
        pass


@pytest.mark.parametrize("is_dark", [False, True])
def test_it_fits_a_phone_and_draws_its_charts(page: Page, sent: None, is_dark: bool) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark" if is_dark else "light")
    page.goto("/admin/")
    if is_dark:
        page.evaluate("document.documentElement.classList.add('dark')")
    assert fits(page)
    line = page.locator(".st-line").first
    ground = page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert line.evaluate("e => getComputedStyle(e).stroke") not in ("none", ground)
    page.get_by_text("As a table").click()
    expect(page.get_by_role("columnheader", name="Sent 28 days before")).to_be_visible()


def test_a_figure_and_an_hour_lead_to_the_rows_that_they_count(page: Page, sent: None) -> None:
    page.goto("/admin/")
    card = page.get_by_role("link", name="failed in 7 days")
    number = card.locator("b").inner_text()
    card.click()
    expect(page.locator("#result_list tbody tr")).to_have_count(int(number))
    page.go_back()
    page.get_by_text("The busiest hours").click()
    hour = page.locator(".st-busiest li").first
    number = hour.inner_text().split()[-1]
    hour.get_by_role("link").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(int(number))
