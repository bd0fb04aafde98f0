"""The organisation chart by its keys, on a phone and wide, in Korean and English."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from orgs.models import Unit
from orgs.reach import Role
from schedules.actions.freeze import freeze
from tests.browser.people import speaks
from tests.browser.seen import fits, look
from tests.conftest import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CHART = "/admin/organisation/"


def test_the_chart_is_walked_by_keys(world: World, browse: Callable[..., Page]) -> None:
    page = browse(speaks(world.people["hq"], "ko"), width=390)
    freeze(world.taipei, by=world.people["north"], why="prices")
    Unit.objects.filter(pk=world.south.pk).update(approval="demanded")
    page.goto(CHART)
    assert fits(page)
    page.locator("#unit-" + str(world.hq.pk)).focus()
    keys = page.keyboard
    keys.press("ArrowDown")
    keys.press("ArrowRight")
    expect(item(page, world.taipei)).to_be_visible()
    keys.press("ArrowRight")
    expect(item(page, world.taipei)).to_be_focused()
    keys.press("ArrowRight")
    expect(item(page, world.xinyi)).to_be_visible()
    look(page, "chart-ko-phone")
    keys.press("ArrowLeft")
    expect(item(page, world.xinyi)).to_be_hidden()
    keys.press("ArrowLeft")
    expect(item(page, world.north)).to_be_focused()
    keys.press("s")
    expect(item(page, world.south)).to_be_focused()
    keys.press("Enter")
    page.wait_for_url(f"**/orgs/unit/{world.south.pk}/change/")


def test_a_search_and_a_click_open_it_wide(world: World, browse: Callable[..., Page]) -> None:
    page = browse(world.people["hq"])
    Unit.objects.filter(pk=world.south.pk).update(approval="demanded", is_active=False)
    page.goto(CHART)
    page.locator(f"#unit-{world.north.pk} .org-toggle").click()
    expect(item(page, world.taipei)).to_be_visible()
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.documentElement.classList.add('dark')")
    look(page, "chart-en-wide-dark")
    page.get_by_role("searchbox", name="Search units and people").fill("tain")
    page.keyboard.press("Enter")
    expect(item(page, world.tainan)).to_be_visible()
    expect(item(page, world.north)).to_have_count(0)
    look(page, "chart-en-search")


def item(page: Page, unit: Unit):
    return page.locator(f"#unit-{unit.pk}")


def test_why_names_the_role_in_words(world: World, browse: Callable[..., Page]) -> None:
    page = browse(speaks(world.person(world.taipei, Role.OPERATOR), "ko"), width=390)
    page.goto(f"/admin/organisation/why/?unit={world.xinyi.pk}")
    assert fits(page)
    look(page, "why-ko-phone")
    expect(page.get_by_text("필요한 역할: 승인자").first).to_be_visible()
    page = browse(world.people["hq"])
    page.goto(f"/admin/organisation/why/?unit={world.xinyi.pk}")
    expect(page.get_by_text("manager of HQ, above Xinyi").first).to_be_visible()
    look(page, "why-en-wide")


def test_a_manager_sees_the_pages_as_somebody_and_leaves(
    world: World, browse: Callable[..., Page]
) -> None:
    page = browse(speaks(world.people["hq"], "ko"), width=390)
    page.goto(f"/admin/orgs/member/{world.people['xinyi'].member.pk}/change/")
    page.get_by_role("button", name="이 구성원으로 보기").click()
    banner = page.locator(".teiji-look")
    expect(banner).to_contain_text("xinyi(Xinyi, 관리자)")
    assert fits(page)
    look(page, "view-as-ko-phone")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate("document.documentElement.classList.add('dark')")
    look(page, "view-as-ko-wide-dark")
    banner.get_by_role("button", name="끝내기").click()
    expect(banner).to_have_count(0)
    look(page, "person-ko-wide")


def test_a_unit_is_moved_from_the_chart(world: World, browse: Callable[..., Page]) -> None:
    Unit.objects.filter(pk=world.south.pk).update(approval="demanded", monthly_budget=500)
    page = browse(speaks(world.people["hq"], "ko"), width=390)
    page.goto(f"{CHART}?open={world.taipei.pk}")
    look(page, "move-chart-ko-phone")
    page.locator(f'a[href$="/{world.taipei.pk}/move/"]').click()
    assert fits(page)
    page.get_by_label("상위 조직").select_option(str(world.south.pk))
    page.get_by_role("button", name="달라지는 점 보기").click()
    expect(page.get_by_text("승인이 필요하게 됩니다")).to_be_visible()
    assert fits(page)
    look(page, "move-ko-phone")
    page = browse(speaks(world.people["hq"], "en"))
    page.goto(f"{CHART}?open={world.taipei.pk}")
    look(page, "move-chart-en-wide")
    page.goto(f"{CHART}{world.taipei.pk}/move/?parent={world.south.pk}")
    look(page, "move-en-wide")
    page.get_by_role("button", name="Move it under South").click()
    expect(page.get_by_text("“Taipei” now stands under “South”.")).to_be_visible()
    expect(item(page, world.south).locator(f"#unit-{world.taipei.pk}")).to_be_visible()
    look(page, "moved-en-wide")
