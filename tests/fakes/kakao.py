"""A fake of kauth.kakao.com and kapi.kakao.com that remembers: tokens and their lives, consent,
friends, quotas by the day, what it accepted.

As a process: `python -m tests.fakes.kakao --port 9002`, which prints `ready 9002`.
"""

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.faults import FaultKind, Faults
from tests.fakes.misbehaviour import misbehave
from tests.fakes.serving import port_argument, run_until_terminated
from tests.fakes.wire import Answer, Request, json_answer

CLIENT_ID = "0123456789abcdef0123456789abcdef"
CLIENT_SECRET = "a-secret-of-the-app"
REFRESH_TOKEN = "refresh-token-0"
FRIEND = "w_LF9sLwwvDc79jg0-HR5tP"
OTHER_FRIEND = "abcdefg0002"

TOKEN = "/oauth/token"
TO_ME = "/v2/api/talk/memo/default/send"
TO_FRIENDS = "/v1/api/talk/friends/message/default/send"
ACCESS_SECONDS = 21_599
DAY = 24 * 3600
REFRESH_SECONDS = 60 * DAY
REPLACED_BELOW = 30 * DAY  # a refresh token with less life than this is replaced when used
SEOUL = 9 * 3600

WORDS = {
    -2: "the parameter is invalid.",
    -10: "API limit has been exceeded.",
    -401: "this access token does not exist",
    -402: "insufficient scopes.",
    -502: "receiver is not a friend.",
    -530: "receiver blocks messages.",
    -532: "daily message limit per sender has been exceeded.",
    -533: "daily message limit per receiver has been exceeded.",
    -536: "daily message limit per sender and receiver has been exceeded.",
}
STATUS = {-401: 401, -402: 403}


@dataclass(frozen=True, slots=True)
class Accepted:
    """One acceptance for one person. Requests carry no key, so there is none to log."""

    key: str
    to: str
    messages: list[dict[str, Any]]
    at: float


