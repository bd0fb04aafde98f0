"""The rows of the admin's lists."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

ROOMS = "/admin/channels/room/"


class Cells(HTMLParser):
    """The cells of a list: what a phone calls each, and what stands in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.links: list[str | None] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "data-label" in given:
            self.found.append((str(given["data-label"]), ""))
        elif tag == "a" and "/change/" in str(given.get("href")):
            self.links.append(given["href"])

    def handle_data(self, data: str) -> None:
        if self.found and data.strip():
            title, before = self.found[-1]
            self.found[-1] = (title, before + data)


@pytest.fixture
def rooms(client: Client, world: Any) -> Any:
    client.force_login(world.people["xinyi"])
    return lambda query="": client.get(f"{ROOMS}{query}").content.decode()


def test_each_cell_stands_under_the_title_of_its_column(rooms: Any) -> None:
    cells = Cells(rooms("?q=xinyi+room")).found
    assert cells[:4] == [
        ("name", "Xinyi room"),
        ("unit", "Xinyi"),
        ("account", "Sandbox"),
        ("kind", "live room"),
    ]


def test_a_row_is_chosen_by_its_id(client: Client, world: Any, make_schedule: Any) -> None:
    client.force_login(world.people["xinyi"])
    row = make_schedule()
    page = client.get("/admin/schedules/schedule/").content.decode()
    assert Cells(page).found[0] == ("Select record", "")
    [box] = re.findall('<input type="checkbox" name="_selected_action"[^>]*>', page)
    assert f'value="{row.pk}"' in box and "action-select" in box


def test_what_people_wrote_is_shown_and_not_obeyed(rooms: Any, world: Any) -> None:
    world.room.name = "<b>&amp;</b>"
    world.room.save()
    assert ("name", "<b>&amp;</b>") in Cells(rooms()).found
    assert "<b>&amp;</b>" not in rooms()


def test_a_row_leads_to_its_page_and_from_there_back_to_the_list(rooms: Any, world: Any) -> None:
    here = f"{ROOMS}{world.room.pk}/change/"
    assert here in Cells(rooms()).links
    narrowed = Cells(rooms("?kind__exact=live&q=room")).links
    assert narrowed == [f"{here}?_changelist_filters=kind__exact%3Dlive%26q%3Droom"]
