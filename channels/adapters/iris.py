"""Iris and IrisLite: an Android device that types what is posted to it into KakaoTalk rooms.

Unofficial and without authentication: the device belongs on a private network. It answers
before it types, so an answer is an acceptance and no more; Iris (not IrisLite) can be asked
afterwards what the room got. https://github.com/dolidolih/Iris and …/IrisLite
"""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
from django.utils.translation import gettext_lazy as _

from channels.adapters.base import (
    Adapter,
    Bubble,
    Config,
    Event,
    EventKind,
    ForgedError,
    HandedOver,
    Limits,
    Message,
    Part,
    Payload,
    Picture,
    Receipt,
    SendError,
    Standing,
    Target,
    Text,
    later,
    option,
    refused,
    unknown,
)
from channels.adapters.iris_answers import Answer, answer_of, json_object
from channels.adapters.wire import read_answer, wire_failures, within

ROOM = re.compile(r"[1-9][0-9]{0,18}")
LARGEST_ROOM = 2**63 - 1  # the device reads it as a Long
SECONDS = re.compile(r"[0-9]{1,2}(\.[0-9]{1,3})?")
TEXT_SECONDS, IMAGE_SECONDS = "1", "4"
SHORTEST_PAUSE, LONGEST_PAUSE = 0.3, 60.0
USUAL_PORTS = {"http": 80, "https": 443}

# Bytes of the pictures of one request: base64 makes a third more of it, which the device
# holds in memory several times over.
MOST_PICTURE_BYTES = 30_000_000

ECHO_LIMIT = 256 * 1024  # bytes of an echo that are read
CLOCK_SLACK = 2.0  # seconds: KakaoTalk stamps a message with whole ones, of its own clock
ROWS_A_PAGE = 4  # four of the longest texts fit into what is read of one answer
MOST_PAGES = 25
# The device binds each value as text, which the columns' types turn into numbers again; it
# decrypts `message` only where `user_id` and `v` are asked for too.
OUR_ROWS = """
    SELECT _id, id, chat_id, user_id, message, created_at, v FROM chat_logs
    WHERE chat_id = ? AND created_at >= ? AND _id > ? AND v LIKE '%"isMine":true%'
    ORDER BY _id LIMIT 4
"""

# How the device's own words begin where the request is to blame: it would be so again.
ALWAYS_WRONG = ("For input string", "Failed to convert request body", "Element class")


