"""A fake of api.solapi.com that remembers: groups and their states, signatures, the balance.

As a process: `python -m tests.fakes.solapi --port 9003`, which prints `ready 9003`.
"""

import hashlib
import hmac
import itertools
import json
import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fakes.faults import FaultKind, Faults
from tests.fakes.misbehaviour import misbehave
from tests.fakes.serving import port_argument, run_until_terminated
from tests.fakes.wire import Answer, Request, json_answer

API_KEY = "NCSFAKEKEY000001"
API_SECRET = "a secret that Solapi knows too"
SENDER = "029302266"
CHANNEL = "KA01PF000000000000000000000000000"
TEMPLATE = "KA01TP000000000000000000000000000"
TEMPLATE_TEXT = "Your order is on its way."

SKEW_SECONDS = 15 * 60
MOST_NUMBERS = 10_000
PRICES = {"SMS": 20, "LMS": 50, "ATA": 13}
PAGE, LARGEST_PAGE = 20, 500
HEADER = re.compile(r"HMAC-SHA256 ApiKey=(\S+), Date=(\S+), salt=(\S{12,64}), signature=(\S+)")
WORDS = {
    "1026": "중복 수신번호",
    "1029": "EUC-KR 범위 밖의 문자",
    "1031": "메시지 길이 초과",
    "1041": "유효한 플러스 친구 값이 아닙니다.",
    "1042": "유효한 템플릿 아이디가 아닙니다.",
    "1043": "등록한 템플릿과 내용이 다릅니다.",
    "1060": "차단된 수신번호",
    "1062": "발신번호 미등록",
    "3104": "카카오톡 미사용자",
    "2000": "정상 접수(이통사로 접수 예정)",
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """One release: what people would have seen, and when (wall clock, seconds). `messages`
    are as they came, without numbers and without the key."""

    key: str
    to: str | list[str]
    messages: list[dict[str, Any]]
    at: float


@dataclass(slots=True)
class Group:
    """A group and the requests that filled it."""

    id: str
    allows_duplicates: bool
    custom_fields: dict[str, str]
    created_at: float
    state: str = "PENDING"
    sent_at: float | None = None
    requested: list[dict[str, Any]] = field(default_factory=list)
    registered: list[dict[str, Any]] = field(default_factory=list)
    failed: int = 0

    def shown(self) -> dict[str, Any]:
        """As the vendor describes it."""
        return {
            "groupId": self.id,
            "status": self.state,
            "dateSent": _date(self.sent_at) if self.sent_at is not None else None,
            "dateCreated": _date(self.created_at),
            "customFields": self.custom_fields,
            "count": {
                "registeredSuccess": len(self.registered),
                "registeredFailed": self.failed,
            },
        }


class SolapiFake:
    """The vendor. Attributes are its settings; a test may change any of them at any time."""

    def __init__(
        self,
        *,
        latency: float = 0.0,
        balance: int | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.latency = latency
        self.balance = balance  # None: enough for everything
        self.points = 0
        self.now = now
        self.blocked: set[str] = set()  # numbers that take nothing
        self.unreachable: dict[str, str] = {}  # numbers, and the code that it ends with
        self.step = "send"  # which request the faults befall: create, add, send, ask, delete
        self.faults = Faults()
        self.fixed: dict[str, Answer] = {}  # by step: what is answered, and nothing done
        self.log: list[Accepted] = []
        self.groups: dict[str, Group] = {}
        self.requests: dict[str, int] = {}  # by step, whatever came of them
        self._signatures: dict[str, float] = {}
        self._numbers = itertools.count(1)

    def handle(self, request: Request) -> Answer | Coroutine[Any, Any, Answer | None]:
        """Answer one request."""
        problem = self._signature_problem(request.headers.get("authorization", ""))
        if problem:
            return _error(403, problem)
        step, respond, to = self._route(request)
        self.requests[step] = self.requests.get(step, 0) + 1
        if step in self.fixed:
            return self.fixed[step]
        fault = self.faults.take(to) if step == self.step and self.faults.waiting else None
        if fault is not None:
            return misbehave(request, fault, accept=respond, limited=_limited)
        return respond()

    def complete(self) -> None:
        """Let all that is on its way arrive, or not."""
        for group in self.groups.values():
            if group.state == "SENDING":
                group.state = "COMPLETE"
                for one in group.registered:
                    one["statusCode"] = self.unreachable.get(one["to"], "4000")

    def _signature_problem(self, header: str) -> str:
        found = HEADER.fullmatch(header)
        if found is None or found[1] != API_KEY:
            return "InvalidAPIKey"
        _key, date, salt, signature = found.groups()
        wanted = hmac.new(API_SECRET.encode(), (date + salt).encode(), hashlib.sha256)
        if not hmac.compare_digest(signature, wanted.hexdigest()):
            return "SignatureDoesNotMatch"
        now = self.now()
        if abs(now - datetime.fromisoformat(date).timestamp()) > SKEW_SECONDS:
            return "RequestTimeTooSkewed"
        if now - self._signatures.get(signature, float("-inf")) <= SKEW_SECONDS:
            return "DuplicatedSignature"
        self._signatures[signature] = now
        return ""

    def _route(self, request: Request) -> tuple[str, Callable[[], Answer], str]:
        """Which step this is, what answers it, and for whom it is."""
        if request.path == "/cash/v1/balance":
            return "balance", self._tell_balance, ""
        parts = request.path.removeprefix("/messages/v4/").split("/")
        group = self.groups.get(parts[1]) if len(parts) > 1 else None
        if group is None and len(parts) > 1:
            return "ask", lambda: _error(404, "ResourceNotFound"), ""
        body = json.loads(request.body) if request.body else {}
        match request.method, *parts:
            case "POST", "groups":
                return "create", lambda: self._create(body), ""
            case "GET", "groups":
                return "ask", lambda: self._list_groups(request.query), ""
            case "GET", "list":
                return "ask", lambda: self._list_messages(request.query), ""
        assert group is not None, f"no such request: {request.method} {request.path}"
        found, to = group, _address(group.requested)
        match request.method, *parts[2:]:
            case "GET", "messages":
                return "results", lambda: self._list_results(found, request.query), to
            case "PUT", "messages":
                return "add", lambda: self._add(found, body), _address(body["messages"])
            case "POST", "send":
                return "send", lambda: self._send(found), to
            case "DELETE", *_:
                return "delete", lambda: self._delete(found), to
        return "ask", lambda: json_answer(found.shown()), to

    def _tell_balance(self) -> Answer:
        left = 1_000_000 if self.balance is None else self.balance
        return json_answer({"balance": left, "point": self.points, "autoRecharge": 0})

    def _create(self, body: dict[str, Any]) -> Answer:
        group = Group(
            f"G4V{next(self._numbers):029}",
            bool(body.get("allowDuplicates")),
            dict(body.get("customFields") or {}),
            self.now(),
        )
        self.groups[group.id] = group
        return json_answer(group.shown())

    def _add(self, group: Group, body: dict[str, Any]) -> Answer:
        if group.state != "PENDING":
            return _error(400, "InvalidStatus")
        asked = [(message, to) for message in body["messages"] for to in _numbers(message)]
        if len(asked) > MOST_NUMBERS:
            return _error(413, "RecipientsTooMany")
        group.requested += body["messages"]
        results = [self._register(group, message, to) for message, to in asked]
        failed = sum(one["statusCode"] != "2000" for one in results)
        return json_answer({"errorCount": failed, "resultList": results})

    def _register(self, group: Group, message: dict[str, Any], to: str) -> dict[str, Any]:
        code = self._code(group, message, to)
        if code == "2000":
            group.registered.append({**message, "to": to, "statusCode": code})
        else:
            group.failed += 1
        return {
            "to": to,
            "from": message["from"],
            "statusCode": code,
            "statusMessage": WORDS[code],
            "messageId": f"M4V{next(self._numbers):029}",
            "customFields": message.get("customFields", {}),
        }

    def _code(self, group: Group, message: dict[str, Any], to: str) -> str:
        if message["from"] != SENDER:
            return "1062"
        if to in self.blocked:
            return "1060"
        if not group.allows_duplicates and any(one["to"] == to for one in group.registered):
            return "1026"
        return _template_code(message) if "kakaoOptions" in message else _text_code(message)

    def _send(self, group: Group) -> Answer:
        problem = SEND_PROBLEMS.get(group.state)
        if problem:
            return _error(*problem)
        if not group.registered:
            return _error(400, "InvalidStatus")
        price = sum(PRICES[_type(message)] for message in group.registered)
        if self.balance is not None:
            if self.balance < price:
                return _error(402, "NotEnoughBalance")
            self.balance -= price
        group.state, group.sent_at = "SENDING", self.now()
        self.log.append(_accepted(group))
        return json_answer(group.shown())

    def _delete(self, group: Group) -> Answer:
        group.state = "DELETED"
        return json_answer(group.shown())

    def _list_groups(self, query: dict[str, str]) -> Answer:
        return _page("groupList", {key: group.shown() for key, group in self._within(query)}, query)

    def _list_results(self, group: Group, query: dict[str, str]) -> Answer:
        entries = {
            f"M4V{number:05}": {
                "to": one["to"],
                "statusCode": one["statusCode"],
                "reason": WORDS.get(one["statusCode"]),
                "customFields": _own(one),
            }
            for number, one in enumerate(group.registered)
        }
        size = min(int(query.get("limit", PAGE)), LARGEST_PAGE)
        keys = [key for key in entries if key >= query.get("startKey", "")]
        following = keys[size] if len(keys) > size else None
        shown = {key: entries[key] for key in keys[:size]}
        return json_answer({"limit": size, "nextKey": following, "messageList": shown})

    def _list_messages(self, query: dict[str, str]) -> Answer:
        entries = {
            f"{key}-{number:05}": {"groupId": key, "to": one["to"], "customFields": _own(one)}
            for key, group in self._within(query)
            for number, one in enumerate(group.registered)
            if one["to"] == query["to"]
        }
        return _page("messageList", entries, query)

    def _within(self, query: dict[str, str]) -> list[tuple[str, Group]]:
        """The groups between two dates, the newest first."""
        start, end = (
            datetime.fromisoformat(query[name]).timestamp() for name in ("startDate", "endDate")
        )
        # Dates have whole seconds, and what was made within the last one is in it.
        found = [(key, g) for key, g in self.groups.items() if start <= g.created_at < end + 1]
        return sorted(found, reverse=True)


SEND_PROBLEMS = {
    "SENDING": (409, "GroupInProcessing"),
    "COMPLETE": (409, "AlreadySent"),
    "DELETED": (400, "DeletedGroup"),
    "FAILED": (400, "FailedGroup"),
}


def _page(name: str, entries: dict[str, Any], query: dict[str, str]) -> Answer:
    keys = [key for key in entries if key <= query.get("startKey", "Z")]
    following = keys[PAGE] if len(keys) > PAGE else None
    shown = {key: entries[key] for key in keys[:PAGE]}
    return json_answer({"limit": PAGE, "nextKey": following, name: shown})


def _template_code(message: dict[str, Any]) -> str:
    options = message["kakaoOptions"]
    if options["pfId"] != CHANNEL:
        return "1041"
    if options["templateId"] != TEMPLATE:
        return "1042"
    fits = bool(options.get("variables")) or message.get("text") == TEMPLATE_TEXT
    return "2000" if fits else "1043"


def _text_code(message: dict[str, Any]) -> str:
    try:
        message["text"].encode("cp949")
    except UnicodeEncodeError:
        return "1029"
    return "2000" if 0 < _bytes(message) <= 2000 else "1031"


def _type(message: dict[str, Any]) -> str:
    if "kakaoOptions" in message:
        return "ATA"
    return "SMS" if _bytes(message) <= 90 else "LMS"


def _bytes(message: dict[str, Any]) -> int:
    return len(message["text"].encode("cp949"))


def _accepted(group: Group) -> Accepted:
    to = group.requested[0]["to"]
    if isinstance(to, list):  # those who get it
        to = list(dict.fromkeys(one["to"] for one in group.registered))
    messages = [_as_packed(message) for message in group.requested]
    return Accepted(group.custom_fields.get("teiji_key", ""), to, messages, group.sent_at or 0.0)


def _as_packed(message: dict[str, Any]) -> dict[str, Any]:
    packed = {name: message[name] for name in message if name not in ("to", "from", "customFields")}
    own = {name: value for name, value in _own(message).items() if name != "teiji_key"}
    return packed | ({"customFields": own} if own else {})


def _own(message: dict[str, Any]) -> dict[str, str]:
    return dict(message.get("customFields") or {})


def _numbers(message: dict[str, Any]) -> list[str]:
    to = message["to"]
    return to if isinstance(to, list) else [to]


def _address(messages: list[dict[str, Any]]) -> str:
    return str(messages[0]["to"]) if messages else ""


def _limited(kind: FaultKind) -> Answer:
    if kind == FaultKind.RATE_LIMIT:
        return _error(429, "TooManyRequests")
    return _error(402, "NotEnoughBalance")


def _error(status: int, code: str) -> Answer:
    return json_answer({"errorCode": code, "errorMessage": f"{code}!"}, status=status)


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def main() -> None:
    """The command line."""
    parser = port_argument("A fake of api.solapi.com.")
    parser.add_argument("--balance", type=int, default=None)
    options = parser.parse_args()
    fake = SolapiFake(latency=options.latency_ms / 1000, balance=options.balance)
    run_until_terminated(fake, options.port)


if __name__ == "__main__":
    main()
