"""The signed webhook: its signature, its answers, its connections."""

import asyncio
import time
from email.utils import formatdate
from typing import Any
from uuid import UUID, uuid4

import pytest

from channels.adapters.base import Failure, Receipt, SendError, Target
from channels.adapters.webhook import WebhookAdapter, WebhookConfig, sign, verify
from channels.http import open_session
from channels.outgoing import networks
from tests.channels.adapters.cases import keyed_webhook_adapter, webhook_adapter
from tests.fakes.serving import serving
from tests.fakes.webhook import SECRET, WebhookFake

KEY = UUID("5f0c1a52-7a63-5f9e-9d6b-0f6f2f0c9a11")
PAYLOAD = {"messages": [{"type": "text", "text": "時間です"}]}
LOBBY = Target("lobby")
NOW = 1_767_225_600.0
BODY = b'{"key":"1"}'
STAMP = "1767225600"


def test_the_signature_is_the_documented_one() -> None:
    # From: printf '1767225600.{"key":"1"}' | openssl dgst -sha256 -hmac "correct horse battery"
    digest = "d2286d1fff612dc9535cae704902a1077999bc943cf9dfe6a7cd89a77bfb9203"
    assert sign("correct horse battery", STAMP, BODY) == f"v1={digest}"


@pytest.mark.parametrize(
    ("timestamp", "body", "secret", "now", "is_good"),
    [
        (STAMP, BODY, SECRET, NOW, True),
        (STAMP, BODY, SECRET, NOW + 300, True),
        (STAMP, BODY, SECRET, NOW - 300, True),
        (STAMP, BODY, SECRET, NOW + 301, False),
        (STAMP, BODY, SECRET, NOW - 301, False),
        (STAMP, BODY + b" ", SECRET, NOW, False),
        (STAMP, BODY, SECRET + "x", NOW, False),
        ("1767225601", BODY, SECRET, NOW, False),
        ("", BODY, SECRET, NOW, False),
        ("-1", BODY, SECRET, NOW, False),
        ("١", BODY, SECRET, NOW, False),
        ("9" * 5000, BODY, SECRET, NOW, False),
    ],
)
def test_only_a_fresh_signature_over_this_body_is_verified(
    timestamp: str, body: bytes, secret: str, now: float, is_good: bool
) -> None:
    assert verify(secret, timestamp, body, sign(SECRET, STAMP, BODY), now) == is_good


@pytest.mark.parametrize("signature", ["", "v1=", "v1=é", "v2=" + "0" * 64])
def test_what_is_no_signature_is_not_verified(signature: str) -> None:
    assert not verify(SECRET, STAMP, BODY, signature, NOW)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_accepts(status: int) -> None:
    outcome = _outcome(_answering(status))
    assert isinstance(outcome, Receipt)
    assert outcome.status == status


@pytest.mark.parametrize(
    ("status", "headers", "failure", "after"),
    [
        (301, {"Location": "https://elsewhere.example/"}, Failure.REFUSED, None),
        (307, {"Location": "http://169.254.169.254/"}, Failure.REFUSED, None),
        (400, {}, Failure.REFUSED, None),
        (404, {"Retry-After": "5"}, Failure.REFUSED, None),
        (408, {}, Failure.UNKNOWN, None),
        (409, {}, Failure.REFUSED, None),
        (410, {}, Failure.REFUSED, None),
        (429, {}, Failure.LATER, None),
        (429, {"Retry-After": "12"}, Failure.LATER, 12.0),
        (429, {"Retry-After": "-12"}, Failure.LATER, None),
        (429, {"Retry-After": "9999999999"}, Failure.LATER, 3600.0),
        (429, {"Retry-After": formatdate(0, usegmt=True)}, Failure.LATER, 0.0),
        (503, {"Retry-After": "12"}, Failure.LATER, 12.0),
        (503, {"Retry-After": "soon"}, Failure.UNKNOWN, None),
        (503, {}, Failure.UNKNOWN, None),
        (500, {}, Failure.UNKNOWN, None),
    ],
)
def test_every_other_answer_is_refused_later_or_unknown(
    status: int, headers: dict[str, str], failure: Failure, after: float | None
) -> None:
    outcome = _outcome(_answering(status, headers))
    assert isinstance(outcome, SendError)
    assert (outcome.failure, outcome.after, outcome.status) == (failure, after, status)


def test_retry_after_may_be_a_date() -> None:
    at = formatdate(time.time() + 60, usegmt=True)
    outcome = _outcome(_answering(503, {"Retry-After": at}))
    assert isinstance(outcome, SendError)
    assert outcome.after == pytest.approx(60, abs=2)


