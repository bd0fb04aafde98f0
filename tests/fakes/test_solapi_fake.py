"""The fake of Solapi: what it keeps in mind between requests."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from channels.adapters.solapi_signature import authorization
from tests.fakes.serving import in_thread
from tests.fakes.solapi import API_KEY, API_SECRET, SENDER, SolapiFake

NUMBER = "01012345678"
MESSAGE = {"to": NUMBER, "from": SENDER, "text": "hello"}


@pytest.fixture
def clock() -> list[float]:
    return [1_767_225_600.0]


@pytest.fixture
def fake(clock: list[float]) -> SolapiFake:
    return SolapiFake(balance=100, now=lambda: clock[0])


@pytest.fixture
def call(fake: SolapiFake, clock: list[float]) -> Iterator[Any]:
    """Ask for a path; gives the status and what was said."""
    with in_thread(fake) as url:

        def ask(method: str, path: str, body: Any = None, salt: str = "") -> tuple[int, Any]:
            header = authorization(API_KEY, API_SECRET, clock[0], salt)
            return _http(method, f"{url}/messages/v4/{path}", body, header)

        yield ask


def test_a_signature_is_good_once_in_15_minutes(call: Any, clock: list[float]) -> None:
    assert call("POST", "groups", {}, "0123456789ab")[0] == 200
    status, said = call("POST", "groups", {}, "0123456789ab")
    assert (status, said["errorCode"]) == (403, "DuplicatedSignature")
    clock[0] += 1  # the date is signed, too
    assert call("POST", "groups", {}, "0123456789ab")[0] == 200


def test_a_group_is_released_once_and_costs_once(call: Any, fake: SolapiFake) -> None:
    group = call("POST", "groups", {"customFields": {"teiji_key": "k"}})[1]["groupId"]
    call("PUT", f"groups/{group}/messages", {"messages": [MESSAGE]})
    assert call("POST", f"groups/{group}/send")[1]["status"] == "SENDING"
    assert call("POST", f"groups/{group}/send")[1]["errorCode"] == "GroupInProcessing"
    fake.complete()
    assert call("POST", f"groups/{group}/send")[1]["errorCode"] == "AlreadySent"
    assert fake.balance == 80
    [entry] = fake.log
    assert (entry.key, entry.to, entry.messages) == ("k", NUMBER, [{"text": "hello"}])


def test_a_deleted_group_is_never_released(call: Any, fake: SolapiFake) -> None:
    group = call("POST", "groups", {})[1]["groupId"]
    call("PUT", f"groups/{group}/messages", {"messages": [MESSAGE]})
    assert call("DELETE", f"groups/{group}")[1]["dateSent"] is None
    assert call("POST", f"groups/{group}/send")[1]["errorCode"] == "DeletedGroup"
    assert fake.log == []


def test_a_number_is_taken_twice_only_where_duplicates_are_allowed(call: Any) -> None:
    for allowed, code in [(False, "1026"), (True, "2000")]:
        group = call("POST", "groups", {"allowDuplicates": allowed})[1]["groupId"]
        said = call("PUT", f"groups/{group}/messages", {"messages": [MESSAGE, MESSAGE]})[1]
        assert [one["statusCode"] for one in said["resultList"]] == ["2000", code]


def test_a_request_takes_10_000_numbers(call: Any) -> None:
    group = call("POST", "groups", {})[1]["groupId"]
    message = MESSAGE | {"to": [f"010{number:08}" for number in range(10_001)]}
    assert call("PUT", f"groups/{group}/messages", {"messages": [message]})[0] == 413


@pytest.mark.parametrize(
    ("text", "code"),
    [("가" * 1000, "2000"), ("가" * 1001, "1031"), ("", "1031"), ("😀", "1029")],
)
def test_texts_are_counted_in_the_bytes_of_their_encoding(call: Any, text: str, code: str) -> None:
    group = call("POST", "groups", {})[1]["groupId"]
    message = MESSAGE | {"text": text}
    said = call("PUT", f"groups/{group}/messages", {"messages": [message]})[1]
    assert said["resultList"][0]["statusCode"] == code


def _http(method: str, url: str, body: Any, authorization: str) -> tuple[int, Any]:
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Authorization": authorization}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())
