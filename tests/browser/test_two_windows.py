"""The same form in two windows."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from channels.models import Room
from tests.conftest import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTHS = pytest.mark.parametrize("width", [1280, 390])


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


@WIDTHS
def test_the_second_window_is_told_what_the_first_has_saved(
    world: World, browse: Callable[..., Page], width: int
) -> None:
    first = browse(world.people["xinyi"], width=width)
    second = first.context.new_page()
    for window in (first, second):
        window.goto(f"/admin/channels/room/{world.room.pk}/change/")
    first.get_by_label("Name").fill("Theirs")
    save(first)
    first.wait_for_url("**/channels/room/")
    second.get_by_label("Name").fill("Mine")
    save(second)
    expect(second.get_by_text("This was changed after you opened it")).to_be_visible()
    expect(second.get_by_text("Now it is: Theirs")).to_be_visible()
    expect(second.get_by_label("Name")).to_have_value("Mine")
    assert Room.objects.get(pk=world.room.pk).name == "Theirs"
    save(second)
    second.wait_for_url("**/channels/room/")
    assert Room.objects.get(pk=world.room.pk).name == "Mine"
