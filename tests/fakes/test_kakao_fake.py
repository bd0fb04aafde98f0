"""The fake of Kakao: what it keeps in mind between requests."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.kakao import (
    ACCESS_SECONDS,
    CLIENT_ID,
    DAY,
    FRIEND,
    OTHER_FRIEND,
    REFRESH_TOKEN,
    TO_FRIENDS,
    TO_ME,
    TOKEN,
    KakaoFake,
)
from tests.fakes.serving import in_thread

TEMPLATE = {"object_type": "text", "text": "정각입니다", "link": {}}


@pytest.fixture
def clock() -> list[float]:
    return [1_767_225_600.0]


@pytest.fixture
def fake(clock: list[float]) -> KakaoFake:
    return KakaoFake(now=lambda: clock[0])


@pytest.fixture
def url(fake: KakaoFake) -> Iterator[str]:
    with in_thread(fake) as url:
        yield url


def test_an_access_token_has_a_life(fake: KakaoFake, url: str, clock: list[float]) -> None:
    token = _token(url)["access_token"]
    assert _post(url + TO_ME, token) == (200, {"result_code": 0})
    clock[0] += ACCESS_SECONDS
    assert _post(url + TO_ME, token)[0] == 401
    assert _post(url + TO_ME, "of somebody else")[1]["code"] == -401
    assert [entry.to for entry in fake.log] == ["me"]


def test_a_refresh_token_is_replaced_in_its_last_month_only(
    fake: KakaoFake, url: str, clock: list[float]
) -> None:
    clock[0] += 30 * DAY
    assert "refresh_token" not in _token(url)
    clock[0] += 1
    newer = _token(url)["refresh_token"]
    assert _token(url)["error_code"] == "KOE322"
    assert "access_token" in _token(url, newer)


def test_several_friends_are_answered_one_by_one_within_a_200(fake: KakaoFake, url: str) -> None:
    fake.friends[OTHER_FRIEND] = False
    status, answer = _post(url + TO_FRIENDS, _token(url)["access_token"], [FRIEND, OTHER_FRIEND])
    assert status == 200
    assert answer["successful_receiver_uuids"] == [FRIEND]
    [failure] = answer["failure_info"]
    assert (failure["code"], failure["receiver_uuids"]) == (-530, [OTHER_FRIEND])
    assert [entry.to for entry in fake.log] == [FRIEND]


@pytest.mark.parametrize(
    "template",
    [{}, {**TEMPLATE, "text": "가" * 201}, {**TEMPLATE, "text": ""}, {**TEMPLATE, "link": None}],
)
def test_what_is_no_template_is_not_accepted(
    fake: KakaoFake, url: str, template: dict[str, Any]
) -> None:
    token = _token(url)["access_token"]
    assert _post(url + TO_ME, token, template=template)[1]["code"] == -2
    assert fake.log == []


@pytest.mark.parametrize("count", [0, 6])
def test_a_request_names_one_to_five_friends(fake: KakaoFake, url: str, count: int) -> None:
    status, answer = _post(url + TO_FRIENDS, _token(url)["access_token"], [FRIEND] * count)
    assert (status, answer["code"]) == (400, -2)
    assert fake.log == []


def _token(url: str, refresh_token: str = REFRESH_TOKEN) -> dict[str, Any]:
    form = {
        "grant_type": "refresh_token",
        "client_id": CLIENT_ID,
        "refresh_token": refresh_token,
    }
    return _ask(url + TOKEN, form, {})[1]


def _post(
    url: str,
    token: str,
    receivers: list[str] | None = None,
    template: dict[str, Any] = TEMPLATE,
) -> tuple[int, dict[str, Any]]:
    form = {"template_object": json.dumps(template)}
    if receivers is not None:
        form["receiver_uuids"] = json.dumps(receivers)
    return _ask(url, form, {"Authorization": f"Bearer {token}"})


def _ask(url: str, form: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    body = urllib.parse.urlencode(form).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
