"""The fake is trusted by many tests: here the official SDK says whether it is like LINE."""

import asyncio
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from linebot.v3.messaging import (
    ApiClient,
    ApiException,
    Configuration,
    MessagingApi,
    MulticastRequest,
    PushMessageRequest,
    TextMessage,
)

from tests.fakes.line import ACCESS_TOKEN, CHANNEL_ID, CHANNEL_SECRET, PUSH, LineFake
from tests.fakes.serving import in_thread, serving

KEY = "5f0c1a52-7a63-5f9e-9d6b-0f6f2f0c9a11"
USER = "U" + "0" * 32
GROUP = "C" + "0" * 32


@pytest.fixture
def fake() -> LineFake:
    return LineFake(now=lambda: clock[0])


@pytest.fixture(autouse=True)
def _start_of_time() -> None:
    clock[0] = 1_767_225_600.0


clock = [0.0]


@pytest.fixture
def api(fake: LineFake) -> Iterator[MessagingApi]:
    with in_thread(fake) as url:
        client = ApiClient(Configuration(host=url, access_token=ACCESS_TOKEN))
        yield MessagingApi(client)
        client.rest_client.pool_manager.clear()


def test_a_push_is_accepted_and_logged(fake: LineFake, api: MessagingApi) -> None:
    answer = _push(api, key=KEY)
    assert len(answer.sent_messages) == 1
    [entry] = fake.log
    assert (entry.key, entry.to, entry.at) == (KEY, USER, clock[0])
    assert entry.messages == [{"type": "text", "text": "hello"}]


def test_a_key_is_taken_once_in_24_hours(fake: LineFake, api: MessagingApi) -> None:
    answer = _push(api, key=KEY)
    clock[0] += 24 * 3600 - 1
    with pytest.raises(ApiException) as caught:
        _push(api, key=KEY)
    assert caught.value.status == 409
    assert caught.value.headers["x-line-accepted-request-id"] == fake.log[0].request_id
    assert json.loads(caught.value.body)["sentMessages"][0]["id"] == answer.sent_messages[0].id
    assert len(fake.log) == 1
    clock[0] += 1
    _push(api, key=KEY)
    assert len(fake.log) == 2


def test_a_bucket_holds_one_second(fake: LineFake, api: MessagingApi) -> None:
    for _ in range(200):
        _multicast(api)
    with pytest.raises(ApiException) as caught:
        _multicast(api)
    assert caught.value.status == 429
    _push(api)  # each endpoint has a bucket of its own
    clock[0] += 0.01
    _multicast(api)
    with pytest.raises(ApiException):
        _multicast(api)


def test_a_spent_quota_refuses_and_a_group_costs_its_members(
    fake: LineFake, api: MessagingApi
) -> None:
    fake.quota, fake.members = 10, {GROUP: 9}
    _push(api, to=GROUP)
    assert api.get_message_quota().value == 10
    assert api.get_message_quota_consumption().total_usage == 9
    with pytest.raises(ApiException) as caught:
        _multicast(api, users=2)
    assert json.loads(caught.value.body)["message"] == "You have reached your monthly limit."
    assert len(fake.log) == 1


def test_a_group_without_the_bot_is_not_there(fake: LineFake, api: MessagingApi) -> None:
    assert api.get_group_member_count(GROUP).count == 5
    assert api.get_group_summary(GROUP).group_id == GROUP
    fake.left.add(GROUP)
    with pytest.raises(ApiException) as caught:
        api.get_group_summary(GROUP)
    assert caught.value.status == 404


