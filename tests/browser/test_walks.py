"""What people do all day, walked by whoever needs it and in their language: a clerk of a branch, a
distributor, headquarters, a stranger."""

import csv
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from logs.models import History
from orgs.clock import database_now
from orgs.reach import Role
from schedules.actions import begin_edit, change, pause, register
from schedules.models import Delivery, Freeze, Run, RunPause, Schedule
from tests.browser.people import speaks
from tests.browser.seen import fits, look
from tests.config.sign_in.conftest import PASSWORD, code_of, with_password
from tests.conftest import World
from tests.logged import logged
from tests.schedules.approving import agency_of, approved

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

__all__ = ["logged"]

SCHEDULES, MINUTE = "/admin/schedules/schedule/", timedelta(minutes=1)


def test_a_clerk_keeps_filters_and_takes_back_what_was_sent_by_mistake(
    world: World, make_schedule: Callable[..., Schedule], browse: Callable[..., Page]
) -> None:
    clerk = speaks(world.person(world.xinyi, Role.OPERATOR), "zh-hant")
    going = register(make_schedule(title="早安"), by=clerk)
    pause(register(make_schedule(title="停著", text="Other"), by=clerk), by=clerk)
    page = browse(clerk, width=390)
    page.goto(f"{SCHEDULES}?state__exact=paused")
    page.get_by_text("儲存這些篩選").click()
    page.get_by_label("篩選名稱").fill("暫停中的")
    page.get_by_label("開啟列表時套用").check()
    look(page, "walk-filters-zh-hant-phone")
    page.locator(".tj-saved").get_by_role("button", name="儲存").click()
    page.goto("/admin/")
    page.goto(SCHEDULES)
    expect(page.locator(".tj-saved [aria-current]")).to_contain_text("暫停中的")
    expect(page.get_by_role("link", name="停著")).to_be_visible()
    expect(page.get_by_role("link", name="早安")).to_have_count(0)
    assert fits(page)

    page.goto(f"{SCHEDULES}{going.pk}/change/")
    page.get_by_role("button", name="立即執行").click()
    page.get_by_role("button", name="10 秒後傳送").click()
    expect(page.locator("[data-countdown]")).to_contain_text(re.compile(r"\d"))
    look(page, "walk-undo-zh-hant-phone")
    page.get_by_role("button", name="收回").click()
    expect(page.get_by_text("已收回：沒有傳送任何內容。")).to_be_visible()
    assert fits(page)
    assert list(Run.objects.values_list("state", flat=True)) == ["cancelled"]


def test_a_distributor_pauses_a_run_and_freezes_which_the_branch_cannot_lift(
    world: World, logged: Callable[..., Delivery], browse: Callable[..., Page]
) -> None:
    at = database_now() - MINUTE
    run = logged(world.xinyi, at, "sending").run_id
    Run.objects.filter(pk=run).update(total=100, sent=60, started_at=at)
    page = browse(speaks(world.people["north"], "ko"))
    page.goto("/admin/monitor/")
    expect(page.get_by_text("100건 중 60건")).to_be_visible()
    page.get_by_role("button", name="이 실행 일시 중지").click()
    page.get_by_role("button", name="계속").click()
    expect(page.get_by_role("button", name="이 실행 일시 중지")).to_be_visible()
    assert not RunPause.objects.exists()
    page.goto("/admin/schedules/freeze/")
    page.locator("#subject").select_option(f"unit:{world.taipei.pk}")
    page.get_by_label("사유").fill("가격이 잘못되었습니다")
    page.locator("form[action*=freeze] button.tj-danger").click()
    look(page, "walk-frozen-ko")

    branch = browse(speaks(world.people["xinyi"], "zh-hant"), width=390)
    branch.goto("/admin/monitor/")
    branch.locator("#monitor-state .tj-warn a").click()
    expect(branch.get_by_text("가격이 잘못되었습니다")).to_be_visible()
    expect(branch.get_by_role("button", name="解除凍結")).to_have_count(0)
    assert fits(branch)
    look(branch, "walk-frozen-zh-hant-phone")

    page.get_by_label("다시 발송해도 되는 이유").fill("가격을 고쳤습니다")
    page.get_by_role("button", name="동결 해제").click()
    expect(page.get_by_text("“가격을 고쳤습니다”")).to_be_visible()
    branch.goto("/admin/monitor/")
    expect(branch.locator("#monitor-state .tj-warn")).to_have_count(0)
    assert Freeze.objects.get().lifted_why == "가격을 고쳤습니다"