def test_that_date_is_one_of_the_engines_clock_whatever_this_machines_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ahead = time.time() + 200  # seconds; a signature of 300 would be too old for the receiver
    monkeypatch.setattr(WebhookAdapter, "now", staticmethod(lambda: ahead))
    outcome = _outcome(_answering(503, {"Retry-After": formatdate(ahead + 60, usegmt=True)}))
    assert isinstance(outcome, SendError)
    assert outcome.after == pytest.approx(60, abs=2)


def test_a_redirect_says_that_it_is_not_followed() -> None:
    outcome = _outcome(_answering(308, {"Location": "https://elsewhere.example/"}))
    assert "not followed" in str(outcome)


def test_a_key_that_is_still_being_processed_is_asked_again() -> None:
    outcome = _outcome(_answering(409), keyed=True)
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.UNKNOWN


def test_the_answer_is_kept_as_evidence() -> None:
    assert _outcome(WebhookFake()) == Receipt(200, answer={"body": '{"ok": true}'})


def test_of_a_huge_answer_only_the_beginning_is_kept() -> None:
    fake = WebhookFake()
    fake.faults.add("huge_body")
    outcome = _outcome(fake)
    assert isinstance(outcome, Receipt)
    assert len(outcome.answer["body"]) == 2000


def test_a_2xx_counts_though_the_rest_of_the_answer_never_comes() -> None:
    fake = WebhookFake()
    fake.faults.add("slow_drip", seconds=5.0)
    assert _outcome(fake, timeout=2.0) == Receipt(200)


def test_each_request_has_a_connection_of_its_own() -> None:
    fake = WebhookFake()

    async def scenario() -> None:
        session = open_session(guarded=True, allowed=networks(["127.0.0.1"]))
        async with serving(fake) as url, session as http:
            for _ in range(3):
                await webhook_adapter(url, http).send(LOBBY, PAYLOAD, uuid4())

    asyncio.run(scenario())
    assert len(fake.connections) == 3


def test_an_error_never_repeats_the_url() -> None:
    async def scenario(fault: str) -> str:
        fake = WebhookFake()
        fake.faults.add(fault)
        session = open_session(guarded=True, allowed=networks(["127.0.0.1"]))
        async with serving(fake) as url, session as http:
            adapter = WebhookAdapter(WebhookConfig(f"{url}/?token=hidden", SECRET), http)
            adapter.timeout = 0.1
            with pytest.raises(SendError) as caught:
                await adapter.send(LOBBY, PAYLOAD, KEY)
            return str(caught.value)

    for fault in ("reset", "accept_then_drop", "hang_never_accept", "5xx_before", "429_rate"):
        message = asyncio.run(scenario(fault))
        assert "hidden" not in message
        assert "127.0.0.1" not in message


def test_a_private_address_is_refused_and_the_url_is_not_repeated() -> None:
    fake = WebhookFake()
    outcome = _outcome(fake, allowed=[])
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.REFUSED
    assert str(outcome) == "This URL does not lead to a public address."
    assert fake.log == []


@pytest.mark.parametrize("url", ["ftp://example.com/", "https://", "https://[::1", "nonsense"])
def test_what_is_no_url_is_refused(url: str) -> None:
    async def scenario() -> None:
        async with open_session(guarded=True) as http:
            adapter = WebhookAdapter(WebhookConfig(url, SECRET), http)
            with pytest.raises(SendError) as caught:
                await adapter.send(LOBBY, PAYLOAD, KEY)
            assert caught.value.failure == Failure.REFUSED

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("address", "is_good"),
    [("lobby", True), ("로비 1", True), ("x" * 200, True), ("x" * 201, False), ("a\nb", False)],
)
def test_a_room_is_a_printable_name(address: str, is_good: bool) -> None:
    assert (WebhookAdapter(WebhookConfig()).address_problem(address) is None) == is_good


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        (WebhookConfig(), {"url", "secret"}),
        (WebhookConfig("https://example.com/", "short"), {"secret"}),
        (WebhookConfig("https://example.com/", SECRET), set()),
    ],
)
def test_an_account_needs_a_url_and_a_secret(config: WebhookConfig, fields: set[str]) -> None:
    assert set(config.problems()) == fields


def _answering(status: int, headers: dict[str, str] | None = None) -> WebhookFake:
    fake = WebhookFake()
    fake.status = status
    fake.headers = headers or {}
    return fake


def _outcome(
    fake: WebhookFake,
    *,
    keyed: bool = False,
    timeout: float = 5.0,
    allowed: Any = ("127.0.0.1/32",),
) -> Receipt | SendError:
    """What one send to this receiver comes to."""

    async def scenario() -> Receipt | SendError:
        session = open_session(guarded=True, allowed=networks(allowed))
        async with serving(fake) as url, session as http:
            adapter = (keyed_webhook_adapter if keyed else webhook_adapter)(url, http)
            adapter.timeout = timeout
            try:
                return await adapter.send(LOBBY, PAYLOAD, KEY)
            except SendError as error:
                return error

    return asyncio.run(scenario())
