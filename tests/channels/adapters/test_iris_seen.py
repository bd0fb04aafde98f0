"""Asking the room bot's device what a room got, and reading what it tells by itself."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from channels.adapters.base import Failure, HandedOver, Receipt, SendError, Target
from channels.adapters.iris import Echo, IrisAdapter, IrisConfig, is_echo_of, read_echo
from tests.channels.adapters.iris_stage import (
    HTML,
    IMAGES,
    KEY,
    NOW,
    ROOM,
    TEXT,
    Script,
    guarded_session,
    with_adapter,
)
from tests.fakes.iris import BOT_ID, IrisFake
from tests.fakes.serving import serving


def test_iris_finds_our_text_in_the_room() -> None:
    fake = IrisFake(now=lambda: NOW)

    async def scenario(adapter: IrisAdapter) -> None:
        assert await adapter.seen(ROOM, TEXT, NOW) is None
        fake.see(ROOM.address, "時間です 😀")  # a person repeats it
        fake.see("5", "時間です 😀", user_id=BOT_ID)  # ours, elsewhere
        assert await adapter.seen(ROOM, TEXT, NOW) is None
        await adapter.send(ROOM, TEXT, KEY)
        assert await adapter.seen(ROOM, TEXT, NOW) == Receipt(
            200, "3000000003", {"created_at": "1767225600"}
        )

    with_adapter(fake, scenario)


def test_a_text_that_was_taken_in_is_confirmed_once_the_room_has_it() -> None:
    fake = IrisFake(text_seconds=60)

    async def scenario(adapter: IrisAdapter) -> None:
        part = HandedOver(ROOM, TEXT, KEY, at=fake.now())
        await adapter.send(Target("5"), TEXT, uuid4())  # it is busy with another room
        receipt = await adapter.send(ROOM, TEXT, KEY)
        assert receipt.queued
        assert await adapter.confirm(part) is None
        fake.finish()
        assert await adapter.confirm(part) is not None
        assert [entry.to for entry in fake.log] == ["5", ROOM.address]

    with_adapter(fake, scenario)


def test_what_was_sent_before_is_not_what_is_asked_for() -> None:
    clock = [NOW]
    fake = IrisFake(now=lambda: clock[0])

    async def scenario(adapter: IrisAdapter) -> None:
        await adapter.send(ROOM, TEXT, KEY)
        clock[0] += 60
        assert await adapter.seen(ROOM, TEXT, clock[0]) is None
        assert await adapter.seen(ROOM, TEXT, NOW) is not None

    with_adapter(fake, scenario)


def test_what_was_accepted_and_lost_is_not_seen() -> None:
    fake = IrisFake()
    fake.left.add(ROOM.address)

    async def scenario(adapter: IrisAdapter) -> None:
        assert isinstance(await adapter.send(ROOM, TEXT, KEY), Receipt)
        assert await adapter.seen(ROOM, TEXT, fake.now()) is None

    with_adapter(fake, scenario)


def test_an_echo_is_found_behind_many_others() -> None:
    fake = IrisFake(now=lambda: NOW)

    async def scenario(adapter: IrisAdapter) -> None:
        for number in range(40):
            fake.see(ROOM.address, f"{number} " + "긴" * 4990, user_id=BOT_ID)
        fake.see(ROOM.address, "時間です 😀\r\n", user_id=BOT_ID)
        assert await adapter.seen(ROOM, TEXT, NOW) is not None
        assert fake.requests["/query"] == 11
        for _ in range(60):
            fake.see(ROOM.address, "more", user_id=BOT_ID)
        with pytest.raises(SendError) as caught:
            await adapter.seen(ROOM, {"messages": [{"type": "text", "text": "other"}]}, NOW)
        assert caught.value.failure == Failure.UNKNOWN

    with_adapter(fake, scenario)


@pytest.mark.parametrize("text", ["' OR 1=1 --", '%"; DROP TABLE chat_logs; --', "a?b"])
def test_a_text_never_becomes_part_of_the_question(text: str) -> None:
    fake = IrisFake(now=lambda: NOW)
    payload = {"messages": [{"type": "text", "text": text}]}

    async def scenario(adapter: IrisAdapter) -> None:
        fake.see(ROOM.address, "something else", user_id=BOT_ID)
        assert await adapter.seen(ROOM, payload, NOW) is None
        await adapter.send(ROOM, payload, KEY)
        assert await adapter.seen(ROOM, payload, NOW) is not None

    with_adapter(fake, scenario)
    device = Script(200, '{"data": []}')
    with_adapter(device, lambda adapter: adapter.seen(ROOM, payload, NOW))
    assert text not in json.loads(device.log[0].body)["query"]
    assert text not in json.loads(device.log[0].body)["bind"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, ""),
        (500, '{"status":false,"message":"Query 오류"}'),
        (200, HTML),
        (200, "{}"),
        (200, '{"data": ["row"]}'),
        (200, '{"data": [{"_id": null}, {}, {}, {}]}'),
    ],
)
def test_a_device_that_cannot_say_leaves_it_unknown(status: int, body: str) -> None:
    async def scenario(adapter: IrisAdapter) -> None:
        with pytest.raises(SendError) as caught:
            await adapter.seen(ROOM, TEXT, NOW)
        assert caught.value.failure == Failure.UNKNOWN

    with_adapter(Script(status, body), scenario)


def test_a_device_that_is_off_cannot_say() -> None:
    async def scenario() -> None:
        async with guarded_session() as http:
            with pytest.raises(SendError) as caught:
                await IrisAdapter(IrisConfig("http://127.0.0.1:1"), http).seen(ROOM, TEXT, NOW)
        assert caught.value.failure == Failure.UNKNOWN

    asyncio.run(scenario())


def test_iris_lite_and_images_cannot_be_asked_for() -> None:
    lite, iris = (IrisAdapter(IrisConfig("http://a/", variant=v)) for v in ("irislite", "iris"))
    assert (lite.confirms, iris.confirms) == (False, True)
    for adapter, payload in ((lite, TEXT), (iris, IMAGES)):
        with pytest.raises(SendError) as caught:
            asyncio.run(adapter.seen(ROOM, payload, NOW))
        assert caught.value.failure == Failure.UNKNOWN


def test_the_devices_echo_of_our_message_is_recognised() -> None:
    fake, receiver = IrisFake(now=lambda: NOW), Script(200, "")

    async def scenario(adapter: IrisAdapter) -> None:
        async with serving(receiver) as fake.endpoint:
            fake.see(ROOM.address, "안녕")
            await adapter.send(ROOM, TEXT, KEY)
            async with asyncio.timeout(20):
                while len(receiver.log) < 2:
                    await asyncio.sleep(0.002)

    with_adapter(fake, scenario)
    echoes = sorted((read_echo(request.body) for request in receiver.log), key=lambda e: e.is_mine)
    assert echoes == [
        Echo(ROOM.address, "안녕", 1_767_225_600.0, is_mine=False),
        Echo(ROOM.address, "時間です 😀", 1_767_225_600.0, is_mine=True),
    ]
    assert [is_echo_of(echo, ROOM, TEXT, NOW) for echo in echoes] == [False, True]


def test_an_echo_of_iris_lite_has_no_time_and_is_nobodys() -> None:
    row = {
        "_id": None,
        "chat_id": "5",
        "user_id": "7",
        "message": "hi",
        "created_at": None,
        "v": None,
    }
    echo = read_echo(json.dumps({"msg": "hi", "room": "가게", "sender": "M", "json": row}).encode())
    assert echo == Echo("5", "hi", None, is_mine=False)
    assert not is_echo_of(echo, Target("5"), {"messages": [{"type": "text", "text": "hi"}]}, 0.0)


@pytest.mark.parametrize(
    "changed",
    [{"room": "5"}, {"text": "other"}, {"at": NOW - 10}, {"at": None}, {"is_mine": False}],
    ids=str,
)
def test_an_echo_of_something_else_is_not_ours(changed: dict[str, Any]) -> None:
    facts: dict[str, Any] = {
        "room": ROOM.address,
        "text": "時間です 😀",
        "at": NOW,
        "is_mine": True,
    }
    assert is_echo_of(Echo(**facts), ROOM, TEXT, NOW)
    assert not is_echo_of(Echo(**{**facts, **changed}), ROOM, TEXT, NOW)
    assert not is_echo_of(Echo(**facts), ROOM, IMAGES, NOW)


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"[]", b"{}", b'{"json": []}', b"[" * 100_000, b'{"json":{}}' + b" " * 300_000],
    ids=lambda body: body[:12],
)
def test_what_is_no_echo_is_said_so(body: bytes) -> None:
    with pytest.raises(ValueError, match="echo"):
        read_echo(body)


@pytest.mark.parametrize(
    "row",
    [{}, {"chat_id": 5, "created_at": "soon", "v": "{"}, {"v": [], "message": 7, "created_at": -1}],
)
def test_a_strange_row_is_nobodys_message(row: dict[str, Any]) -> None:
    echo = read_echo(json.dumps({"json": row}).encode())
    assert (echo.text, echo.at, echo.is_mine) == ("", None, False)
