"""A manager sets what a room bears, and the registration says what that does, in a real browser."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from channels.models import Room
from orgs.clock import database_now

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def test_the_limits_of_a_room_are_set_refused_and_shown_at_registration(world, browse):
    page = browse(world.people["xinyi"])
    room = f"/admin/channels/room/{world.room.pk}/change/"
    page.goto(room)
    page.get_by_label("Seconds between messages").fill("60")
    page.get_by_label("Messages a day").fill("3")
    page.get_by_label("Quiet from").fill("22:00")
    save(page)
    expect(
        page.get_by_text("Give the beginning and another end of the quiet hours.")
    ).to_be_visible()
    page.get_by_label("Quiet until").fill("08:00")
    page.get_by_label("No quiet hours").check()
    save(page)
    expect(page.get_by_text("Give quiet hours, or choose that there are none")).to_be_visible()
    page.get_by_label("No quiet hours").uncheck()
    save(page)
    page.wait_for_url("**/channels/room/")
    row = Room.objects.get(pk=world.room.pk)
    assert (row.min_interval_seconds, row.daily_cap, row.never_quiet) == (60, 3, False)
    page.goto("/admin/schedules/schedule/add/")
    page.get_by_label("Title").fill("Late")
    page.get_by_text("Xinyi room").click()
    page.locator(".tj-bar").get_by_role("button", name="Save and continue").click()
    page.locator("#id_text").fill("Good night")
    page.locator(".tj-bar").get_by_role("button", name="Save and continue").click()
    page.wait_for_url("**/register/timing/")
    page.locator("label.tj-tile", has_text="Once").click()
    day = (database_now() + timedelta(days=3)).date()
    page.locator("[name=date]").fill(day.isoformat())
    page.locator("[name=time]").fill("23:00")
    held = page.locator(".tj-coming li").get_by_text(re.compile("after the quiet hours"))
    expect(held).to_contain_text("08:00")
    page.locator(".tj-bar").get_by_role("button", name="Save and continue").click()
    page.wait_for_url("**/register/review/")
    expect(page.locator(".tj-warn", has_text="after the quiet hours")).to_be_visible()
