"""A branch registers in Korean, its agency approves: refused, mended, approved, sent."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from schedules.dispatch.plan import plan
from schedules.models import Delivery, Schedule
from tests.browser.people import speaks
from tests.browser.seen import fits, look
from tests.conftest import World
from tests.schedules.approving import agency_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_branch_registers_in_korean_and_its_agency_refuses_then_approves(
    world: World, make_schedule: Callable[..., Schedule], browse: Callable[..., Page]
):
    agency = agency_of(world)
    draft = make_schedule(title="봄 세일 공지", text="모든 상품 반값입니다")
    clerk = browse(speaks(agency.clerk, "ko"), width=390)
    chief = browse(agency.chief)
    clerk.goto(f"/admin/schedules/schedule/{draft.pk}/register/review/")
    clerk.locator("#register").click()
    clerk.wait_for_url("**/change/")
    expect(clerk.locator(".tj-note").first).to_contain_text("승인자를 기다립니다")
    look(clerk, "waits-ko-phone")

    chief.goto("/admin/schedules/approval/")
    look(chief, "queue-en-wide")
    chief.get_by_role("link", name="Look at it").click()
    expect(chief.locator(".tj-bubble")).to_contain_text("모든 상품 반값입니다")
    look(chief, "review-en-wide")
    chief.get_by_label("What is to be mended?").fill("기간을 적어 주세요")
    chief.get_by_role("button", name="Refuse").click()
    expect(chief.get_by_text("goes back to its author")).to_be_visible()

    clerk.goto(f"/admin/schedules/schedule/{draft.pk}/change/")
    clerk.wait_for_url("**/register/**")
    expect(clerk.locator(".tj-note").first).to_contain_text("기간을 적어 주세요")
    clerk.goto(f"/admin/schedules/schedule/{draft.pk}/register/content/")
    clerk.locator("#id_text").fill("11월 말까지 모든 상품 반값입니다")
    clerk.locator(".tj-bar button[name=go][value=next]").click()
    clerk.wait_for_url("**/timing/")
    clerk.goto(f"/admin/schedules/schedule/{draft.pk}/register/review/")
    clerk.locator("#register").click()
    clerk.wait_for_url("**/change/")

    chief = browse(speaks(agency.chief, "ko"), width=390)
    chief.goto("/admin/schedules/approval/")
    look(chief, "queue-ko-phone")
    assert fits(chief)
    chief.locator(".tj-approval a.tj-button").click()
    expect(chief.locator(".tj-bubble")).to_contain_text("11월 말까지")
    look(chief, "review-ko-phone")
    assert fits(chief)
    chief.get_by_role("button", name="승인", exact=True).click()
    expect(chief.get_by_text("승인했습니다")).to_be_visible()

    row = Schedule.objects.get(pk=draft.pk)
    assert (row.state, row.text) == ("active", "11월 말까지 모든 상품 반값입니다")
    plan(datetime.now(UTC) + timedelta(hours=1))
    assert Delivery.objects.get().state == "planned"
