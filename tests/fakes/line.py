"""A fake of api.line.me that remembers: retry keys, buckets, quota, tokens, what it accepted and
counted.

As a process: `python -m tests.fakes.line --port 9000 --latency-ms 30`, which prints
`ready 9000`. Real buckets unless `--unlimited`.
"""

import itertools
import json
import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from tests.fakes.faults import FaultKind, Faults
from tests.fakes.line_counts import LineCounts, problem_with
from tests.fakes.misbehaviour import misbehave
from tests.fakes.serving import port_argument, run_until_terminated
from tests.fakes.wire import Answer, Request, json_answer

CHANNEL_ID = "1234567890"
CHANNEL_SECRET = "0123456789abcdef0123456789abcdef"
ACCESS_TOKEN = "a-long-lived-token"

PUSH = "/v2/bot/message/push"
MULTICAST = "/v2/bot/message/multicast"
RATES = {PUSH: 2000.0, MULTICAST: 200.0}  # requests a second
KEY_SECONDS = 24 * 3600
TOKEN_SECONDS = 900
RATE_MESSAGE = "The API rate limit has been exceeded. Try again later."
MONTHLY_MESSAGE = "You have reached your monthly limit."
ADDRESS = re.compile(r"[UCR][0-9a-f]{32}")
USER = re.compile(r"U[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Accepted:
    """One acceptance: what a person would have seen, and when (wall clock, seconds)."""

    key: str
    to: str | list[str]
    messages: list[dict[str, Any]]
    at: float
    request_id: str
    unit: str = ""


class LineFake:
    """The vendor. Attributes are its settings; a test may change any of them at any time."""

    def __init__(
        self,
        *,
        latency: float = 0.0,
        rates: dict[str, float] | None = None,
        quota: int | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.latency = latency
        self.quota = quota
        self.now = now
        self.takes_http_images = False
        self.members: dict[str, int] = {}  # of groups and rooms; 5 where nothing is said
        self.left: set[str] = set()  # groups and rooms without the bot
        self.strangers: set[str] = set()  # users' ids that LINE refuses
        self.tokens: dict[str, float] = {ACCESS_TOKEN: float("inf")}  # token → good until
        self.used = 0
        self.counts = LineCounts()
        self.is_forbidden = False  # refuses the account what it asks, as LINE does without a plan
        self.dislikes: dict[str, str] = {}  # property (`messages[0].text`) or value → why
        self.takes_units = True  # False: refuses messages that name an aggregation unit
        self.faults = Faults()
        self.faults_of_questions = Faults()  # by path, as of messages by address
        self.log: list[Accepted] = []
        self.requests: dict[str, int] = {}  # by path, whatever came of them
        self._by_key: dict[str, Accepted] = {}
        self._buckets = {
            path: _Bucket(rate) for path, rate in (RATES if rates is None else rates).items()
        }
        self._numbers = itertools.count(1)

    def handle(self, request: Request) -> Answer | Coroutine[Any, Any, Answer | None]:
        """Answer one request."""
        path = request.path
        self.requests[path] = self.requests.get(path, 0) + 1
        if path == "/oauth2/v3/token":
            return self._issue_token(request.body.decode())
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0.0) <= self.now():
            return self._error(401, "Authentication failed. Confirm that the access token is valid")
        if self.is_forbidden:
            return self._error(403, "Access to this API is not available for your account")
        if path in (PUSH, MULTICAST) and request.method == "POST":
            return self._message(request)
        if path.startswith("/v2/bot/message/validate/") and request.method == "POST":
            return self._answer_question(request, lambda: self._validate(request.body))
        counted = self._counted(request)
        return self._answer_question(request, counted or (lambda: self._ask(path)))

    def revoke_tokens(self) -> None:
        """Make every token that was issued so far a bad one."""
        self.tokens.clear()

    def _message(self, request: Request) -> Answer | Coroutine[Any, Any, Answer | None]:
        path = request.path
        bucket = self._buckets.get(path)
        if bucket is not None and not bucket.take(self.now()):
            return self._error(429, RATE_MESSAGE)
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return self._error(400, "The request body could not be parsed as JSON.")
        key = request.headers.get("x-line-retry-key", "")
        to = body.get("to")

        def accept() -> Answer:
            return self._accept(path, key, to, body)

        fault = self.faults.take(str(to)) if self.faults.waiting else None
        if fault is not None:
            return misbehave(request, fault, accept=accept, limited=self._limited)
        return accept()

    def _accept(self, path: str, key: str, to: Any, body: dict[str, Any]) -> Answer:
        if key and not _is_uuid(key):
            return self._error(400, "The retry key is invalid.")
        earlier = self._by_key.get(key) if key else None
        if earlier is not None and earlier.at > self.now() - KEY_SECONDS:
            return self._conflict(path, earlier)
        problems = self._problems(body)
        problems += self._target_problems(path, to)
        units = body.get("customAggregationUnits")
        if why := problem_with(units) or ("" if self.takes_units or not units else "Not allowed"):
            problems.append(_problem("customAggregationUnits", why))
        if problems:
            return self._error(
                400, f"The request body has {len(problems)} error(s)", details=problems
            )
        cost = self._cost(to)
        if self.quota is not None and self.used + cost > self.quota:
            return self._error(429, MONTHLY_MESSAGE)
        self.used += cost
        unit = units[0] if units else ""
        accepted = Accepted(key, to, body["messages"], self.now(), self._new_request_id(), unit)
        self.log.append(accepted)
        self.counts.accept(path, to, cost, units, accepted.at)
        if key:
            self._by_key[key] = accepted
        return self._answer(_sent(path, accepted), request_id=accepted.request_id)

    def _conflict(self, path: str, earlier: Accepted) -> Answer:
        body = {"message": "The retry key is already accepted", **_sent(path, earlier)}
        answer = self._answer(body, status=409)
        answer.headers["x-line-accepted-request-id"] = earlier.request_id
        return answer

    def _target_problems(self, path: str, to: Any) -> list[dict[str, str]]:
        if path == PUSH:
            is_good = isinstance(to, str) and ADDRESS.fullmatch(to) and to not in self.left
        else:
            is_good = (
                isinstance(to, list)
                and 1 <= len(to) <= 500
                and all(isinstance(one, str) and USER.fullmatch(one) for one in to)
                and not self.strangers.intersection(to)
            )
        return [] if is_good else [_problem("to", "The value is invalid.")]

    def _cost(self, to: str | list[str]) -> int:
        if isinstance(to, list):
            return len(to)
        return 1 if to.startswith("U") else self.members.get(to, 5)

    def _limited(self, kind: FaultKind) -> Answer:
        return self._error(429, RATE_MESSAGE if kind == FaultKind.RATE_LIMIT else MONTHLY_MESSAGE)

    def _answer_question(
        self, request: Request, answer: Callable[[], Answer]
    ) -> Answer | Coroutine[Any, Any, Answer | None]:
        fault = self.faults_of_questions.take(request.path)
        if fault is not None:
            return misbehave(request, fault, accept=answer, limited=self._limited)
        return answer()

    def _validate(self, raw: bytes) -> Answer:
        if problems := self._problems(json.loads(raw)):
            return self._error(
                400, f"The request body has {len(problems)} error(s)", details=problems
            )
        return self._answer({})

    def _problems(self, body: dict[str, Any]) -> list[dict[str, str]]:
        messages = body.get("messages")
        found = _problems(messages, self.takes_http_images)
        for position, message in enumerate(messages if isinstance(messages, list) else ()):
            for name, value in message.items() if self.dislikes else ():
                place = f"messages[{position}].{name}"
                if why := self.dislikes.get(place) or self.dislikes.get(value):
                    found.append(_problem(place, why))
        return found

    def _issue_token(self, form: str) -> Answer:
        expected = {
            "grant_type": ["client_credentials"],
            "client_id": [CHANNEL_ID],
            "client_secret": [CHANNEL_SECRET],
        }
        if parse_qs(form) != expected:
            words = "invalid clientSecret"
            return self._answer({"error": "invalid_client", "error_description": words}, status=400)
        token = f"stateless-token-{next(self._numbers)}"
        self.tokens[token] = self.now() + TOKEN_SECONDS
        return self._answer(
            {"token_type": "Bearer", "access_token": token, "expires_in": TOKEN_SECONDS}
        )

    def _ask(self, path: str) -> Answer:
        if path == "/v2/bot/message/quota":
            if self.quota is None:
                return self._answer({"type": "none"})
            return self._answer({"type": "limited", "value": self.quota})
        if path == "/v2/bot/message/quota/consumption":
            return self._answer({"totalUsage": self.used})
        match path.split("/")[3:]:
            case ["group" | "room", group_id, "members", "count"] if self._is_in(group_id):
                return self._answer({"count": self.members.get(group_id, 5)})
            case ["info"]:
                return self._answer({"userId": "U" + "0" * 32, "displayName": "Bot"})
            case ["group", group_id, "summary"] if self._is_in(group_id):
                return self._answer({"groupId": group_id, "groupName": f"Group {group_id[:5]}"})
        return self._error(404, "Not found")

    def _counted(self, request: Request) -> Callable[[], Answer] | None:
        """How a question about counts is answered; None for any other."""
        match request.path.split("/")[3:]:
            case ["message", "delivery", ("push" | "multicast") as endpoint]:
                asked = request.query.get("date", "")
                return lambda: self._told(self.counts.of_day(endpoint, asked, self.now()))
            case ["message", "aggregation", "info"]:
                used = len(self.counts.used_units(self.now()))
                return lambda: self._told({"numOfCustomAggregationUnits": used})
            case ["message", "aggregation", "list"]:
                names = self.counts.used_units(self.now())
                return lambda: self._told({"customAggregationUnits": names})
            case ["insight", "message", "event", "aggregation"]:
                return lambda: self._told(self.counts.of_unit(request.query))
        return None

    def _told(self, body: dict[str, Any] | None) -> Answer:
        return self._error(400, "The value is invalid.") if body is None else self._answer(body)

    def _is_in(self, group_id: str) -> bool:
        return bool(ADDRESS.fullmatch(group_id)) and group_id not in self.left

    def _error(self, status: int, message: str, **more: Any) -> Answer:
        return self._answer({"message": message, **more}, status=status)

    def _answer(self, body: dict[str, Any], *, status: int = 200, request_id: str = "") -> Answer:
        headers = {"x-line-request-id": request_id or self._new_request_id()}
        return json_answer(body, status=status, headers=headers)

    def _new_request_id(self) -> str:
        return f"request-{next(self._numbers)}"


class _Bucket:
    """A token bucket that holds one second's worth. Rate 0: no limit."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.level = rate
        self.at = 0.0

    def take(self, now: float) -> bool:
        if not self.rate:
            return True
        self.level = min(self.rate, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


def _sent(path: str, accepted: Accepted) -> dict[str, Any]:
    if path != PUSH:
        return {}
    number = accepted.request_id.rpartition("-")[2]
    return {
        "sentMessages": [
            {"id": f"{number}{position:02}"} for position in range(len(accepted.messages))
        ]
    }


def _problems(messages: Any, takes_http_images: bool) -> list[dict[str, str]]:
    if not isinstance(messages, list) or not 1 <= len(messages) <= 5:
        return [_problem("messages", "Size must be between 1 and 5")]
    found = []
    for position, message in enumerate(messages):
        prefix = f"messages[{position}]"
        kind = message.get("type") if isinstance(message, dict) else None
        if kind == "text":
            found += _text_problems(prefix, message.get("text"))
        elif kind == "image":
            for name in ("originalContentUrl", "previewImageUrl"):
                found += _url_problems(f"{prefix}.{name}", message.get(name), takes_http_images)
        else:
            found.append(_problem(f"{prefix}.type", "Must be one of the following values"))
    return found


def _text_problems(prefix: str, text: Any) -> list[dict[str, str]]:
    if not isinstance(text, str) or not text:
        return [_problem(f"{prefix}.text", "May not be empty")]
    # Only texts near the limit are worth encoding: an emoji is two units.
    if len(text) > 2500 and len(text.encode("utf-16-le", "surrogatepass")) > 10_000:
        return [_problem(f"{prefix}.text", "Length must be between 0 and 5000")]
    return []


def _url_problems(name: str, url: Any, takes_http_images: bool) -> list[dict[str, str]]:
    schemes = ("https://", "http://") if takes_http_images else ("https://",)
    if not isinstance(url, str) or not url.startswith(schemes):
        return [_problem(name, "Must be a valid HTTPS URL")]
    if len(url) > 2000:
        return [_problem(name, "Length must be between 0 and 2000")]
    return []


def _problem(name: str, message: str) -> dict[str, str]:
    return {"message": message, "property": name}


def _is_uuid(key: str) -> bool:
    try:
        return str(UUID(key)) == key.lower()
    except ValueError:
        return False


def main() -> None:
    """The command line."""
    parser = port_argument("A fake of api.line.me.")
    parser.add_argument("--unlimited", action="store_true", help="no rate limits")
    parser.add_argument("--quota", type=int, default=None)
    parser.add_argument("--http-images", action="store_true", help="take images by http too")
    options = parser.parse_args()
    fake = LineFake(
        latency=options.latency_ms / 1000,
        rates={} if options.unlimited else None,
        quota=options.quota,
    )
    fake.takes_http_images = options.http_images
    run_until_terminated(fake, options.port)


if __name__ == "__main__":
    main()