class KakaoFake:
    """The vendor, with one app and one person who logged in. A test may change any attribute
    at any time."""

    def __init__(self, *, latency: float = 0.0, now: Callable[[], float] = time.time) -> None:
        self.latency = latency
        self.now = now
        self.client_secret = ""  # where it is not empty, the app has it switched on
        self.has_consent = True
        self.friends = {FRIEND: True, OTHER_FRIEND: True}  # uuid → whether it wants messages
        self.most_of_sender, self.most_of_recipient, self.most_of_pair = 100, 100, 20
        self.tells_inside = False  # refuses one recipient within a 200, as it does several
        self.refresh_token = REFRESH_TOKEN
        self.refresh_until = now() + REFRESH_SECONDS
        self.tokens: dict[str, float] = {}  # access token → good until
        self.used: Counter[tuple[int, str]] = Counter()  # by day, and by sender, uuid or pair
        self.faults = Faults()
        self.token_faults = Faults()
        self.connections: set[Any] = set()
        self.log: list[Accepted] = []
        self.requests: Counter[str] = Counter()  # by path, whatever came of them
        self._numbers = itertools.count(1)

    def handle(self, request: Request) -> Answer | Coroutine[Any, Any, Answer | None]:
        """Answer one request."""
        self.requests[request.path] += 1
        self.connections.add(request.transport)
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if request.method != "POST":
            return json_answer({"msg": "method not allowed", "code": -2}, status=405)
        if request.path == TOKEN:
            return self._token(request, form)
        if request.path in (TO_ME, TO_FRIENDS):
            return self._message(request, form)
        return json_answer({"msg": "not found", "code": -2}, status=404)

    def revoke_tokens(self) -> None:
        """Make every access token that was issued so far a bad one."""
        self.tokens.clear()

    def _token(
        self, request: Request, form: dict[str, str]
    ) -> Answer | Coroutine[Any, Any, Answer | None]:
        def issue() -> Answer:
            return self._issue(form)

        fault = self.token_faults.take(TOKEN)
        if fault is not None:
            return misbehave(request, fault, accept=issue, limited=lambda _kind: _refusal(-10))
        return issue()

    def _issue(self, form: dict[str, str]) -> Answer:
        if (form.get("client_id"), form.get("client_secret", "")) != (
            CLIENT_ID,
            self.client_secret,
        ):
            return _login_error(401, "invalid_client", "Bad client credentials", "KOE010")
        if form.get("grant_type") != "refresh_token":
            return _login_error(400, "unsupported_grant_type", "unsupported grant type", "KOE203")
        left = self.refresh_until - self.now()
        if form.get("refresh_token") != self.refresh_token or left <= 0:
            words = "expired_or_invalid_refresh_token"
            return _login_error(400, "invalid_grant", words, "KOE322")
        number = next(self._numbers)
        token = f"access-token-{number}"
        self.tokens[token] = self.now() + ACCESS_SECONDS
        body = {"access_token": token, "token_type": "bearer", "expires_in": ACCESS_SECONDS}
        if left < REPLACED_BELOW:
            self.refresh_token = f"refresh-token-{number}"
            self.refresh_until = self.now() + REFRESH_SECONDS
            body |= {
                "refresh_token": self.refresh_token,
                "refresh_token_expires_in": REFRESH_SECONDS,
            }
        return json_answer(body)

    def _message(
        self, request: Request, form: dict[str, str]
    ) -> Answer | Coroutine[Any, Any, Answer | None]:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0.0) <= self.now():
            return _refusal(-401)
        to_me = request.path == TO_ME
        receivers = ["me"] if to_me else _receivers(form.get("receiver_uuids", ""))

        def accept() -> Answer:
            return self._accept(receivers, form.get("template_object", ""), to_me=to_me)

        fault = self.faults.take(",".join(receivers))
        if fault is not None:
            return misbehave(request, fault, accept=accept, limited=_limited)
        return accept()

    def _accept(self, receivers: list[str], raw: str, *, to_me: bool) -> Answer:
        template = _template(raw)
        if template is None or not 1 <= len(receivers) <= 5:
            return _refusal(-2)
        if not self.has_consent:
            return _refusal(-402)
        if to_me:
            self._log("me", template)
            return json_answer({"result_code": 0})
        refused = {uuid: code for uuid in receivers if (code := self._send(uuid, template))}
        if len(receivers) == 1 and refused and not self.tells_inside:
            return _refusal(refused[receivers[0]])
        return json_answer(_outcome(receivers, refused))

    def _send(self, uuid: str, template: dict[str, Any]) -> int:
        """0: it was accepted."""
        day = int(self.now() + SEOUL) // DAY
        sender, recipient, pair = (day, ""), (day, uuid), (day, f"pair {uuid}")
        if uuid not in self.friends:
            return -502
        if not self.friends[uuid]:
            return -530
        if self.used[sender] >= self.most_of_sender:
            return -532
        if self.used[recipient] >= self.most_of_recipient:
            return -533
        if self.used[pair] >= self.most_of_pair:
            return -536
        self.used.update((sender, recipient, pair))
        self._log(uuid, template)
        return 0

    def _log(self, to: str, template: dict[str, Any]) -> None:
        self.log.append(Accepted("", to, [template], self.now()))


def _receivers(raw: str) -> list[str]:
    try:
        value = json.loads(raw)
    except ValueError:
        return []
    return [str(one) for one in value] if isinstance(value, list) else []


def _template(raw: str) -> dict[str, Any] | None:
    """The template, if it is a whole one of a text."""
    try:
        value = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(value, dict) or value.get("object_type") != "text":
        return None
    text, link = value.get("text"), value.get("link")
    is_whole = isinstance(text, str) and 0 < len(text) <= 200 and isinstance(link, dict)
    return value if is_whole else None


def _outcome(receivers: list[str], refused: dict[str, int]) -> dict[str, Any]:
    accepted = [uuid for uuid in receivers if uuid not in refused]
    body: dict[str, Any] = {"successful_receiver_uuids": accepted}
    if refused:
        body["failure_info"] = [
            {"code": code, "msg": WORDS[code], "receiver_uuids": [uuid]}
            for uuid, code in refused.items()
        ]
    return body


def _refusal(code: int) -> Answer:
    return json_answer({"msg": WORDS[code], "code": code}, status=STATUS.get(code, 400))


def _limited(kind: FaultKind) -> Answer:
    return _refusal(-10 if kind == FaultKind.RATE_LIMIT else -532)


def _login_error(status: int, error: str, words: str, code: str) -> Answer:
    body = {"error": error, "error_description": words, "error_code": code}
    return json_answer(body, status=status)


def main() -> None:
    """The command line."""
    options = port_argument("A fake of Kakao's login and message APIs.").parse_args()
    run_until_terminated(KakaoFake(latency=options.latency_ms / 1000), options.port)


if __name__ == "__main__":
    main()
