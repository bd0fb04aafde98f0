"""The calendar in a real browser: read, narrowed, moved by mouse and keyboard, on both widths."""

import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Page, expect

from channels.models import Room
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Role
from schedules.actions import register
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.shown.calendar import ahead
from tests.browser.seen import fits, look
from tests.conftest import World
from tests.schedules.calendar.test_entries import make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DAY = timedelta(days=1)
SLOT = '.fc-timegrid-slot-lane[data-time="{}"]'


@pytest.fixture(autouse=True)
def script() -> None:
    if finders.find("fullcalendar/core.js") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("scripts/assets.py has not fetched the calendar’s script")
        pytest.skip("needs what scripts/assets.py fetches")


@pytest.fixture
def clerk(world: World) -> Any:
    return world.person(world.xinyi, Role.OPERATOR)


@pytest.fixture
def week(world: World, make_schedule: Callable[..., Schedule], clerk: Any) -> Schedule:
    """A weekly series of two weekdays, one single message, and what went before."""
    now = database_now()
    local = now.astimezone(ZoneInfo("Asia/Taipei"))
    series = register(
        make_schedule(
            timing_kind="daily", time=time(9), date=None, zone="Asia/Taipei", title="아침 공지"
        ),
        by=clerk,
    )
    register(
        make_schedule(
            date=local.date() + DAY, time=time(14, 30), zone="Asia/Taipei", title="Special offer",
            text="Half price",
        ),
        by=clerk,
    )  # fmt: skip
    for number, state in enumerate(["sent", "partial", "failed", "unconfirmed", "skipped"]):
        at = datetime.combine(local.date() - DAY * number, time(7), local.tzinfo)
        make_run(series, at - DAY, state=state, title="아침 공지", total=3, sent=2)
    return series


def tomorrow() -> datetime:
    return database_now().astimezone(ZoneInfo("Asia/Taipei")) + DAY


def events(page: Page, title: str) -> Any:
    return page.locator(".fc-event").filter(has_text=title)


def test_the_calendar_is_read_on_every_view_and_keeps_its_address(
    browse: Callable[..., Page], week: Schedule, clerk: Any
) -> None:
    page = browse(clerk)
    page.goto("/admin/")
    page.get_by_role("link", name="Calendar").click()
    look(page, "calendar-month")
    expect(events(page, "Special offer")).to_have_count(1)
    expect(page.get_by_text("Times of Asia/Taipei")).to_be_visible()
    look(page, "calendar-month")
    page.get_by_role("link", name="Week", exact=True).click()
    expect(page).to_have_url(re.compile("view=week"))
    page.goto(f"/admin/calendar/?view=week&date={tomorrow():%Y-%m-%d}")
    expect(events(page, "Special offer")).to_have_count(1)
    look(page, "calendar-week")
    page.reload()
    expect(page.get_by_role("link", name="Week", exact=True)).to_have_attribute(
        "aria-current", "page"
    )
    page.get_by_label("State").select_option("failed")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile("view=week.*state=failed"))
    expect(events(page, "Special offer")).to_have_count(0)
    page.get_by_role("link", name="List", exact=True).click()
    expect(page.locator(".cal-day").last).to_be_visible()
    look(page, "calendar-list")


def first_move(page: Page) -> Any:
    """The dialog of the first time that can be moved, opened by the keyboard."""
    events(page, "아침 공지").filter(has_text="09:00").nth(1).focus()
    page.keyboard.press("Enter")
    return page.locator("#calendar-dialog")


def test_one_of_a_series_is_moved_by_keyboard_and_by_mouse(
    browse: Callable[..., Page], week: Schedule, clerk: Any
) -> None:
    clerk.language = "ko"
    clerk.save()
    page = browse(clerk)
    day = tomorrow() + DAY
    page.goto(f"/admin/calendar/?view=week&date={day:%Y-%m-%d}")
    dialog = first_move(page)
    field = dialog.locator("input[name=time]")
    moved = field.input_value()[:10]
    field.fill(f"{moved}T10:30:00")
    look(page, "calendar-dialog")
    field.press("Enter")
    expect(events(page, "아침 공지").filter(has_text="10:30")).to_have_count(1)
    expect(page).to_have_url(re.compile("view=week"))
    page.goto(f"/admin/calendar/?view=month&date={moved}")
    coming = events(page, "아침 공지").filter(has_text="10:30")
    target = page.locator(f'.fc-daygrid-day[data-date="{later(moved)}"]')
    coming.drag_to(target)
    expect(dialog.locator("input[name=time]")).to_have_value(f"{later(moved)}T10:30")
    dialog.locator("form[action*=move] button").click()
    expect(
        page.locator(f'.fc-daygrid-day[data-date="{later(moved)}"]').get_by_text("10:30")
    ).to_be_visible()


