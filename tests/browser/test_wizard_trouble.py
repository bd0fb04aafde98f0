"""Two tabs, a lapsed session, a lost connection: what was typed stays, and the bar tells true."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from orgs.models import User
from schedules import actions
from schedules.models import Schedule
from tests.browser.test_wizard import DROP, go_on, png

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CUT = """() => {
  window.realFetch = window.fetch;
  window.fetch = () => Promise.reject(new TypeError("cut"));
}"""
MEND = """() => {
  window.fetch = window.realFetch;
  window.dispatchEvent(new Event("online"));
}"""


def open_content(page: Page) -> None:
    page.goto("/admin/schedules/schedule/add/")
    page.get_by_label("Title").fill("Notice")
    page.get_by_text("Xinyi room").click()
    go_on(page, "content")


def says(page: Page, words: str) -> None:
    expect(page.locator("#saved")).to_contain_text(words)


def test_a_reload_in_a_second_tab_saves_nothing_over_the_first(page: Page):
    open_content(page)
    second = page.context.new_page()
    second.goto(page.url)
    page.locator("#id_text").fill("first")
    says(page, "Saved")
    second.locator("#id_text").fill("second")
    expect(second.locator("#conflict")).to_contain_text("another window")
    second.reload()
    expect(second.locator("#id_text")).to_have_value("second")
    expect(second.locator("#conflict")).to_contain_text("another window")
    assert Schedule.objects.get().text == "first"
    second.get_by_role("link", name="Drop what I typed").click()
    expect(second.locator("#id_text")).to_have_value("first")


def test_saving_once_more_lets_the_second_tabs_text_stand(page: Page):
    open_content(page)
    second = page.context.new_page()
    second.goto(page.url)
    page.locator("#id_text").fill("first")
    says(page, "Saved")
    second.locator("#id_text").fill("second")
    expect(second.locator("#conflict")).to_contain_text("another window")
    save = second.get_by_role("button", name="Save and continue")
    save.click()
    expect(second.locator("[data-theirs]")).to_be_visible()
    second.locator("#id_text").fill("second, then")
    second.wait_for_timeout(700)  # longer than the pause after which typing is saved
    assert Schedule.objects.get().text == "first"
    save.click()
    second.wait_for_url("**/register/timing/")
    assert Schedule.objects.get().text == "second, then"


def test_who_was_signed_out_while_typing_loses_nothing(page: Page, live_server: Any):
    open_content(page)
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.locator("#id_text").fill("typed while signed out")
    says(page, "you are signed out")
    page.get_by_role("button", name="Save and continue").click()
    says(page, "you are signed out")
    expect(page.locator("#id_text")).to_have_value("typed while signed out")

    again = Client()
    again.force_login(User.objects.get(username="xinyi-operator"))
    session = again.cookies[settings.SESSION_COOKIE_NAME].value
    fresh = {settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: "a" * 32}
    page.context.add_cookies(
        [{"name": name, "value": value, "url": live_server.url} for name, value in fresh.items()]
    )
    go_on(page, "timing")
    assert Schedule.objects.get().text == "typed while signed out"


def test_a_save_that_found_no_connection_is_made_up_for_when_there_is_one(page: Page):
    open_content(page)
    page.evaluate(CUT)
    page.locator("#id_text").fill("offline")
    says(page, "no connection")
    page.evaluate(MEND)
    says(page, "Saved")
    assert Schedule.objects.get().text == "offline"


def test_what_is_refused_is_not_called_saved(page: Page):
    open_content(page)
    page.goto(page.url.replace("content", "timing"))
    page.locator("#id_priority").fill("101")
    says(page, "Not saved yet: Priority")
    page.locator("#id_priority").fill("60")
    says(page, "Saved ")
    assert Schedule.objects.get().priority == 60


def test_typing_in_a_draft_that_is_registered_by_now_leads_to_the_schedule(page: Page):
    open_content(page)
    schedule = Schedule.objects.get()
    schedule.text, schedule.timing_kind = "Hello", "now"
    schedule.save()
    actions.register(schedule, by=User.objects.get(username="xinyi-operator"))
    page.locator("#id_text").fill("too late")
    expect(page.locator("#conflict")).to_contain_text("registered in another window")
    page.get_by_role("link", name="Look at it").click()
    page.wait_for_url("**/change/")


def drop(page: Page, count: int) -> None:
    for number in range(count):
        page.evaluate(DROP, [list(png(number * 20)), f"{number}.png"])
        expect(page.get_by_alt_text(f"{number}.png")).to_be_visible()


def names(page: Page) -> list[str]:
    return [str(image.get_attribute("alt")) for image in page.locator("[data-image] img").all()]


def test_five_quick_presses_move_an_image_five_places(page: Page):
    open_content(page)
    drop(page, 6)
    page.get_by_role("button", name="Move 0.png back").focus()
    for _press in range(5):
        page.keyboard.press("Enter")
    expect(page.locator("[data-image]").last.locator("img")).to_have_attribute("alt", "0.png")
    assert names(page) == [f"{number}.png" for number in (1, 2, 3, 4, 5, 0)]


def test_an_order_that_was_not_stored_is_not_shown(page: Page):
    open_content(page)
    drop(page, 2)
    page.evaluate(CUT)
    page.evaluate("""() => {
      const list = document.querySelector(".tj-images");
      list.append(list.firstElementChild);
      list.dispatchEvent(new Event("images-moved", {bubbles: true}));
    }""")
    expect(page.locator("#image-problem")).to_contain_text("no connection")
    assert names(page) == ["0.png", "1.png"]


@pytest.mark.parametrize("size", [(1280, 700), (390, 800)])
def test_the_bar_never_covers_what_has_the_focus(page: Page, size: tuple[int, int]):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_content(page)
    page.goto(page.url.replace("content", "timing"))
    expect(page.locator(".tj-wizard h2").first).to_be_focused()
    for _press in range(60):
        page.keyboard.press("Tab")
        covered = page.evaluate("""() => {
          const focused = document.activeElement, bar = document.querySelector(".tj-bar");
          if (!focused.closest("#step-form") || bar.contains(focused)) return "";
          const box = (focused.closest("label") || focused).getBoundingClientRect();
          return box.bottom > bar.getBoundingClientRect().top ? focused.outerHTML : "";
        }""")
        assert covered == ""
