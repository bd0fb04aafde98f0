"""The buttons of the message step put placeholders into the text; the preview follows the room."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_placeholder_is_put_where_the_cursor_stands(page: Page, world, make_schedule):
    draft = make_schedule(text="Hello , bye", rooms=[world.room, world.test_room])
    page.goto(f"/admin/schedules/schedule/{draft.pk}/register/content/")
    text = page.locator("#id_text")
    text.evaluate("field => field.setSelectionRange(6, 6)")
    page.get_by_role("button", name="{room}").click()
    expect(text).to_have_value("Hello {room}, bye")
    expect(page.locator(".tj-bubble")).to_have_text("Hello Xinyi room, bye")
    page.get_by_label("Filled in for").select_option(str(world.test_room.pk))
    expect(page.locator(".tj-bubble")).to_have_text("Hello Xinyi test, bye")
    expect(page.get_by_label("Filled in for")).to_have_value(str(world.test_room.pk))


def test_the_review_shows_the_text_of_the_room_that_is_chosen(page: Page, world, make_schedule):
    draft = make_schedule(text="Hello {room}", rooms=[world.room, world.test_room])
    page.goto(f"/admin/schedules/schedule/{draft.pk}/register/review/")
    expect(page.locator(".tj-bubble")).to_have_text("Hello Xinyi room")
    page.get_by_label("Filled in for").select_option(str(world.test_room.pk))
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".tj-bubble")).to_have_text("Hello Xinyi test")