def test_an_agency_sees_what_changed_since_its_yes_and_asks_the_history(
    world: World, make_schedule: Callable[..., Schedule], browse: Callable[..., Page]
) -> None:
    agency = agency_of(world)
    row = register(make_schedule(title="Spring", text="Half price"), by=agency.clerk)
    approved(row, agency.chief)
    copy = begin_edit(row, by=agency.clerk)
    Schedule.objects.filter(pk=copy.pk).update(text="A third off")
    copy.refresh_from_db()
    change(copy, by=agency.clerk)
    page = browse(speaks(agency.chief, "zh-hans"))
    page.goto("/admin/schedules/approval/")
    page.locator(".tj-approval a.tj-button").click()
    expect(page.locator("#changed del").filter(has_text="Half price")).to_be_visible()
    expect(page.locator("#changed ins").filter(has_text="A third off")).to_be_visible()
    look(page, "walk-diff-zh-hans")
    page.get_by_role("button", name="批准").click()
    expect(page.locator(".tj-approval")).to_have_count(0)
    row.refresh_from_db()
    assert (row.state, row.text) == ("active", "A third off")

    page.goto(f"{SCHEDULES}{row.pk}/change/")
    page.get_by_role("link", name="谁可以对它做什么").click()
    expect(page.locator(".org-answers li").first).to_be_visible()
    look(page, "walk-why-zh-hans")
    page.goto("/admin/logs/history/?kind=schedule")
    expect(page.locator("#result_list")).to_contain_text("Spring")
    look(page, "walk-history-zh-hans")
    with page.expect_download() as coming:
        page.get_by_role("link", name="JSON").click()
    lines = json.loads(Path(coming.value.path()).read_text(encoding="utf-8"))
    assert {"Spring"} == {line["object_name"] for line in lines}
    assert len(lines) == History.objects.filter(kind="schedule").count()

    register(make_schedule(title="Autumn", text="Leaves"), by=agency.clerk)
    page.goto("/admin/logs/history/")
    page.locator("#searchbar").fill("spring")
    page.locator("#searchbar").press("Enter")
    expect(page.locator("#result_list")).to_contain_text("Spring")
    expect(page.locator("#result_list")).not_to_contain_text("Autumn")
    look(page, "walk-history-searched-zh-hans")
    with page.expect_download() as coming:
        page.get_by_role("link", name="CSV").click()
    text = Path(coming.value.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert {"Spring"} == {entry["object"] for entry in rows}
    assert len(rows) == History.objects.filter(object_name="Spring").count()
    assert any("批准" in entry["did"] and entry["who"] == agency.chief.username for entry in rows)


def test_headquarters_sees_the_pages_as_a_branch_and_changes_nothing(
    world: World, make_schedule: Callable[..., Schedule], browse: Callable[..., Page]
) -> None:
    row = register(make_schedule(title="早安"), by=world.people["xinyi"])
    page = browse(speaks(world.people["hq"], "zh-hans"))
    page.goto(f"/admin/orgs/member/{world.people['xinyi'].member.pk}/change/")
    page.locator("form[action*=view] button").click()
    banner = page.locator(".teiji-look")
    expect(banner).to_contain_text("xinyi")
    page.goto(SCHEDULES)
    expect(page.get_by_role("link", name="早安")).to_be_visible()
    look(page, "walk-view-as-zh-hans")
    refused: Any = page.request.post(f"{SCHEDULES}{row.pk}/act/pause/")
    assert refused.status == 403
    banner.get_by_role("button").click()
    expect(banner).to_have_count(0)
    row.refresh_from_db()
    assert row.state == "active"


def test_an_authenticator_app_is_set_up_and_asked_for_at_the_next_sign_in(
    world: World, browse: Callable[..., Page]
) -> None:
    hana = speaks(with_password(world, "xinyi"), "ko")
    page = browse(world.people["stranger"], width=390)
    page.context.clear_cookies()
    page.goto("/admin/")
    page.locator(".tj-language summary, [name=language]").first.click()
    page.get_by_role("button", name="한국어").click()
    enter(page)
    page.goto("/sign-in/second-factor/totp/activate/")
    page.get_by_label("비밀번호").fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()
    secret = page.locator("#app-secret").input_value()
    page.locator("#id_code").fill(code_of(secret))
    look(page, "walk-app-ko-phone")
    page.locator("form.teiji-card button[type=submit]").click()
    page.wait_for_url("**/recovery-codes/**")
    assert fits(page)
    page.context.clear_cookies()
    page.goto("/admin/")
    enter(page)
    page.locator("#id_code").fill(code_of(secret, 1))
    look(page, "walk-code-ko-phone")
    page.locator("main button[type=submit]").first.click()
    expect(page).to_have_url("/admin/")
    assert hana.authenticator_set.filter(type="totp").count() == 1


def enter(page: Page) -> None:
    page.locator("#id_login").fill("xinyi")
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#id_password").press("Enter")
    page.wait_for_load_state()


@pytest.mark.parametrize(
    ("language", "words"),
    [("ko", "볼 수 있는 페이지가 없습니다"), ("zh-hant", "這裡沒有您可檢視的內容")],
)
def test_a_stranger_finds_nothing_of_anybody(
    world: World, make_schedule: Callable[..., Schedule], browse: Callable[..., Page],
    language: str, words: str,
) -> None:  # fmt: skip
    row = register(make_schedule(title="Secret"), by=world.people["xinyi"])
    page = browse(speaks(world.people["stranger"], language), width=390)
    page.goto("/admin/")
    look(page, f"walk-stranger-{language}")
    assert "Secret" not in page.content() and fits(page)
    for address in ("calendar/", "monitor/", f"schedules/schedule/{row.pk}/change/"):
        answer = page.request.get(f"/admin/{address}")
        assert answer.status in (403, 404) and "Secret" not in answer.text()
    assert words in answer.text()
