"""The rows of the admin's lists."""

import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from unfold.utils import display_for_value

from channels.models import Room
from config.scoped.admin import CappedPaginator
from config.templatetags.teiji_rows import rows_counted

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
    assert Cells(page).found[0] == ("Select record", "To the actions for what is chosen")
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


@pytest.mark.parametrize(
    ("language", "words"), [("en", "2 rooms"), ("ko", "채팅방 2건"), ("zh-hant", "聊天室共 2 筆")]
)
def test_how_many_there_are_is_said_as_each_language_counts(
    rooms: Any, world: Any, language: str, words: str
) -> None:
    person = world.people["xinyi"]
    type(person).objects.filter(pk=person.pk).update(language=language)
    assert words in rooms()


def test_more_rows_than_are_counted_are_said_to_be_more(world: Any) -> None:
    pages = CappedPaginator(Room.objects.order_by("pk"), 50)
    cl = SimpleNamespace(opts=Room._meta, result_count=pages.most, paginator=pages)
    assert rows_counted(cl) == "more than 10,000 rooms"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("language", "words"),
    [("ko", "%(cnt)s개 중 %(sel)s개 선택됨"), ("en", "%(sel)s of %(cnt)s selected")],
)
def test_how_many_are_chosen_is_said_by_the_script_as_each_language_says_it(
    client: Client, world: Any, language: str, words: str
) -> None:
    person = world.people["xinyi"]
    type(person).objects.filter(pk=person.pk).update(language=language)
    client.force_login(person)
    script = client.get("/admin/jsi18n/").content.decode()
    said = json.loads(script.split("const newcatalog = ")[1].split(";\n")[0])
    assert set(said["%(sel)s of %(cnt)s selected"]) == {words}


@pytest.mark.parametrize(
    ("value", "name", "colour"),
    [(True, "Yes", "green"), (False, "No", "base"), (None, "Unknown", "base")],
)
def test_what_is_not_so_is_no_error(value: bool | None, name: str, colour: str) -> None:
    drawn = display_for_value(value, "-", boolean=True)
    assert f'aria-label="{name}"' in drawn
    assert f"bg-{colour}-100" in drawn
    assert "red" not in drawn


def test_a_name_stands_in_the_head_of_a_page_as_it_is_written(client: Client, world: Any) -> None:
    client.force_login(world.people["hq"])
    type(world.room).objects.filter(pk=world.room.pk).update(name="lower case")
    page = client.get(f"{ROOMS}{world.room.pk}/change/").content.decode()
    head = [words.strip() for words in re.findall(r"tracking-tight\">([^<]*)<", page)]
    assert head[1:] == ["Rooms", "lower case"]
