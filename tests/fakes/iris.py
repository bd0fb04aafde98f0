"""A fake of an Android device with Iris (or IrisLite) and KakaoTalk: it accepts, then types.

While it is busy with one message, Iris keeps only the newest that came meanwhile; the others
are lost though they were answered with success. `log` holds what the rooms saw. As a process:
`python -m tests.fakes.iris --port 9002`, which prints `ready 9002`.
"""

import asyncio
import base64
import binascii
import contextlib
import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.fakes.faults import FaultKind, Faults
from tests.fakes.misbehaviour import misbehave
from tests.fakes.serving import port_argument, run_until_terminated
from tests.fakes.wire import Answer, Request, json_answer

BOT_ID = 400_000_001
IRIS_FIELDS = {"type", "room", "data", "threadId"}  # any other is an error there
KINDS = {"text": 1, "image": 2, "image_multiple": 27}  # as chat_logs has them
JSON = {"Content-Type": "application/json"}
CHAT_LOGS = """
    CREATE TABLE chat_logs (_id INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER, type INTEGER,
        chat_id INTEGER NOT NULL, user_id INTEGER, message TEXT, attachment TEXT,
        created_at INTEGER, v TEXT)
"""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message that a room saw, and when (wall clock, seconds)."""

    key: str
    to: str
    messages: list[dict[str, Any]]
    at: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that was answered with success and not typed yet."""

    key: str
    body: dict[str, Any]


class IrisFake:
    """The device. Attributes are its settings; a test may change any of them at any time."""

    def __init__(
        self,
        *,
        latency: float = 0.0,
        is_lite: bool = False,
        text_seconds: float = 0.05,  # what Iris leaves between two messages by itself
        image_seconds: float = 0.05,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.latency = latency
        self.is_lite = is_lite
        self.text_seconds = text_seconds
        self.image_seconds = image_seconds
        self.now = now
        self.left: set[str] = set()  # rooms without the bot: success, and nothing is seen
        self.endpoint = ""  # where it posts what it sees
        self.faults = Faults()
        self.log: list[Accepted] = []
        self.requests: dict[str, int] = {}  # by path, whatever came of them
        self.chat_logs: list[dict[str, Any]] = []
        self._waiting: list[Waiting] = []
        self._is_busy = False
        self._echoing: set[asyncio.Task[None]] = set()

    def handle(self, request: Request) -> Answer | Coroutine[Any, Any, Answer | None]:
        """Answer one request."""
        path = request.path
        self.requests[path] = self.requests.get(path, 0) + 1
        match request.method, path:
            case "POST", "/reply":
                return self._reply(request)
            case "POST", "/query" if not self.is_lite:
                return self._query(request)
            case "GET", "/config" if not self.is_lite:
                return self._config()
            case "POST", "/config/endpoint" if not self.is_lite:
                self.endpoint = json.loads(request.body)["endpoint"]
                return json_answer({"success": True, "message": "success"})
        return Answer(404)

    def see(self, room: str, text: str, *, user_id: int = 7, kind: int = 1) -> None:
        """A message appears in a room, by a person or, as BOT_ID, by this device."""
        is_mine = user_id == BOT_ID
        v = {"enc": 31, "origin": "WRITE" if is_mine else "MSG", "isMine": is_mine}
        number = len(self.chat_logs) + 1
        row = {
            "_id": number,
            "id": 3_000_000_000 + number,
            "type": kind,
            "chat_id": room,
            "user_id": user_id,
            "message": text,
            "attachment": "{}",
            "created_at": int(self.now()),
            "v": json.dumps(v, separators=(",", ":")),
        }
        self.chat_logs.append(row)
        if self.endpoint:
            task = asyncio.get_running_loop().create_task(self._echo(row))
            self._echoing.add(task)
            task.add_done_callback(self._echoing.discard)

    def finish(self) -> None:
        """Be done with the message at hand, and begin the next."""
        self._is_busy = False
        if self._waiting:
            self._type(self._waiting.pop(0))

    def _reply(self, request: Request) -> Answer | Coroutine[Any, Any, Answer | None]:
        body = _json(request)
        problem = _problem(body, strict=not self.is_lite)
        if problem:
            return self._no(problem)
        key = request.headers.get("idempotency-key", "")

        def accept() -> Answer:
            return self._accept(Waiting(key, body))

        fault = self.faults.take(body["room"]) if self.faults.waiting else None
        if fault is not None:
            return misbehave(
                request, fault, accept=accept, limited=_limited, accepts_behind_html=True
            )
        return accept()

    def _accept(self, message: Waiting) -> Answer:
        if not self._is_busy:
            self._type(message)
        elif self.is_lite:
            self._waiting.append(message)
        else:
            self._waiting = [message]
        return json_answer({"success": True, "message": "Enqueued" if self.is_lite else "success"})

    def _type(self, message: Waiting) -> None:
        kind, room, data = (message.body[name] for name in ("type", "room", "data"))
        if room not in self.left:
            with contextlib.suppress(binascii.Error):  # success was answered long ago
                shown = _shown(kind, data)
                self.log.append(Accepted(message.key, room, shown, self.now()))
                self.see(room, data if kind == "text" else "", user_id=BOT_ID, kind=KINDS[kind])
        self._is_busy = True
        seconds = self.text_seconds if kind == "text" else self.image_seconds
        asyncio.get_running_loop().call_later(seconds, self.finish)

    def _query(self, request: Request) -> Answer:
        body = _json(request)
        bound = [str(value) for value in body.get("bind") or []]  # always as text
        with contextlib.closing(sqlite3.connect(":memory:")) as database:
            database.row_factory = sqlite3.Row
            database.execute(CHAT_LOGS)
            for row in self.chat_logs:
                names = ", ".join(f":{name}" for name in row)
                stored = {**row, "message": base64.b64encode(row["message"].encode()).decode()}
                database.execute(f"INSERT INTO chat_logs VALUES ({names})", stored)
            try:
                found = [dict(row) for row in database.execute(body["query"], bound)]
            except sqlite3.Error as error:
                return self._no(f"Query 오류: query={body['query']}, err={error}")
        rows = {"data": [_decrypted(row) for row in found]}
        # In UTF-8, as the device writes it: escapes would be twice as long.
        return Answer(200, json.dumps(rows, ensure_ascii=False).encode(), JSON)

    def _config(self) -> Answer:
        return json_answer(
            {
                "bot_name": "Iris",
                "bot_http_port": 3000,
                "web_server_endpoint": self.endpoint,
                "db_polling_rate": 100,
                "message_send_rate": int(self.text_seconds * 1000),
                "bot_id": BOT_ID,
            }
        )

    async def _echo(self, row: dict[str, Any]) -> None:
        raw = {name: str(value) for name, value in row.items()}
        sender = "Iris" if row["user_id"] == BOT_ID else "Minji"
        body = {"msg": row["message"], "room": "가게", "sender": sender, "json": raw}
        with contextlib.suppress(aiohttp.ClientError):
            async with aiohttp.ClientSession() as http, http.post(self.endpoint, json=body):
                pass

    def _no(self, message: str) -> Answer:
        word = "success" if self.is_lite else "status"
        return json_answer({word: False, "message": message}, status=500)


def _json(request: Request) -> dict[str, Any]:
    is_json = request.headers.get("content-type", "").startswith("application/json")
    try:
        body = json.loads(request.body) if is_json else None
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}


