"""What the rooms will see, before it is sent."""

import pytest

from channels.models import Room
from tests.config.test_api import assert_problem
from tests.unlimited import UNLIMITED

pytestmark = pytest.mark.django_db


def shown(api, schedule, query: str = "") -> list:
    answer = api.get(f"/schedules/{schedule.pk}/preview{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


@pytest.fixture
def other_room(world) -> Room:
    names = {"name": "Songshan", "address": "songshan"}
    return Room.objects.create(unit=world.xinyi, account=world.sandbox, **names, **UNLIMITED)


def test_rooms_that_are_sent_the_same_are_one_chat(
    api, world, make_schedule, make_images, other_room
):
    (image,) = make_images(1)
    rooms = [world.room, other_room]
    (chat,) = shown(api, make_schedule(rooms=rooms, images=[image], text="Good morning"))
    assert (chat["rooms"], chat["room"], chat["problem"]) == (2, None, "")
    assert set(chat["room_names"]) == {room.name for room in rooms}
    messages = [message for request in chat["requests"] for message in request["messages"]]
    assert [message["kind"] for message in messages] == ["text", "image"]
    assert messages[0]["text"] == "Good morning"
    assert messages[1]["url"].startswith(f"http://testserver/media/{image.pk}/")


def test_a_text_with_placeholders_is_filled_in_for_the_room_that_is_asked_for(
    api, world, make_schedule, other_room
):
    schedule = make_schedule(rooms=[world.room, other_room], text="Hello {room}")
    (chat,) = shown(api, schedule, f"?room={other_room.pk}")
    assert (chat["room"], chat["room_names"]) == (other_room.pk, ["Songshan"])
    assert chat["requests"][0]["messages"][0]["text"] == "Hello Songshan"


def test_a_text_that_grows_too_long_says_so(api, world, make_schedule):
    schedule = make_schedule(text="{room}" * 900)
    Room.objects.filter(pk=world.room.pk).update(name="x" * 100)
    (chat,) = shown(api, schedule)
    assert chat["requests"] == [] and "more than 50000 characters" in chat["problem"]


def test_a_room_of_another_schedule_and_one_that_is_not_there_answer_alike(
    api, world, make_schedule, other_room
):
    schedule = make_schedule(text="Hello {room}")
    said = [
        assert_problem(api.get(f"/schedules/{schedule.pk}/preview?room={pk}"), 400)["errors"]
        for pk in (other_room.pk, world.tainan_room.pk, 999_999_999)
    ]
    assert said[0] == said[1] == said[2] and "room" in said[0]


def test_what_it_asks_does_not_grow_with_the_rooms(
    api, world, make_schedule, django_assert_max_num_queries
):
    rooms = [
        Room.objects.create(unit=world.xinyi, account=world.sandbox, name=f"Room {number}",
                            address=f"room-{number}", **UNLIMITED)
        for number in range(30)
    ]  # fmt: skip
    schedule = make_schedule(rooms=rooms)
    shown(api, schedule)  # the document is made
    with django_assert_max_num_queries(20):
        assert shown(api, schedule)[0]["rooms"] == 30