@pytest.mark.parametrize(
    ("messages", "named"),
    [
        ([], "messages"),
        ([{"type": "text", "text": "x"}] * 6, "messages"),
        ([{"type": "text", "text": ""}], "messages[0].text"),
        ([{"type": "text", "text": "x" * 5001}], "messages[0].text"),
        ([{"type": "text", "text": "😀" * 2501}], "messages[0].text"),
        ([{"type": "cake"}], "messages[0].type"),
        ([{"type": "image", "originalContentUrl": "http://a/"}], "messages[0].originalContentUrl"),
    ],
)
def test_bad_messages_are_refused_by_name_and_use_up_no_key(
    fake: LineFake, messages: list[dict[str, Any]], named: str
) -> None:
    status, answer = _raw(fake, {"to": USER, "messages": messages})
    assert status == 400
    assert answer["details"][0]["property"] == named
    good = [{"type": "text", "text": "😀" * 2500}]
    assert _raw(fake, {"to": USER, "messages": good})[0] == 200


def test_a_token_ends_after_15_minutes(fake: LineFake) -> None:
    async def scenario() -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": CHANNEL_ID,
            "client_secret": CHANNEL_SECRET,
        }
        async with serving(fake) as url, aiohttp.ClientSession() as http:
            async with http.post(f"{url}/oauth2/v3/token", data=form) as response:
                token = (await response.json())["access_token"]
            quota = f"{url}/v2/bot/message/quota"
            headers = {"Authorization": f"Bearer {token}"}
            clock[0] += 899
            async with http.get(quota, headers=headers) as response:
                assert response.status == 200
            clock[0] += 1
            async with http.get(quota, headers=headers) as response:
                assert response.status == 401

    asyncio.run(scenario())


def test_a_fault_is_for_so_many_requests_to_one_address(fake: LineFake, api: MessagingApi) -> None:
    fake.faults.add("5xx_after", times=2, to=GROUP)
    _push(api)
    for _ in range(2):
        with pytest.raises(ApiException) as caught:
            _push(api, to=GROUP)
        assert caught.value.status == 500
    _push(api, to=GROUP)
    assert [entry.to for entry in fake.log] == [USER, GROUP, GROUP, GROUP]


@pytest.mark.processes
def test_as_a_process_it_says_when_it_is_ready_and_is_told_over_http() -> None:
    command = [sys.executable, "-m", "tests.fakes.line", "--port", "0", "--latency-ms", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        word, port = process.stdout.readline().decode().split()
        assert word == "ready"
        base = f"http://127.0.0.1:{port}"
        _http("POST", f"{base}/_fake/faults", {"kind": "5xx_before", "times": 1})
        body = {"to": USER, "messages": [{"type": "text", "text": "hello"}]}
        headers = {"Authorization": f"Bearer {ACCESS_TOKEN}", "X-Line-Retry-Key": KEY}
        with pytest.raises(urllib.error.HTTPError) as caught:
            _http("POST", base + PUSH, body, headers)
        caught.value.close()
        _http("POST", base + PUSH, body, headers)
        [entry] = _http("GET", f"{base}/_fake/log")
        assert (entry["key"], entry["to"]) == (KEY, USER)
        assert _http("GET", f"{base}/_fake/stats") == {"accepted": 1, "keys": 1}
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == b""
    assert process.returncode == 0


def _push(api: MessagingApi, to: str = USER, key: str | None = None) -> Any:
    request = PushMessageRequest(to=to, messages=[TextMessage(text="hello")])
    return api.push_message(request, x_line_retry_key=key, _request_timeout=60)


def _multicast(api: MessagingApi, users: int = 1) -> Any:
    to = [f"U{number:032x}" for number in range(users)]
    request = MulticastRequest(to=to, messages=[TextMessage(text="hello")])
    return api.multicast(request, _request_timeout=60)


def _raw(fake: LineFake, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    async def scenario() -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {ACCESS_TOKEN}", "X-Line-Retry-Key": KEY}
        async with (
            serving(fake) as url,
            aiohttp.ClientSession() as http,
            http.post(url + PUSH, json=body, headers=headers) as response,
        ):
            return response.status, await response.json()

    return asyncio.run(scenario())


def _http(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.loads(response.read())