def test_a_single_message_is_dragged_to_another_day(
    browse: Callable[..., Page], week: Schedule, clerk: Any
) -> None:
    page = browse(clerk)
    day = f"{tomorrow():%Y-%m-%d}"
    page.goto(f"/admin/calendar/?view=month&date={day}")
    target = page.locator(f'.fc-daygrid-day[data-date="{later(day)}"]')
    events(page, "Special offer").drag_to(target)
    dialog = page.locator("#calendar-dialog")
    expect(dialog.locator("input[name=time]")).to_have_value(f"{later(day)}T14:30")
    page.keyboard.press("Enter")
    expect(target.get_by_text("Special offer")).to_be_visible()
    expect(page.get_by_text("It goes at its new time.")).to_be_visible()


def test_this_and_later_are_dragged_looked_at_and_moved(
    browse: Callable[..., Page], week: Schedule, clerk: Any
) -> None:
    page = browse(clerk)
    day = tomorrow() + DAY
    page.goto(f"/admin/calendar/?view=week&date={day:%Y-%m-%d}")
    dialog = first_move(page)
    dialog.locator("input[name=time]").fill(
        f"{dialog.locator('input[name=time]').input_value()[:10]}T11:15"
    )
    dialog.get_by_label("this one and those after it").focus()
    page.keyboard.press("Space")
    look(page, "calendar-dialog-scopes")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("Every day at 11:15")).to_be_visible()
    look(page, "calendar-dialog-then")
    dialog.get_by_role("link", name="Back").click()
    expect(dialog.get_by_label("this one and those after it")).to_be_checked()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Move them").click()
    expect(page.get_by_text("This one and those after it go at their new times.")).to_be_visible()
    expect(events(page, "아침 공지").filter(has_text="11:15").first).to_be_visible()
    assert Schedule.objects.count() == 3


@pytest.mark.parametrize(
    "shown", ["ko light 1280", "zh-hant dark 1280", "ko dark 390", "zh-hant light 390"]
)
def test_several_are_ticked_and_moved_by_keyboard_alone(
    browse: Callable[..., Page], week: Schedule, clerk: Any, shown: str
) -> None:
    language, scheme, width = shown.split()
    clerk.language = language
    clerk.save()
    page = browse(clerk, width=int(width))
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto("/admin/")
    page.evaluate(f"localStorage.setItem('_x_adminTheme', JSON.stringify('{scheme}'))")
    for view in ("month", "week", "day"):
        page.goto(f"/admin/calendar/?view={view}&date={tomorrow():%Y-%m-%d}")
        expect(page.locator(".fc-event").first).to_be_visible()
        look(page, f"calendar-{view}-{language}-{scheme}")
    page.goto(f"/admin/calendar/?view=list&date={tomorrow() + 7 * DAY:%Y-%m-%d}")
    boxes = page.locator("input[name=row]")
    buttons = page.locator("[data-many]")
    expect(buttons.first).to_be_disabled()
    for number in (0, 1):
        boxes.nth(number).focus()
        page.keyboard.press("Space")
    look(page, f"calendar-list-{language}-{scheme}")
    minutes = page.locator("input[name=minutes]")
    minutes.fill("75")
    minutes.press("Enter")
    expect(page.locator(".tj-many tbody tr")).to_have_count(2)
    expect(page.locator(".tj-many").get_by_text("10:15").first).to_be_visible()
    page.locator("[name=sure]").press("Enter")
    expect(page.locator("[name=sure]")).to_have_count(0)
    look(page, f"calendar-many-{language}-{scheme}")
    assert fits(page)
    assert OccurrenceChange.objects.count() == 2


