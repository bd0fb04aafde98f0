"""Where LINE calls us: believed by its signature, stored once, answered before any work."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels.adapters.line_events import sign
from channels.inbound import MOST_BYTES
from channels.models import Account, InboundEvent

pytestmark = pytest.mark.django_db

SECRET = "0123456789abcdef0123456789abcdef"
GROUP = "C" + "1" * 32


@pytest.fixture
def line(world) -> Account:
    account = Account(unit=world.hq, name="LINE", kind="line", config={"channel_id": "1234"})
    account.secrets = {"channel_secret": SECRET}
    account.save()
    return account


def event(number: int = 1, kind: str = "join", **values) -> dict:
    return {
        "type": kind,
        "webhookEventId": f"01H{number:023d}",
        "timestamp": 1772442000000 + number,
        "source": {"type": "group", "groupId": GROUP},
    } | values


@pytest.fixture
def call(client, line):
    """Call as LINE would, with these events."""

    def post(*events, body: bytes | None = None, **headers):
        raw = json.dumps({"events": events}).encode() if body is None else body
        given = {"x-line-signature": sign(SECRET, raw)} | headers
        url = reverse("hear", args=[line.hook])
        return client.post(url, raw, content_type="application/json", headers=given)

    return post


def test_what_line_has_signed_is_stored(call, line):
    assert call(event()).status_code == 200
    stored = InboundEvent.objects.get()
    assert (stored.account, stored.kind, stored.address) == (line, "joined", GROUP)
    assert stored.taken_in_at is None


def test_the_question_whether_we_are_there_is_answered(call):
    assert call().status_code == 200
    assert not InboundEvent.objects.exists()


def test_an_event_that_is_told_twice_is_stored_once(call):
    call(event(1))
    assert call(event(1), event(2)).status_code == 200
    assert InboundEvent.objects.count() == 2


def test_the_name_of_the_header_may_be_written_in_any_case(client, line):
    body = json.dumps({"events": [event()]}).encode()
    headers = {"X-Line-Signature": sign(SECRET, body)}
    url = reverse("hear", args=[line.hook])
    assert client.post(url, body, "application/json", headers=headers).status_code == 200


@pytest.mark.parametrize("signature", ["", "AAAA", "é", sign("another secret", b"{}")])
def test_what_is_not_signed_by_line_is_not_believed(call, signature):
    assert call(event(), **{"x-line-signature": signature}).status_code == 403
    assert not InboundEvent.objects.exists()


def test_the_signature_is_of_the_raw_body(call):
    raw = json.dumps({"events": [event()]}).encode()
    assert call(body=raw + b" ", **{"x-line-signature": sign(SECRET, raw)}).status_code == 403


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"\xff", b'{"events": 1}', b'{"events": [{}]}', b'{"events": ["x"]}'],
)
def test_a_body_that_is_none_of_lines_is_refused_without_a_fault(call, body):
    assert call(body=body).status_code == 403


def test_an_unknown_address_tells_nothing(client, line):
    url = reverse("hear", args=["00000000-0000-4000-8000-000000000000"])
    assert client.post(url, b"{}", "application/json").status_code == 404


def test_an_inactive_account_hears_nothing(call, line):
    Account.objects.update(is_active=False)
    assert call(event()).status_code == 404


def test_a_channel_that_does_not_call_us_is_not_believed(client, world):
    url = reverse("hear", args=[world.sandbox.hook])
    assert client.post(url, b"{}", "application/json").status_code == 403


def test_only_posts_are_heard(client, line):
    assert client.get(reverse("hear", args=[line.hook])).status_code == 405


def test_a_huge_body_is_refused(call):
    assert call(body=b" " * (MOST_BYTES + 1)).status_code == 413


def test_too_many_events_are_refused_as_a_whole(call):
    assert call(*(event(number) for number in range(1001))).status_code == 413
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize("timestamp", [1e30, -1e30, 0])
def test_an_impossible_time_is_no_fault(call, timestamp):
    assert call(event(timestamp=timestamp)).status_code == 200


@pytest.mark.parametrize("text", ["a\x00b", "\ud83d", {"\x00": ["\udc00"]}])
def test_what_postgresql_cannot_store_is_left_out_of_what_is_told(call, text):
    assert call(event(1, message={"text": text}), event(2)).status_code == 200
    assert InboundEvent.objects.count() == 2


def test_the_same_queries_for_one_event_and_for_thirty(call):
    asked = []
    for count in (1, 30):
        with CaptureQueriesContext(connection) as queries:
            call(*(event(count * 100 + number) for number in range(count)))
        asked.append(len(queries))
    assert asked[0] == asked[1]
