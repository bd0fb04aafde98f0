"""The fake loses, keeps and tells what the device would."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from tests.fakes.iris import BOT_ID, IrisFake
from tests.fakes.serving import serving
from tests.fakes.wire import Answer, Request

ROOM = "18446744073700"
NEWEST = "SELECT user_id, message, v FROM chat_logs WHERE chat_id = ? ORDER BY _id DESC LIMIT 1"


def test_of_what_comes_while_it_types_only_the_newest_is_seen() -> None:
    fake = IrisFake(text_seconds=60)

    async def scenario(ask: Any) -> None:
        for text in ("one", "two", "three", "four"):
            assert await ask("/reply", _text(text)) == (
                200,
                {"success": True, "message": "success"},
            )
        assert _texts(fake) == ["one"]
        fake.finish()
        fake.finish()
        assert _texts(fake) == ["one", "four"]

    _with(fake, scenario)


def test_iris_lite_types_all_that_waits_in_turn() -> None:
    fake = IrisFake(is_lite=True, text_seconds=0.005)

    async def scenario(ask: Any) -> None:
        for text in ("one", "two", "three"):
            assert await ask("/reply", _text(text)) == (
                200,
                {"success": True, "message": "Enqueued"},
            )
        await _until(lambda: len(fake.log) == 3)
        assert _texts(fake) == ["one", "two", "three"]
        assert (await ask("/query", {"query": NEWEST, "bind": [ROOM]}))[0] == 404

    _with(fake, scenario)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"type": "text", "room": "lobby", "data": "x"}, 'For input string: "lobby"'),
        ({"type": "text", "room": ROOM}, "Failed to convert request body"),
        ({"type": "text", "room": ROOM, "data": "x", "key": "1"}, "Failed to convert request body"),
        ({"type": "image", "room": ROOM, "data": ["x"]}, "Element class"),
    ],
)
def test_what_it_cannot_read_is_answered_with_500(body: dict[str, Any], words: str) -> None:
    fake = IrisFake()

    async def scenario(ask: Any) -> None:
        status, answer = await ask("/reply", body)
        assert (status, answer["status"]) == (500, False)
        assert answer["message"].startswith(words)
        assert fake.log == []

    _with(fake, scenario)


def test_success_says_nothing_about_what_is_seen() -> None:
    fake = IrisFake(text_seconds=0.0, image_seconds=0.0)
    fake.left.add("99")

    async def scenario(ask: Any) -> None:
        for body in (
            {"type": "text", "room": "99", "data": "x"},
            {"type": "image", "room": ROOM, "data": "not base64"},
        ):
            assert (await ask("/reply", body))[0] == 200
            await asyncio.sleep(0.002)
        assert fake.log == []

    _with(fake, scenario)


def test_several_images_are_one_message() -> None:
    fake = IrisFake()

    async def scenario(ask: Any) -> None:
        data = [base64.b64encode(one).decode() for one in (b"first", b"second")]
        await ask("/reply", {"type": "image_multiple", "room": ROOM, "data": data})
        [entry] = fake.log
        assert [message["bytes"] for message in entry.messages] == [5, 6]
        assert [row["type"] for row in fake.chat_logs] == [27]

    _with(fake, scenario)


def test_a_query_runs_with_text_values_and_decrypts_where_v_is_asked_for() -> None:
    fake = IrisFake()

    async def scenario(ask: Any) -> None:
        fake.see("5", "elsewhere")
        await ask("/reply", _text("안녕하세요 😀"))
        status, answer = await ask("/query", {"query": NEWEST, "bind": [int(ROOM)]})
        assert status == 200
        [row] = answer["data"]
        assert (row["user_id"], row["message"]) == (str(BOT_ID), "안녕하세요 😀")
        bare = NEWEST.replace(", v", "")
        _status, answer = await ask("/query", {"query": bare, "bind": [ROOM]})
        assert answer["data"][0]["message"] != "안녕하세요 😀"
        status, answer = await ask("/query", {"query": "SELECT nonsense", "bind": []})
        assert (status, answer["status"]) == (500, False)

    _with(fake, scenario)


def test_it_posts_what_it_sees_to_its_endpoint() -> None:
    fake, receiver = IrisFake(), _Receiver()

    async def scenario(ask: Any) -> None:
        async with serving(receiver) as url:
            await ask("/config/endpoint", {"endpoint": url})
            assert (await ask("/config", None))[1]["web_server_endpoint"] == url
            await ask("/reply", _text("one"))
            await _until(lambda: bool(receiver.log))
        [body] = receiver.log
        assert b'"msg": "one"' in body

    _with(fake, scenario)


class _Receiver:
    """Keeps each body that is posted to it."""

    def __init__(self) -> None:
        self.latency = 0.0
        self.faults: Any = None
        self.log: list[bytes] = []

    def handle(self, request: Request) -> Answer:
        self.log.append(request.body)
        return Answer(200)


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "room": ROOM, "data": text}


def _texts(fake: IrisFake) -> list[str]:
    return [entry.messages[0]["text"] for entry in fake.log]


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.002)


def _with(fake: IrisFake, scenario: Callable[[Any], Awaitable[None]]) -> None:
    """Run the scenario with a function that asks this fake: GET where there is no body."""

    async def run() -> None:
        async with serving(fake) as url, aiohttp.ClientSession() as http:

            async def ask(path: str, body: Any) -> tuple[int, Any]:
                method = "GET" if body is None else "POST"
                async with http.request(method, url + path, json=body) as response:
                    text = await response.text()
                    is_json = response.content_type == "application/json"
                    return response.status, await response.json() if is_json else text

            await scenario(ask)

    asyncio.run(run())