@dataclass(frozen=True)
class IrisConfig(Config):
    """Where the device is, and how much time it needs."""

    url: str = option(
        _("URL of the device"),
        _("Such as http://192.168.0.20:3000. The operator must have allowed its network."),
        url=True,
    )
    variant: str = option(
        _("Program"),
        _("Iris can be asked whether a text arrived. IrisLite cannot."),
        default="iris",
        choices=[("iris", "Iris"), ("irislite", "IrisLite")],
    )
    text_seconds: str = option(
        _("Seconds after a text"),
        _("The device types one message at a time; what comes too early is lost."),
        default=TEXT_SECONDS,
    )
    image_seconds: str = option(
        _("Seconds after images"),
        _("KakaoTalk needs several seconds to share images."),
        default=IMAGE_SECONDS,
    )

    def problems(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if not self.url:
            found["url"] = _("Give the URL of the device.")
        elif "?" in self.url or "#" in self.url:
            found["url"] = _("Give the URL without what begins with ? or #.")
        for name in ("text_seconds", "image_seconds"):
            if getattr(self, name) and _seconds(getattr(self, name)) is None:
                found[name] = _("Give a number of seconds from 0.3 to 60.")
        return found


class IrisAdapter(Adapter):
    """Posts one text, or the images together, to a device that a tenant names."""

    kind = "iris"
    label = _("KakaoTalk room bot")
    config_class = IrisConfig
    limits = Limits(text_length=5000, images=10)
    address_help = _("The room’s number, as the device names it: digits only.")
    hears: ClassVar[bool] = True
    serial: ClassVar[bool] = True  # of what waits the device keeps the newest alone

    @property
    def confirms(self) -> bool:  # type: ignore[override]
        return bool(self.config.variant == "iris")

    def pack(self, messages: Sequence[Message], *, spaced: bool) -> list[Part]:
        """Pictures that follow each other are one request; a text is one by itself."""
        groups: list[list[Message]] = []
        for are_pictures, group in groupby(messages, lambda m: isinstance(m, Picture)):
            run = list(group)
            groups += [run] if are_pictures and not spaced else [[message] for message in run]
        return [Part({"messages": [_stored(message) for message in group]}) for group in groups]

    def preview(self, payload: Payload) -> list[Bubble]:
        return [
            Bubble(message["type"], text=message.get("text", ""), url=message.get("url", ""))
            for message in payload["messages"]
        ]

    @property
    def device(self) -> str:
        """However it is written: two accounts at one device would lose each other's messages."""
        url = urlsplit(self.config.url)
        host = (url.hostname or "").rstrip(".")
        return f"{self.kind}:{host}:{url.port or USUAL_PORTS.get(url.scheme, '')}"

    def inbound(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """A room has shown something. Iris signs nothing: it is only a reason to ask."""
        try:
            echo = read_echo(body)
        except ValueError as error:
            raise ForgedError("This is no message of a room.") from error
        if not echo.is_mine:
            return []  # what people say to each other is none of our business
        digest = hashlib.sha256(body).hexdigest()
        return [Event(digest, EventKind.ECHO, echo.room, echo.at or self.now())]

    def pause_after(self, payload: Payload) -> float:
        """Seconds to leave the device alone after it was given this payload."""
        if _text_of(payload) is not None:
            return _seconds(self.config.text_seconds) or float(TEXT_SECONDS)
        return _seconds(self.config.image_seconds) or float(IMAGE_SECONDS)

    async def send(self, target: Target, payload: Payload, key: UUID) -> Receipt:
        """The device knows no keys; ours goes along as a header, for who reads the traffic."""
        deadline = asyncio.get_running_loop().time() + self.timeout
        body = await self._body(target, payload, deadline)
        headers = {"Idempotency-Key": str(key)}
        answer = await self._call("/reply", body, deadline, headers)
        return _receipt(answer, queued=self.confirms and _text_of(payload) is not None)

    async def confirm(self, part: HandedOver) -> Receipt | None:
        """The device knows no keys: a message is found by its room, text and time."""
        return await self.seen(part.target, part.payload, part.at)

    async def seen(self, target: Target, payload: Payload, since: float) -> Receipt | None:
        """Whether the room has got this payload since then (Unix seconds, of the hand-over).
        None: it has not. Raises SendError(UNKNOWN) when the device cannot say."""
        if not self.confirms:
            raise unknown("IrisLite cannot be asked.")
        if _text_of(payload) is None:
            raise unknown("One picture of a room cannot be told from another.")
        deadline = asyncio.get_running_loop().time() + self.timeout
        last = 0
        for _page in range(MOST_PAGES):
            rows = await self._our_rows(target, since, last, deadline)
            for row in rows:
                if is_echo_of(_echo(row), target, payload, since):
                    return Receipt(200, str(row.get("id", "")), {"created_at": row["created_at"]})
            if len(rows) < ROWS_A_PAGE:
                return None
            last = _row_number(rows[-1])
        raise unknown("The room has got too many messages since then.")

    async def check(self) -> Standing:
        """The device has no credentials: whether it answers, and what it calls itself. IrisLite
        has no such page; that it answers at all must do."""
        deadline = asyncio.get_running_loop().time() + self.timeout
        answer = await self._call("/config", None, deadline, {})
        if answer.status != 200 and self.confirms:
            raise unknown(
                f"The answer says nothing certain (HTTP {answer.status}).", **answer.evidence
            )
        return Standing(name=str((answer.data or {}).get("bot_name") or ""))

    def address_problem(self, address: str) -> Any | None:
        if ROOM.fullmatch(address) and int(address) <= LARGEST_ROOM:
            return None
        return _("A room’s number consists of at most 19 digits.")

    async def _body(self, target: Target, payload: Payload, deadline: float) -> bytes:
        text = _text_of(payload)
        if text is not None:
            return _reply("text", target, text)
        pictures = await self._pictures(payload, deadline)
        # Some 100 ms for the largest: not in the loop, where others wait for their second.
        return await asyncio.to_thread(_pictures_reply, target, pictures)

    async def _pictures(self, payload: Payload, deadline: float) -> list[bytes]:
        """The pictures' bytes. Whatever goes wrong here, nothing was sent."""
        found: list[bytes] = []
        try:
            async with asyncio.timeout_at(deadline):
                for message in payload["messages"]:
                    found.append(await self.read_picture(message["url"]))
                    if sum(map(len, found)) > MOST_PICTURE_BYTES:
                        raise refused(
                            "The images are too large to go together: put seconds between them."
                        )
        except LookupError as error:
            raise refused("An image could not be found.") from error
        except OSError as error:  # a TimeoutError is one too
            raise later("An image could not be read.") from error
        return found

    async def _our_rows(
        self, target: Target, since: float, last: int, deadline: float
    ) -> list[dict[str, Any]]:
        """A page of what the device sent to this room, oldest first."""
        bound = [target.address, str(int(since - CLOCK_SLACK)), str(last)]
        body = json.dumps({"query": OUR_ROWS, "bind": bound}).encode()
        try:
            answer = await self._call("/query", body, deadline, {})
        except SendError as error:
            raise unknown(f"The device could not be asked. {error}") from error
        rows = answer.data.get("data") if answer.data and answer.status == 200 else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise unknown(f"The device could not say (HTTP {answer.status}).", **answer.evidence)
        return rows

    async def _call(
        self, path: str, body: bytes | None, deadline: float, headers: dict[str, str]
    ) -> Answer:
        """A question where there is no body."""
        # A kept connection that the device closed meanwhile looks like an answer that was lost.
        headers = {"Content-Type": "application/json", "Connection": "close", **headers}
        with wire_failures():
            async with self.http.request(
                "GET" if body is None else "POST",
                self.config.url.rstrip("/") + path,
                data=body,
                headers=headers,
                timeout=_until(deadline),
                allow_redirects=False,
            ) as response:
                return answer_of(response.status, await read_answer(response))


@dataclass(frozen=True)
class Echo:
    """A message as the device saw it in a room; `at` in Unix seconds, None where not said."""

    room: str
    text: str
    at: float | None
    is_mine: bool


def read_echo(body: bytes) -> Echo:
    """What the device posts to its web endpoint for each message. Raises ValueError for what
    is none. It is not signed: whoever reaches the address can say anything."""
    if len(body) > ECHO_LIMIT:
        raise ValueError("too large for an echo")
    data = json_object(body)
    row = data.get("json") if data else None
    if data is None or not isinstance(row, dict):
        raise ValueError("no echo of a message")
    return _echo({"message": data.get("msg"), **row})


def is_echo_of(echo: Echo, target: Target, payload: Payload, since: float) -> bool:
    """Whether this is our text, in that room, handed over at `since` (Unix seconds) or later."""
    text = _text_of(payload)
    is_there = echo.is_mine and echo.room == target.address
    is_then = echo.at is not None and echo.at >= int(since - CLOCK_SLACK)
    return is_there and is_then and text is not None and _plain(echo.text) == _plain(text)


def _receipt(answer: Answer, *, queued: bool) -> Receipt:
    """What the answer to a message means. Raises SendError for all but an acceptance, which
    is no more than `queued` where the device can be asked later."""
    status = answer.status
    if 200 <= status < 300 and answer.data and answer.data.get("success") is True:
        return Receipt(status, answer=answer.data, queued=queued)
    if status == 500 and answer.is_its_own_no:
        raise _own_no(answer)
    if status == 429:
        raise later("What stands before the device asked to come back.", **answer.evidence)
    if 300 <= status < 500 and status != 408:
        raise refused(f"The device refused (HTTP {status}).", **answer.evidence)
    raise unknown(f"The answer says nothing certain (HTTP {status}).", **answer.evidence)


def _own_no(answer: Answer) -> SendError:
    """The device says no before it takes a message on, so nothing was accepted."""
    words = str((answer.data or {}).get("message"))
    failure = refused if words.startswith(ALWAYS_WRONG) else later
    return failure(f"The device says: {words[:500]}", **answer.evidence)


def _stored(message: Message) -> dict[str, str]:
    if isinstance(message, Text):
        return {"type": "text", "text": message.text}
    return {"type": "image", "url": message.url}


def _text_of(payload: Payload) -> str | None:
    """The text, or None where it is pictures."""
    first = payload["messages"][0]
    return str(first["text"]) if first["type"] == "text" else None


def _pictures_reply(target: Target, pictures: Sequence[bytes]) -> bytes:
    coded = [base64.b64encode(picture).decode("ascii") for picture in pictures]
    if len(coded) == 1:
        return _reply("image", target, coded[0])
    return _reply("image_multiple", target, coded)


def _reply(kind: str, target: Target, data: str | list[str]) -> bytes:
    # Nothing else may stand in it: Iris refuses fields that it does not know.
    return json.dumps({"type": kind, "room": target.address, "data": data}).encode()


def _echo(row: dict[str, Any]) -> Echo:
    """From a row of KakaoTalk's chat_logs."""
    text, v = row.get("message"), row.get("v")
    facts = json_object(v) if isinstance(v, str) else v
    return Echo(
        room=str(row.get("chat_id") or ""),
        text=text if isinstance(text, str) else "",
        at=_moment(row.get("created_at")),
        is_mine=isinstance(facts, dict) and facts.get("isMine") is True,
    )


def _moment(value: Any) -> float | None:
    digits = str(value)[:20]
    return float(digits) if digits.isascii() and digits.isdigit() else None


def _row_number(row: dict[str, Any]) -> int:
    digits = str(row.get("_id"))[:20]
    if not (digits.isascii() and digits.isdigit()):
        raise unknown("The device gave a row without its number.")
    return int(digits)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _seconds(value: str) -> float | None:
    """The pause that was set, or None where that is none."""
    if not SECONDS.fullmatch(value):
        return None
    return number if SHORTEST_PAUSE <= (number := float(value)) <= LONGEST_PAUSE else None


def _until(deadline: float) -> aiohttp.ClientTimeout:
    left = deadline - asyncio.get_running_loop().time()
    return within(max(round(left, 2), 0.05))  # aiohttp takes 0 for "no timeout"
