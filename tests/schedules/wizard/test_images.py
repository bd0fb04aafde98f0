"""Images come one by one, keep their order, and each that cannot be used says why."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from channels.models import Image
from orgs.models import User
from schedules import actions
from schedules.models import Schedule
from tests.conftest import World
from tests.schedules.wizard.conftest import address, picture

pytestmark = pytest.mark.django_db


def upload(desk: Client, draft: Schedule, *files: Any) -> dict[str, Any]:
    answer = desk.post(
        address(draft, "images"), {"images": list(files)}, headers={"accept": "application/json"}
    )
    found: dict[str, Any] = answer.json()
    return found


def names(draft: Schedule) -> list[str]:
    return [row.image.name for row in draft.schedule_images.order_by("position")]


def ids(draft: Schedule) -> list[int]:
    return [row.image_id for row in draft.schedule_images.order_by("position")]


def test_images_keep_the_order_in_which_they_came(desk: Client, draft: Schedule):
    upload(desk, draft, picture("a.png", 1))
    upload(desk, draft, picture("b.png", 2), picture("c.png", 3))
    assert names(draft) == ["a.png", "b.png", "c.png"]


def test_an_image_belongs_to_the_drafts_unit(desk: Client, draft: Schedule, world: World):
    upload(desk, draft, picture())
    assert Image.objects.get().unit == world.xinyi


def test_a_file_that_is_no_image_is_named_and_the_others_are_kept(desk: Client, draft: Schedule):
    answer = upload(desk, draft, SimpleUploadedFile("notes.txt", b"text"), picture("a.png"))
    assert [file["name"] for file in answer["refused"]] == ["notes.txt"]
    assert "JPEG, PNG or WebP" in answer["refused"][0]["message"]
    assert names(draft) == ["a.png"]


def test_the_eleventh_image_is_refused(desk: Client, draft: Schedule):
    for number in range(10):
        upload(desk, draft, picture(f"{number}.png", number))
    answer = upload(desk, draft, picture("one too many.png", 99))
    assert answer["refused"][0]["message"] == "At most 10 images can be sent."
    assert Image.objects.count() == 10


def test_dragging_saves_the_order(desk: Client, draft: Schedule):
    upload(desk, draft, picture("a.png", 1), picture("b.png", 2), picture("c.png", 3))
    a, b, c = ids(draft)
    desk.post(address(draft, "images/order"), {"image": [c, a, b]})
    assert names(draft) == ["c.png", "a.png", "b.png"]


def test_the_buttons_move_one_place_and_stop_at_the_ends(desk: Client, draft: Schedule):
    upload(desk, draft, picture("a.png", 1), picture("b.png", 2))
    a, b = ids(draft)
    desk.post(address(draft, "images/order"), {"move": f"{b}:up"})
    assert names(draft) == ["b.png", "a.png"]
    desk.post(address(draft, "images/order"), {"move": f"{b}:up"})
    desk.post(address(draft, "images/order"), {"move": f"{a}:down"})
    assert names(draft) == ["b.png", "a.png"]


def test_an_order_from_a_stale_window_loses_no_image(desk: Client, draft: Schedule, clerk: User):
    upload(desk, draft, picture("a.png", 1), picture("b.png", 2))
    a, b = ids(draft)
    upload(desk, draft, picture("new.png", 3))
    actions.order_images(draft, [b, a, 999_999], by=clerk)
    assert names(draft) == ["b.png", "a.png", "new.png"]


def test_an_image_is_removed_once(desk: Client, draft: Schedule):
    upload(desk, draft, picture("a.png", 1), picture("b.png", 2))
    first = ids(draft)[0]
    for _ in range(2):
        desk.post(address(draft, "images/remove"), {"image": first})
    assert names(draft) == ["b.png"]


def test_without_a_script_the_page_comes_back_with_what_was_refused(desk: Client, draft: Schedule):
    files = {"images": [SimpleUploadedFile("notes.txt", b"text")]}
    answer = desk.post(address(draft, "images"), files, follow=True)
    assert "notes.txt: This is not a JPEG" in answer.content.decode()


def test_the_preview_shows_the_images_where_staff_may_open_them(desk: Client, draft: Schedule):
    answer = upload(desk, draft, picture())
    image = Image.objects.get()
    assert f'src="/media/{image.pk}/preview"' in answer["panel"]
    file = desk.get(f"/media/{image.pk}/preview")
    assert b"".join(file.streaming_content).startswith(b"\xff\xd8")
