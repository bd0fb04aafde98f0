"""A branch's clerk registers a message with an image, in a real browser."""

from io import BytesIO

import pytest
from PIL import Image as Pillow
from playwright.sync_api import Page, expect

from schedules.models import Schedule
from schedules.states import ScheduleState

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Drops a file made in the page, as a person's drop arrives there.
DROP = """([bytes, name]) => {
  const files = new DataTransfer();
  files.items.add(new File([new Uint8Array(bytes)], name, {type: "image/png"}));
  const drop = document.querySelector("[data-upload]");
  drop.dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true}));
}"""


def test_a_clerk_registers_a_message_with_images(page: Page):
    page.goto("/admin/schedules/schedule/add/")
    page.get_by_label("Title").fill("오전 공지")
    page.get_by_text("Xinyi room").click()
    go_on(page, "content")
    write_and_drop(page)
    go_on(page, "timing")
    choose_mondays_at_nine(page)
    go_on(page, "review")
    expect(page.locator(".tj-bubble").first).to_have_text("안녕하세요 😊")
    page.get_by_role("button", name="Register").dblclick()
    page.wait_for_url("**/change/")
    expect(page.get_by_role("heading", name="오전 공지")).to_be_visible()
    expect(page.locator(".tj-coming li")).to_have_count(10)
    schedule = Schedule.objects.get()
    assert schedule.state == ScheduleState.ACTIVE
    assert [image.name for image in schedule.content.images] == ["second.png", "first.png"]


def test_what_was_typed_outlives_a_reload_and_the_back_button(page: Page):
    page.goto("/admin/schedules/schedule/add/")
    page.get_by_label("Title").fill("Kept")
    page.get_by_label("Description").fill("Typed just before the reload")
    page.reload()
    expect(page.get_by_label("Description")).to_have_value("Typed just before the reload")
    page.get_by_text("Xinyi room").click()
    go_on(page, "content")
    page.go_back()
    expect(page.get_by_label("Title")).to_have_value("Kept")
    assert Schedule.objects.count() == 1


def go_on(page: Page, step: str) -> None:
    page.locator(".tj-bar").get_by_role("button", name="Save and continue").click()
    page.wait_for_url(f"**/register/{step}/")


def write_and_drop(page: Page) -> None:
    page.locator("#id_text").fill("안녕하세요 😊")
    for name, shade in (("first.png", 10), ("second.png", 200)):
        page.evaluate(DROP, [list(png(shade)), name])
        expect(page.get_by_alt_text(name)).to_be_visible()
    page.get_by_role("button", name="Move second.png forward").press("Enter")
    expect(page.locator("[data-image] img").first).to_have_attribute("alt", "second.png")
    expect(page.locator(".tj-bubble")).to_have_count(3)
    expect(page.locator("[data-counter] b")).to_have_text("7")


def choose_mondays_at_nine(page: Page) -> None:
    page.get_by_text("Every week").click()
    page.get_by_text("Mon", exact=True).click()
    page.get_by_label("Time", exact=True).fill("09:00")
    expect(page.locator("#panel .tj-coming li")).to_have_count(10)
    expect(page.locator("#panel .tj-words")).to_contain_text("Every Monday at 09:00")


def png(shade: int) -> bytes:
    buffer = BytesIO()
    Pillow.new("RGB", (60, 40), (shade, 90, 120)).save(buffer, "PNG")
    return buffer.getvalue()
