"""What axe finds on the pages that people use all day, light and dark: nothing."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from channels.models import OwnNotice
from orgs.clock import database_now
from orgs.models import User
from schedules import actions
from schedules.actions.freeze import freeze
from schedules.models import Delivery, Schedule
from schedules.rules import STEPS
from tests.conftest import World
from tests.schedules.conftest import doubtful

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

__all__ = ["doubtful"]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The theme's scroll bars make a region of the sidebar and one of a list, both of the same name.
OPTIONS = {
    "runOnly": {"type": "tag", "values": RULES},
    "rules": {"landmark-unique": {"enabled": False}},
}


@pytest.fixture
def pages(
    world: World, make_schedule: Callable[..., Schedule], doubtful: Callable[..., Delivery]
) -> list[str]:
    """With something on each: not confirmed, waiting, held by a freeze, half written."""
    unsure = doubtful("lost_answer", title="Did it arrive?").run_id
    by = world.people["xinyi"]
    going = actions.register(make_schedule(text="Good evening"), by=by).pk
    waiting = actions.execute(Schedule.objects.get(pk=going), by=by).pk
    draft = make_schedule(title="Half written").pk
    result = {"run_id": unsure, "kind": "run.unconfirmed", "title": "Did it arrive?"}
    result |= {"unit_path": world.xinyi.path, "due_at": database_now(), "at": database_now()}
    OwnNotice.objects.bulk_create(OwnNotice(user=user, **result) for user in User.objects.all())
    freeze(world.xinyi, by=world.people["north"], why="wrong prices")
    schedules, runs = "/admin/schedules/schedule/", "/admin/schedules/run/"
    return [
        "/admin/", schedules, f"{schedules}{going}/change/",
        *[f"{schedules}{draft}/register/{step}/" for step in STEPS],
        runs, f"{runs}{unsure}/change/", f"{runs}{waiting}/change/", "/admin/schedules/delivery/",
        "/admin/channels/room/", "/admin/monitor/", "/admin/not-confirmed/",
        "/admin/schedules/freeze/", "/admin/organisation/", "/admin/organisation/why/",
        "/sign-in/second-factor/", "/sign-in/sessions/", "/admin/calendar/feeds/",
        "/admin/my-notices/", "/admin/my-notices/settings/",
    ]  # fmt: skip


@pytest.mark.timeout(180)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, pages: list[str], scheme: str) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = {path: found_on(page, path) for path in pages}
    page.context.clear_cookies()
    found["outside"] = found_on(page, "/sign-in/")
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def found_on(page: Page, path: str) -> list[str]:
    """Each as: rule, place, what is wrong."""
    page.goto(path)
    violations = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for rule in violations
        for node in rule["nodes"]
    ]
