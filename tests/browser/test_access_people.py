"""What axe finds on the main pages of headquarters in the dark and of a branch in the light, on a
phone and on a desk, in Chinese and in Korean: nothing, and nothing sticks out to the side."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.people import speaks
from tests.browser.seen import fits
from tests.browser.test_access import doubtful, found_on, pages
from tests.conftest import World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.thorough,
    pytest.mark.django_db(transaction=True),
]

__all__ = ["doubtful", "pages"]

LISTS = [
    f"/admin/{name}/"
    for name in (
        "calendar", "schedules/approval", "schedules/messagetemplate", "schedules/archivedrun",
        "channels/audience", "channels/recipient", "channels/account", "channels/alerttarget",
        "channels/alerttarget/add", "channels/notice", "channels/webhook", "orgs/unit",
        "orgs/member", "orgs/token", "logs/attempt", "logs/history", "logs/punctuality",
    )
]  # fmt: skip


@pytest.mark.timeout(300)
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("who", ["hq zh-hant dark", "xinyi ko light"])
def test_axe_finds_nothing_whoever_looks(
    world: World, browse: Callable[..., Page], pages: list[str], who: str, width: int
) -> None:
    name, language, scheme = who.split()
    page = browse(speaks(world.people[name], language), width=width)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    wrong = {}
    for path in [*pages, *LISTS]:
        found = found_on(page, path)
        if found or not fits(page):
            wrong[path] = found or ["it is too wide"]
    assert wrong == {}
