"""The chat of a sandbox room."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from channels.models import Account, Room, SandboxMessage
from orgs.reach import Role
from tests.conftest import World
from tests.pages import queries_of

AT = datetime(2026, 1, 12, 0, 0, 1, 234_000, tzinfo=UTC)


def chat(room: Room) -> str:
    return f"/admin/channels/room/{room.pk}/chat/"


def arrive(room: Room, at: datetime = AT, **body: Any) -> SandboxMessage:
    return SandboxMessage.objects.create(
        account=room.account,
        address=room.address,
        key=uuid4(),
        position=0,
        body={"kind": "text", "text": "Hello"} | body,
        arrived_at=at,
    )


def news(client: Client, room: Room, **question: Any) -> Any:
    return client.get(f"{chat(room)}messages/", question)


@pytest.mark.parametrize(
    ("person", "status"),
    [("hq", 200), ("north", 200), ("taipei", 200), ("xinyi", 200), ("south", 404),
     ("tainan", 404), ("stranger", 404)],
)  # fmt: skip
def test_a_chat_is_seen_within_reach_and_else_does_not_exist(
    client: Client, world: World, person: str, status: int
) -> None:
    arrive(world.room)
    client.force_login(world.people[person])
    assert client.get(chat(world.room)).status_code == status
    assert news(client, world.room, after=0).status_code == status
    assert news(client, world.room, before=10**6).status_code == status


def test_a_viewer_reads_and_a_visitor_signs_in(client: Client, world: World) -> None:
    assert client.get(chat(world.room)).status_code == 302
    client.force_login(world.person(world.xinyi, Role.VIEWER))
    assert client.get(chat(world.room)).status_code == 200


def test_only_rooms_of_the_sandbox_have_a_chat(client: Client, world: World) -> None:
    line = Account.objects.create(unit=world.hq, name="LINE", kind="line")
    room = Room.objects.create(unit=world.xinyi, account=line, name="L", address="C1")
    client.force_login(world.people["hq"])
    assert client.get(chat(room)).status_code == 404
    assert client.get("/admin/channels/room/999999/chat/").status_code == 404


def test_nothing_new_is_204_and_what_is_new_comes_once(client: Client, world: World) -> None:
    client.force_login(world.people["xinyi"])
    first = arrive(world.room, text="First")
    assert news(client, world.room, after=first.pk).status_code == 204
    second = arrive(world.room, text="Second")
    page = news(client, world.room, after=first.pk).content.decode()
    assert "Second" in page and "First" not in page
    assert f"?after={second.pk}" in page  # the next question
    assert news(client, world.room, after=second.pk).status_code == 204


def test_another_room_of_the_account_is_another_chat(client: Client, world: World) -> None:
    arrive(world.tainan_room, text="Foreign")
    client.force_login(world.people["hq"])
    assert "Foreign" not in client.get(chat(world.room)).content.decode()
    assert news(client, world.room, after=0).status_code == 204


def test_the_page_updates_itself_and_says_so_to_screen_readers(
    client: Client, world: World
) -> None:
    client.force_login(world.people["xinyi"])
    page = client.get(chat(world.room)).content.decode()
    assert 'aria-live="polite"' in page and 'role="log"' in page
    assert 'hx-trigger="every 1s [!document.hidden]"' in page and "?after=0" in page


def test_html_is_shown_not_run(client: Client, world: World) -> None:
    arrive(world.room, text="<script>alert(1)</script>")
    arrive(world.room, kind="image", text="", url='/m/"onerror="x.png')
    client.force_login(world.people["xinyi"])
    page = client.get(chat(world.room)).content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page and '"onerror="' not in page


def test_times_are_exact_and_in_the_zone_of_the_unit(client: Client, world: World) -> None:
    arrive(world.room)
    client.force_login(world.people["hq"])
    page = client.get(chat(world.room)).content.decode()
    assert "08:00:01" in page and "08:00:01.234 Asia/Taipei" in page
    assert "times in Asia/Taipei" in page


def test_images_are_loaded_from_our_own_host_only(client: Client, world: World) -> None:
    arrive(world.room, kind="image", url="https://teiji.example/m/abc.jpg")
    arrive(world.room, kind="image", url="https://elsewhere.example/spy.gif")
    client.force_login(world.people["xinyi"])
    page = client.get(chat(world.room)).content.decode()
    assert 'src="/m/abc.jpg"' in page and "example" not in page


def test_a_long_chat_is_read_backwards_page_by_page(client: Client, world: World) -> None:
    rows = [arrive(world.room, AT + timedelta(hours=n), text=f"No {n}.") for n in range(120)]
    client.force_login(world.people["xinyi"])
    page = client.get(chat(world.room))
    seen = [bubble.id for bubble in page.context["bubbles"]]
    while (earlier := page.context["earlier_than"]) is not None:
        assert earlier == seen[0]
        page = news(client, world.room, before=earlier)
        seen = [bubble.id for bubble in page.context["bubbles"]] + seen
    assert seen == [row.pk for row in rows]


def test_a_day_is_named_where_it_begins(client: Client, world: World) -> None:
    arrive(world.room, AT)
    seen = arrive(world.room, AT + timedelta(hours=1))
    arrive(world.room, AT + timedelta(hours=2))
    arrive(world.room, AT + timedelta(hours=16))  # after midnight in Taipei, the same day in UTC
    client.force_login(world.people["xinyi"])
    days = [bubble.new_day for bubble in client.get(chat(world.room)).context["bubbles"]]
    assert [str(day or "") for day in days] == ["2026-01-12", "", "", "2026-01-13"]
    days = [b.new_day for b in news(client, world.room, after=seen.pk).context["bubbles"]]
    assert [str(day or "") for day in days] == ["", "2026-01-13"]


@pytest.mark.parametrize("given", ["", "x", "-1", "9" * 30, "²"])
def test_a_senseless_question_has_no_answer(client: Client, world: World, given: str) -> None:
    client.force_login(world.people["xinyi"])
    for name in ("after", "before"):
        assert news(client, world.room, **{name: given}).status_code == 404


def test_a_poll_asks_little_however_long_the_chat(client: Client, world: World) -> None:
    client.force_login(world.people["xinyi"])
    last = arrive(world.room)
    address = f"{chat(world.room)}messages/?after={last.pk - 1}"
    one = queries_of(client, address)
    for _number in range(29):
        arrive(world.room)
    assert queries_of(client, address) == one <= 7
