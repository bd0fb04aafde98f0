"""What axe finds where times are read and moved, units are moved and the log is looked through, on
a phone and wide, light and dark: nothing."""

from collections.abc import Callable
from datetime import time
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from orgs.models import User
from orgs.reach import Role
from schedules.actions import begin_edit, change, register
from schedules.models import Approval, Schedule
from tests.browser.test_access import found_on, violations
from tests.browser.test_calendar import week
from tests.browser.test_walks import speaks
from tests.conftest import World
from tests.schedules.approving import agency_of, approved

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

__all__ = ["week"]

CALENDAR, WAYS = "/admin/calendar/", [("light", 1280), ("dark", 390)]


@pytest.fixture
def clerk(world: World) -> User:
    return speaks(world.person(world.xinyi, Role.OPERATOR), "ko")


@pytest.fixture
def crowd(make_schedule: Callable[..., Schedule], clerk: User) -> None:
    """More on each day than the calendar draws."""
    timing = {"timing_kind": "daily", "date": None, "zone": "Asia/Taipei"}
    for hour in range(10, 16):
        register(make_schedule(time=time(hour), text=f"{hour}", **timing), by=clerk)


def look(browse: Callable[..., Page], person: User, scheme: str, width: int) -> Page:
    page = browse(person, width=width)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    return page


def wrong_on(page: Page, paths: list[str]) -> dict[str, list[str]]:
    found = {path: found_on(page, path) for path in paths}
    return {path: wrong for path, wrong in found.items() if wrong}


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("scheme", "width"), WAYS)
@pytest.mark.usefixtures("crowd")
def test_axe_finds_nothing_in_the_calendar_and_its_dialog(
    browse: Callable[..., Page], week: Schedule, clerk: User, scheme: str, width: int
) -> None:
    page = look(browse, clerk, scheme, width)
    page.goto(CALENDAR)
    expect(page.locator(".fc-more-link").first).to_be_visible()
    at = urlencode({"at": week.next_due_at.isoformat()})
    views = [f"{CALENDAR}?view={view}" for view in ("month", "week", "day", "list")]
    assert wrong_on(page, [*views, f"{CALENDAR}schedules/{week.pk}/time/?{at}"]) == {}
    page.goto(f"{CALENDAR}?view=day&date={week.next_due_at:%Y-%m-%d}")
    page.locator(".fc-event").filter(has_text="아침 공지").first.click()
    expect(page.locator("#calendar-dialog input[name=time]")).to_be_visible()
    assert violations(page) == []


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("scheme", "width"), WAYS)
def test_axe_finds_nothing_where_units_move_and_the_log_is_read(
    browse: Callable[..., Page], world: World, week: Schedule, scheme: str, width: int
) -> None:
    page = look(browse, world.people["hq"], scheme, width)
    move = f"/admin/organisation/{world.taipei.pk}/move/"
    history = "/admin/logs/history/"
    paths = [
        move, f"{move}?parent={world.south.pk}",
        history, f"{history}?kind=schedule&object_id={week.pk}",
        "/admin/schedules/archivedrun/", "/admin/logs/punctuality/",
    ]  # fmt: skip
    assert wrong_on(page, paths) == {}


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("scheme", "width"), WAYS)
def test_axe_finds_nothing_where_one_approves(
    browse: Callable[..., Page], world: World, make_schedule: Callable[..., Schedule],
    scheme: str, width: int,
) -> None:  # fmt: skip
    agency = agency_of(world)
    row = register(make_schedule(title="Spring", text="Half price"), by=agency.clerk)
    approved(row, agency.chief)
    copy = begin_edit(row, by=agency.clerk)
    Schedule.objects.filter(pk=copy.pk).update(text="A third off")
    copy.refresh_from_db()
    change(copy, by=agency.clerk)
    page = look(browse, agency.chief, scheme, width)
    queue = "/admin/schedules/approval/"
    assert wrong_on(page, [queue, f"{queue}{Approval.objects.get().pk}/"]) == {}
