"""The wizard's walk in Korean and in Chinese, from the sign-in page on."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from orgs.models import User
from orgs.reach import Role
from schedules.models import Schedule
from schedules.states import ScheduleState
from tests.browser.seen import fits
from tests.conftest import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What is read on the way: the language, a label, a choice, the buttons, the timing in words.
KOREAN = {
    "language": "한국어",
    "title": "제목",
    "next": "저장 후 계속",
    "weekly": "매주",
    "day": "월",
    "time": "시각",
    "words": "매주 월요일 09:00 (Asia/Taipei)",
    "register": "등록",
}
CHINESE = {
    "language": "繁體中文",
    "title": "標題",
    "next": "儲存並繼續",
    "weekly": "每週",
    "day": "週一",
    "time": "時間",
    "words": "每逢星期一 09:00（Asia/Taipei）",
    "register": "建立",
}


@pytest.mark.parametrize("said", [KOREAN, CHINESE], ids=["ko", "zh-hant"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_clerk_registers_a_schedule_in_their_own_language(
    world: World, browse: Callable[..., Page], said: dict[str, str], width: int
):
    page = browse(world.person(world.xinyi, Role.OPERATOR), width=width)
    page.goto("/admin/")
    choose(page, said["language"])
    page.goto("/admin/schedules/schedule/add/")
    page.get_by_label(said["title"], exact=True).fill("오전 공지")
    page.get_by_text("Xinyi room").click()
    go_on(page, said, "content")
    page.locator("#id_text").fill("안녕하세요")
    go_on(page, said, "timing")
    page.get_by_text(said["weekly"], exact=True).click()
    page.get_by_text(said["day"], exact=True).click()
    page.get_by_label(said["time"], exact=True).fill("09:00")
    expect(page.locator("#panel .tj-words")).to_contain_text(said["words"])
    go_on(page, said, "review")
    page.locator(".tj-bar").get_by_role("button", name=said["register"]).click()
    page.wait_for_url("**/change/")
    expect(page.get_by_role("heading", name="오전 공지")).to_be_visible()
    assert fits(page)
    assert Schedule.objects.get().state == ScheduleState.ACTIVE


def test_the_choice_holds_at_the_next_sign_in_too(world: World, browse: Callable[..., Page]):
    clerk = world.person(world.xinyi, Role.OPERATOR)
    page = browse(clerk)
    page.goto("/admin/")
    choose(page, "简体中文")
    assert User.objects.get(pk=clerk.pk).language == "zh-hans"
    elsewhere = browse(clerk)
    elsewhere.goto("/admin/")
    expect(elsewhere.locator("html")).to_have_attribute("lang", "zh-hans")


def choose(page: Page, language: str) -> None:
    page.locator(".tj-language summary").click()
    with page.expect_navigation():
        page.locator(".tj-language").get_by_role("button", name=language).click()
    expect(page.locator(".tj-language summary")).to_contain_text(language)


def go_on(page: Page, said: dict[str, str], step: str) -> None:
    page.locator(".tj-bar").get_by_role("button", name=said["next"]).click()
    page.wait_for_url(f"**/register/{step}/")