def test_several_are_chosen_in_the_drawn_calendar_and_looked_at_before_they_move(
    browse: Callable[..., Page], week: Schedule, clerk: Any
) -> None:
    clerk.language = "zh-hant"
    clerk.save()
    page = browse(clerk)
    page.goto(f"/admin/calendar/?view=week&date={tomorrow() + 7 * DAY:%Y-%m-%d}")
    nine = events(page, "아침 공지").filter(has_text="09:00")
    page.get_by_role("button", name="選擇多個").click()
    nine.nth(1).click()
    nine.nth(3).focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-count]")).to_have_text("2 已選擇")
    expect(page.locator(".fc-event.is-chosen")).to_have_count(2)
    page.locator("[data-step=next]").click()
    expect(events(page, "아침 공지").filter(has_text="09:00")).to_have_count(7)
    nine.nth(2).click()
    expect(page.locator("[data-count]")).to_have_text("3 已選擇")
    page.locator("[data-step=prev]").click()
    expect(page.locator(".fc-event.is-chosen")).to_have_count(2)
    look(page, "calendar-chosen")
    page.locator("input[name=minutes]").fill("75")
    page.locator("[data-many][value=shift]").click()
    rows = page.locator(".tj-many tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.get_by_text("10:15").first).to_be_visible()
    look(page, "calendar-chosen-then")
    assert not OccurrenceChange.objects.exists()
    page.get_by_role("button", name="移動這些").click()
    expect(page.get_by_text("已變更 3 項")).to_be_visible()
    assert OccurrenceChange.objects.count() == 3


def test_what_is_chosen_is_dragged_together_left_out_and_let_go_by_escape(
    browse: Callable[..., Page], week: Schedule, clerk: Any
) -> None:
    page = browse(clerk)
    page.goto(f"/admin/calendar/?view=month&date={tomorrow():%Y-%m-%d}")
    single, series = (
        events(page, "Special offer"),
        events(page, "아침 공지").filter(has_text="09:00"),
    )
    single.click(modifiers=["Control"])
    series.last.click()
    expect(page.locator("[data-count]")).to_have_text("2 chosen")
    page.keyboard.press("Escape")
    expect(page.locator(".fc-event.is-chosen")).to_have_count(0)
    expect(page.locator("[data-count]")).to_be_hidden()
    single.click(modifiers=["Control"])
    series.last.click(modifiers=["Control"])
    was = f"{tomorrow():%Y-%m-%d}"
    single.drag_to(page.locator(f'.fc-daygrid-day[data-date="{later(was)}"]'))
    expect(page.get_by_label("Days")).to_have_value("3")
    expect(page.locator(".tj-many tbody tr")).to_have_count(2)
    expect(page.get_by_text("cannot go at that time")).to_have_count(0)
    page.get_by_role("link", name="Back, change nothing").click()
    expect(page).to_have_url(re.compile("view=month"))
    series.last.click(modifiers=["Control"])
    page.get_by_role("button", name="Leave out").click()
    expect(page.get_by_text("1 was changed.")).to_be_visible()
    assert OccurrenceChange.objects.get().skips


def test_a_typed_time_tells_at_once_what_stands_in_the_way(
    browse: Callable[..., Page], week: Schedule, clerk: Any, world: World
) -> None:
    Room.objects.filter(pk=world.room.pk).update(min_interval_seconds=600)
    clerk.language = "ko"
    clerk.save()
    page = browse(clerk, width=390)
    page.goto(f"/admin/calendar/?view=day&date={tomorrow():%Y-%m-%d}")
    events(page, "Special offer").click()
    dialog = page.locator("#calendar-dialog")
    field = dialog.locator("input[name=time]")
    field.fill(f"{tomorrow():%Y-%m-%d}T09:05")
    said = dialog.locator("[data-look-answer]")
    expect(said).to_contain_text("아침 공지")
    look(page, "calendar-typed-clash")
    field.fill(f"{tomorrow():%Y-%m-%d}T11:05")
    expect(said.locator(".tj-good")).to_be_visible()
    field.fill("2020-01-01T09:00")
    expect(said.locator(".tj-bad")).to_be_visible()
    assert fits(page)


@pytest.mark.parametrize("width", [1280, 390])
def test_an_empty_place_of_a_day_is_clicked_to_register(
    browse: Callable[..., Page], week: Schedule, clerk: Any, width: int
) -> None:
    page = browse(clerk, width=width)
    past, coming = tomorrow() - 40 * DAY, tomorrow() + 40 * DAY
    for day in (past, coming):
        page.goto(f"/admin/calendar/?view=month&date={day:%Y-%m-%d}")
        cell = page.locator(f'.fc-daygrid-day[data-date="{day:%Y-%m-%d}"]')
        if day == coming:
            expect(cell.locator(".fc-event")).to_have_count(1)
        box = cell.bounding_box()
        assert box
        cell.click(position={"x": box["width"] / 2, "y": box["height"] - 5})
        if day == past:
            expect(page.get_by_text("This day has passed")).to_be_visible()
    page.wait_for_url(re.compile(f"/schedule/add/.*date={coming:%Y-%m-%d}"))
    expect(page.locator("[name=title]")).to_be_visible()


def test_what_is_dragged_tells_at_once_all_that_stands_in_the_way(
    browse: Callable[..., Page], week: Schedule, clerk: Any, world: World
) -> None:
    Room.objects.filter(pk=world.room.pk).update(quiet_from=time(18), quiet_until=time(8))
    page = browse(clerk)
    day = f"{tomorrow():%Y-%m-%d}"
    page.goto(f"/admin/calendar/?view=week&date={day}")
    said = page.locator("#calendar-dialog [data-look-answer]")
    for hour, words in (("20:00:00", "after the quiet hours"), ("16:00:00", "Nothing stands in")):
        drag(page, "Special offer", f'.fc-timegrid-slot-lane[data-time="{hour}"]')
        expect(page.locator("#calendar-dialog input[name=time]")).to_have_value(
            re.compile(rf"T{hour[:5]}")
        )
        expect(said).to_contain_text(words)
        page.keyboard.press("Escape")
    assert not OccurrenceChange.objects.exists()
    assert Schedule.objects.filter(time=time(14, 30)).count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_quiet_hours_and_holidays_are_shaded_where_they_are(
    browse: Callable[..., Page], week: Schedule, clerk: Any, world: World, scheme: Any
) -> None:
    Unit.objects.filter(pk=world.hq.pk).update(quiet_from=time(22), quiet_until=time(7))
    Schedule.objects.filter(pk=week.pk).update(holiday_country="TW")
    feast = tomorrow().date() + DAY
    HolidayException.objects.create(country="TW", date=feast)
    page = browse(clerk)
    page.emulate_media(color_scheme=scheme)
    page.goto(f"/admin/calendar/?view=week&date={feast}")
    quiet = page.locator(f'.fc-timegrid-col[data-date="{feast}"] .cal-is-quiet')
    expect(quiet).to_have_count(2)
    look(page, f"calendar-shaded-{scheme}")
    spans = {tuple(hours_of(page, shade)) for shade in quiet.all()}
    assert spans == {(0, 7), (22, 24)}
    for shade in quiet.all():
        assert "repeating-linear-gradient" in shade.evaluate("e => getComputedStyle(e).background")
    column = page.locator(f'.fc-timegrid-col[data-date="{feast}"]')
    expect(column.locator(".cal-is-holiday")).to_have_count(1)
    head = page.locator(f'.fc-col-header-cell[data-date="{feast}"]')
    expect(head.locator(".cal-holiday")).to_contain_text("TW")
    page.goto(f"/admin/calendar/?view=month&date={feast}")
    cell = page.locator(f'.fc-daygrid-day[data-date="{feast}"]')
    expect(cell.locator(".cal-is-holiday")).to_have_count(1)
    expect(cell.locator(".cal-holiday")).to_contain_text("TW")


def drag(page: Page, title: str, to: str) -> None:
    """Within its own day of the week."""
    event = events(page, title)
    event.scroll_into_view_if_needed()
    begin, slot = event.bounding_box(), page.locator(to).bounding_box()
    assert begin and slot
    across, down = begin["x"] + begin["width"] / 2, begin["y"] + 4
    page.mouse.move(across, down)
    page.mouse.down()
    page.mouse.move(across, slot["y"] + 8, steps=8)
    page.mouse.up()


def hours_of(page: Page, shade: Any) -> Iterator[int]:
    """At which hours it begins and ends, by the lines of the hours."""
    box, first = shade.bounding_box(), page.locator(SLOT.format("00:00:00")).bounding_box()
    second = page.locator(SLOT.format("01:00:00")).bounding_box()
    hour = second["y"] - first["y"]  # type: ignore[index]
    for edge in (box["y"], box["y"] + box["height"]):
        yield round((edge - first["y"]) / hour)  # type: ignore[index]


def later(day: str) -> str:
    return f"{datetime.fromisoformat(day) + 3 * DAY:%Y-%m-%d}"


def test_how_many_are_not_shown_leads_to_their_day(
    browse: Callable[..., Page],
    clerk: Any,
    make_schedule: Callable[..., Schedule],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ahead, "SCHEDULES", (1, 500))
    monkeypatch.setattr(ahead, "LOOKED_AT", 45)
    for number in range(5):
        values = {"timing_kind": "daily", "date": None, "time": time(9 + number)}
        register(make_schedule(**values, text=f"{number}"), by=clerk)
    page = browse(clerk)
    page.goto("/admin/calendar/")
    mark = page.locator(f"a.cal-full[href*='{tomorrow():%Y-%m-%d}']")  # today: by the hour
    expect(mark).to_have_text("4 not shown")
    mark.focus()
    look(page, "calendar-not-shown")
    mark.click()
    page.wait_for_url(re.compile(r"view=day"))
    expect(page.locator(".cal-event")).to_have_count(5)
    assert page.locator("a.cal-full").count() == 0
