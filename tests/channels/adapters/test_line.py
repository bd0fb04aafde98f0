"""LINE: what each answer means, tokens, and messages as LINE wants them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from channels.adapters.base import Failure, Picture, Receipt, SendError, Target, Text
from channels.adapters.line import LineAdapter, LineConfig
from channels.http import open_session
from tests.channels.adapters.cases import GROUP, line_adapter
from tests.fakes import line
from tests.fakes.faults import Faults
from tests.fakes.line import LineFake
from tests.fakes.serving import serving
from tests.fakes.wire import Answer, Fake, Request

KEY = UUID("5f0c1a52-7a63-5f9e-9d6b-0f6f2f0c9a11")
PAYLOAD = {"messages": [{"type": "text", "text": "hello"}]}
ROOM = Target(GROUP)

RATE = '{"message": "The API rate limit has been exceeded. Try again later."}'
MONTHLY = '{"message": "You have reached your monthly limit."}'
BAD = '{"message": "1 error", "details": [{"property": "messages[0].text", "message": "empty"}]}'
OWN_ID = {"x-line-request-id": "r1"}
EARLIER_ID = {"x-line-request-id": "r2", "x-line-accepted-request-id": "r1"}
HTML = "<html>Sign in to the network</html>"


class Script:
    """A vendor that gives one answer to everything."""

    def __init__(self, status: int, body: str, headers: dict[str, str]) -> None:
        self.status, self.body, self.headers = status, body, headers
        self.latency = 0.0
        self.faults = Faults()
        self.log: list[Any] = []

    def handle(self, request: Request) -> Answer:
        self.log.append((request.headers, request.body))
        return Answer(self.status, self.body.encode(), self.headers)


@pytest.mark.parametrize(
    ("status", "body", "headers", "request_id", "already"),
    [
        (200, '{"sentMessages": [{"id": "1"}]}', OWN_ID, "r1", False),
        (202, "{}", OWN_ID, "r1", False),
        (409, '{"message": "already accepted"}', EARLIER_ID, "r1", True),
        (409, "", EARLIER_ID, "r1", True),
    ],
)
def test_an_acceptance_keeps_the_id_of_the_request_that_was_accepted(
    status: int, body: str, headers: dict[str, str], request_id: str, already: bool
) -> None:
    outcome = _outcome(Script(status, body, headers))
    answer = json.loads(body) if body else {}
    assert outcome == Receipt(status, request_id, answer, already)


@pytest.mark.parametrize(
    ("status", "body", "headers", "failure", "account_wide"),
    [
        (200, HTML, {}, Failure.UNKNOWN, False),
        (200, HTML, OWN_ID, Failure.UNKNOWN, False),
        (200, "[]", OWN_ID, Failure.UNKNOWN, False),
        (200, "{}", {}, Failure.UNKNOWN, False),  # somebody else's JSON
        (200, '{"sentMessages": [', OWN_ID, Failure.UNKNOWN, False),
        (302, "", {"Location": "http://portal/"}, Failure.UNKNOWN, False),
        (400, BAD, OWN_ID, Failure.REFUSED, False),
        (401, '{"message": "bad token"}', OWN_ID, Failure.REFUSED, True),
        (403, '{"message": "not allowed"}', OWN_ID, Failure.REFUSED, False),
        (404, '{"message": "Not found"}', OWN_ID, Failure.REFUSED, False),
        (408, "", {}, Failure.UNKNOWN, False),
        (409, '{"message": "busy"}', OWN_ID, Failure.UNKNOWN, False),
        (413, HTML, {}, Failure.REFUSED, False),
        (429, RATE, OWN_ID, Failure.LATER, False),
        (429, "", {}, Failure.LATER, False),
        (429, MONTHLY, OWN_ID, Failure.REFUSED, True),
        (500, '{"message": "Internal"}', OWN_ID, Failure.UNKNOWN, False),
        (502, HTML, {}, Failure.UNKNOWN, False),
        (503, "", {"Retry-After": "5"}, Failure.UNKNOWN, False),
    ],
)
def test_every_other_answer_is_refused_later_or_unknown(
    status: int, body: str, headers: dict[str, str], failure: Failure, account_wide: bool
) -> None:
    outcome = _outcome(Script(status, body, headers))
    assert isinstance(outcome, SendError)
    assert (outcome.failure, outcome.account_wide) == (failure, account_wide)
    assert outcome.status == status
    assert outcome.request_id == headers.get("x-line-request-id", "")


def test_a_refusal_speaks_in_lines_words_and_names_the_property() -> None:
    outcome = _outcome(Script(400, BAD, OWN_ID))
    assert str(outcome) == "LINE refused: 1 error (messages[0].text: empty)"
    assert isinstance(outcome, SendError)
    assert outcome.answer == json.loads(BAD)


def test_the_two_limits_are_told_apart() -> None:
    rate, monthly = (_outcome(Script(429, body, OWN_ID)) for body in (RATE, MONTHLY))
    assert isinstance(rate, SendError)
    assert isinstance(monthly, SendError)
    assert rate.after == 1.0
    assert monthly.after is None
    assert "monthly limit" in str(monthly)


def test_a_request_is_the_same_at_every_try_and_carries_key_and_token() -> None:
    script = Script(200, "{}", OWN_ID)
    _outcome(script)
    reordered = {"messages": [{"text": "hello", "type": "text"}]}
    _outcome(script, payload=reordered)
    (headers, body), (_headers, again) = script.log
    assert body == again
    assert json.loads(body) == {"to": GROUP, **PAYLOAD}
    assert headers["x-line-retry-key"] == str(KEY)
    assert headers["authorization"] == "Bearer token"
    assert "cookie" not in headers


def test_one_token_serves_senders_that_start_together() -> None:
    fake = LineFake()
    _with(fake, lambda adapter: asyncio.gather(*(_push(adapter) for _ in range(20))))
    assert len(fake.log) == 20
    assert fake.requests["/oauth2/v3/token"] == 1


def test_a_revoked_token_is_renewed_once_for_all_and_nobody_notices() -> None:
    fake = LineFake()

    async def scenario(adapter: LineAdapter) -> None:
        await _push(adapter)
        fake.revoke_tokens()
        await asyncio.gather(*(_push(adapter) for _ in range(20)))

    _with(fake, scenario)
    assert len(fake.log) == 21
    assert fake.requests["/oauth2/v3/token"] == 2


def test_a_token_is_replaced_before_it_expires() -> None:
    fake = LineFake()

    async def scenario(adapter: LineAdapter) -> None:
        await _push(adapter)
        clock[0] += line.TOKEN_SECONDS - 61
        await _push(adapter)
        assert fake.requests["/oauth2/v3/token"] == 1
        clock[0] += 2
        await _push(adapter)
        assert fake.requests["/oauth2/v3/token"] == 2

    clock = [0.0]
    _with(fake, scenario, clock=clock)


def test_wrong_credentials_stop_the_account() -> None:
    adapter = LineAdapter(LineConfig(line.CHANNEL_ID, "f" * 32))
    outcome = _outcome(LineFake(), adapter=adapter)
    assert isinstance(outcome, SendError)
    assert (outcome.failure, outcome.account_wide) == (Failure.REFUSED, True)
    assert "invalid clientSecret" in str(outcome)


@pytest.mark.parametrize(("status", "body"), [(500, "{}"), (429, RATE), (200, HTML), (200, "{}")])
def test_where_no_token_was_had_nothing_was_sent(status: int, body: str) -> None:
    script = Script(status, body, OWN_ID)
    adapter = LineAdapter(LineConfig(line.CHANNEL_ID, line.CHANNEL_SECRET))
    outcome = _outcome(script, adapter=adapter)
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.LATER
    assert len(script.log) == 1


def test_a_token_that_takes_too_long_is_nothing_sent() -> None:
    async def scenario(adapter: LineAdapter) -> None:
        adapter.timeout = 0.05
        with pytest.raises(SendError) as caught:
            await _push(adapter)
        assert caught.value.failure == Failure.LATER

    fake = LineFake(latency=0.3)
    _with(fake, scenario)
    assert fake.log == []


def test_a_sender_that_gives_up_leaves_the_token_to_the_others() -> None:
    async def scenario(adapter: LineAdapter) -> None:
        adapter.timeout = 0.03
        hasty = asyncio.create_task(_push(adapter))
        await asyncio.sleep(0)
        adapter.timeout = 5.0
        patient = asyncio.create_task(_push(adapter))
        with pytest.raises(SendError):
            await hasty
        await patient

    fake = LineFake(latency=0.1)
    _with(fake, scenario)
    assert fake.requests["/oauth2/v3/token"] == 1
    assert len(fake.log) == 1


def test_a_connection_that_does_not_come_about_in_time_is_nothing_sent() -> None:
    class Silent(aiohttp.ThreadedResolver):
        async def resolve(self, *_args: Any, **_more: Any) -> Any:
            await asyncio.sleep(5)

    async def scenario() -> SendError:
        connector = aiohttp.TCPConnector(resolver=Silent())
        async with aiohttp.ClientSession(connector=connector) as http:
            adapter = LineAdapter(LineConfig(access_token="token"), http)
            adapter.host, adapter.timeout = "http://line.example", 0.05
            with pytest.raises(SendError) as caught:
                await _push(adapter)
            return caught.value

    assert asyncio.run(scenario()).failure == Failure.LATER


def test_the_long_lived_token_is_used_as_it_is_and_not_renewed() -> None:
    fake = LineFake()
    adapter = LineAdapter(LineConfig(access_token=line.ACCESS_TOKEN))
    assert isinstance(_outcome(fake, adapter=adapter), Receipt)
    fake.revoke_tokens()
    outcome = _outcome(fake, adapter=LineAdapter(LineConfig(access_token=line.ACCESS_TOKEN)))
    assert isinstance(outcome, SendError)
    assert outcome.account_wide
    assert "/oauth2/v3/token" not in fake.requests


def test_text_and_pictures_become_lines_message_objects() -> None:
    picture = Picture("https://media.example/1.png", "https://media.example/1s.png")
    [part] = LineAdapter(LineConfig()).pack([Text("時間です 😀"), picture], spaced=False)
    assert part.payload == {
        "messages": [
            {"type": "text", "text": "時間です 😀"},
            {
                "type": "image",
                "originalContentUrl": "https://media.example/1.png",
                "previewImageUrl": "https://media.example/1s.png",
            },
        ]
    }


def test_seven_messages_are_two_requests_of_five_and_two() -> None:
    parts = LineAdapter(LineConfig()).pack([Text(str(n)) for n in range(7)], spaced=False)
    assert [len(part.payload["messages"]) for part in parts] == [5, 2]


@pytest.mark.parametrize(
    ("text", "length"), [("", 0), ("abc", 3), ("時間", 2), ("😀", 2), ("👨‍👩‍👧", 8), ("\ud83d", 1)]
)
def test_length_is_counted_in_utf_16_units(text: str, length: int) -> None:
    assert LineAdapter(LineConfig()).length(text) == length


@pytest.mark.parametrize(
    ("address", "is_good"),
    [
        ("U" + "0123456789abcdef" * 2, True),
        (GROUP, True),
        ("R" + "f" * 32, True),
        ("U" + "F" * 32, False),
        ("u" + "f" * 32, False),
        ("C" + "f" * 31, False),
        ("C" + "f" * 33, False),
        ("C" + "f" * 32 + "\n", False),
        ("X" + "f" * 32, False),
    ],
)
def test_an_address_is_a_letter_and_32_characters(address: str, is_good: bool) -> None:
    assert (LineAdapter(LineConfig()).address_problem(address) is None) == is_good


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        (LineConfig(), {"channel_id", "channel_secret"}),
        (LineConfig("1234567890"), {"channel_secret"}),
        (LineConfig("１２３", "s"), {"channel_id"}),
        (LineConfig("1234567890", "s"), set()),
        (LineConfig(access_token="abc/+="), set()),
        (LineConfig(access_token="abc\ndef"), {"access_token"}),
    ],
)
def test_an_account_needs_an_id_with_a_secret_or_a_token(
    config: LineConfig, fields: set[str]
) -> None:
    assert set(config.problems()) == fields


def _outcome(
    fake: Fake, *, adapter: LineAdapter | None = None, payload: dict[str, Any] = PAYLOAD
) -> Receipt | SendError:
    """What one push to this vendor comes to."""

    async def scenario() -> Receipt | SendError:
        sender = adapter or LineAdapter(LineConfig(access_token="token"))
        async with serving(fake) as url, open_session(guarded=False) as http:
            sender.host, sender._http = url, http
            try:
                return await sender.send(ROOM, payload, KEY)
            except SendError as error:
                return error

    return asyncio.run(scenario())


def _with(
    fake: LineFake,
    scenario: Callable[[LineAdapter], Awaitable[Any]],
    clock: list[float] | None = None,
) -> None:
    """Run the scenario with an adapter before this fake. `clock`: seconds to put its loop on."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        if clock is not None:
            started = loop.time
            loop.time = lambda: started() + clock[0]  # type: ignore[method-assign]
        async with serving(fake) as url, open_session(guarded=False) as http:
            await scenario(line_adapter(url, http))

    asyncio.run(run())


async def _push(adapter: LineAdapter) -> Receipt:
    return await adapter.send(ROOM, PAYLOAD, uuid4())