def _problem(body: dict[str, Any], *, strict: bool) -> str:
    """What the device would say of a request that it cannot read, or nothing."""
    is_known = body.get("type", "text") in KINDS and set(body) <= IRIS_FIELDS
    if not isinstance(body.get("room"), str) or "data" not in body or (strict and not is_known):
        return "Failed to convert request body to class party.qwer.iris.model.ReplyRequest"
    if strict and not body["room"].isdigit():
        return f'For input string: "{body["room"]}"'
    if isinstance(body["data"], list) and body["type"] != "image_multiple":
        return "Element class kotlinx.serialization.json.JsonArray is not a JsonPrimitive"
    return ""


def _shown(kind: str, data: str | list[str]) -> list[dict[str, Any]]:
    if kind == "text":
        return [{"type": "text", "text": data}]
    pictures = [base64.b64decode(one) for one in ([data] if isinstance(data, str) else data)]
    return [
        {"type": "image", "sha256": hashlib.sha256(one).hexdigest(), "bytes": len(one)}
        for one in pictures
    ]


def _decrypted(row: dict[str, Any]) -> dict[str, str | None]:
    """All as text; the message only where the row tells how it is encrypted."""
    row = {name: None if value is None else str(value) for name, value in row.items()}
    if row.get("v") and row.get("message"):
        row["message"] = base64.b64decode(row["message"]).decode()
    return row


def _limited(_kind: FaultKind) -> Answer:
    # The device knows no such answer; what stands before it may.
    return json_answer({"message": "Too many requests"}, status=429)


def main() -> None:
    """The command line."""
    parser = port_argument("A fake of an Android device with Iris.")
    parser.add_argument("--lite", action="store_true", help="as IrisLite")
    options = parser.parse_args()
    fake = IrisFake(latency=options.latency_ms / 1000, is_lite=options.lite)
    run_until_terminated(fake, options.port)


if __name__ == "__main__":
    main()
