"""An agency makes a template with a locked passage; its branch uses it and cannot change that."""

import pytest
from playwright.sync_api import Page, expect

from orgs.reach import Role
from schedules.models import MessageTemplate, PlaceholderValue, Schedule

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def make_template(page: Page) -> None:
    page.goto("/admin/schedules/messagetemplate/add/")
    expect(page.get_by_text("Use this template")).to_have_count(0)
    page.locator("[name=name]").fill("Holiday")
    page.locator("[name=blocks-0-text]").fill("Dear guests of {unit},")
    page.locator("[name=blocks-0-is_locked]").check(force=True)
    page.get_by_role("link", name="Add another Passage").click()
    page.locator("[name=blocks-1-text]").fill("{room} closes at {closing}. Reply {{ok}}.")
    choose_when(page)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/messagetemplate/")


def choose_when(page: Page) -> None:
    """Only the details of the kind that is chosen are there to be filled in."""
    details = page.locator("#id_time, #id_weekdays, #id_cron, #id_zone")
    expect(details.locator("visible=true")).to_have_count(0)
    page.locator("#id_timing_kind").select_option("weekly")
    expect(page.locator("#id_cron")).to_be_hidden()
    page.get_by_label("Fri", exact=True).check()
    page.locator("#id_time").fill("09:00")
    page.locator("[name=priority]").fill("90")


@pytest.mark.parametrize("width", [1280, 390])
def test_an_agency_makes_one_and_its_branch_uses_it(browse, world, width):
    make_template(browse(world.people["taipei"], width=width))
    template = MessageTemplate.objects.get()
    assert [block.is_locked for block in template.blocks.all()] == [True, False]

    clerk = browse(world.person(world.xinyi, Role.OPERATOR), width=width)
    clerk.goto(f"/admin/schedules/messagetemplate/{template.pk}/use/")
    filled = clerk.get_by_text("Every Friday at 09:00 (Asia/Taipei), priority 90")
    expect(filled).to_be_visible()
    clerk.get_by_role("button", name="Use this template").click()
    clerk.wait_for_url("**/register/target/")
    clerk.get_by_text("Xinyi room").click()
    go_on(clerk, "content")
    expect(clerk.locator(".tj-locked")).to_contain_text("Dear guests of {unit},")

    # A value that is missing names the room; a locked passage that is changed is named too.
    text = clerk.locator("#id_text")
    text.fill(text.input_value().replace("Dear guests", "Hey"))
    go_on(clerk, "timing", leads_to="content")
    problems = clerk.locator("#field-text .tj-problems")
    expect(problems).to_contain_text("does not let this passage be changed")
    expect(problems).to_contain_text("“Xinyi room”: There is no value for {closing}.")

    PlaceholderValue.objects.create(unit=world.taipei, name="closing", value="18:00")
    text.fill(text.input_value().replace("Hey", "Dear guests"))
    expect(clerk.locator(".tj-bubble").first).to_contain_text(
        "Dear guests of Xinyi, Xinyi room closes at 18:00. Reply {ok}."
    )
    go_on(clerk, "timing")
    # The template has filled in when; the clerk sends it every day instead.
    expect(clerk.get_by_role("radio", name="Every week")).to_be_checked()
    expect(clerk.get_by_label("Time", exact=True)).to_have_value("09:00")
    clerk.get_by_text("Every day", exact=True).click()
    go_on(clerk, "review")
    clerk.get_by_role("button", name="Register").click()
    clerk.wait_for_url("**/change/")
    made = Schedule.objects.get()
    assert (made.template, made.timing_kind, made.priority) == (template, "daily", 90)
    clerk.goto(f"/admin/schedules/messagetemplate/{template.pk}/use/")
    expect(clerk.get_by_text("1 schedule registered from it")).to_be_visible()


def go_on(page: Page, step: str, leads_to: str = "") -> None:
    page.locator(".tj-bar").get_by_role("button", name="Save and continue").click()
    page.wait_for_url(f"**/register/{leads_to or step}/**")
