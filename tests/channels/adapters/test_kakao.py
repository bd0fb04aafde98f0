"""KakaoTalk's message API: what each answer means, tokens, and texts as Kakao wants them."""

import json
from urllib.parse import parse_qs

import pytest

from channels.adapters.base import Bubble, Failure, Picture, Receipt, SendError, Target, Text
from channels.adapters.kakao import KakaoAdapter, KakaoConfig
from schedules.content import Content, ContentImage, problems
from tests.channels.adapters.kakao_stage import (
    A_FRIEND,
    CONFIG,
    LINK,
    ME,
    OK_ME,
    PAYLOAD,
    Script,
    error,
    outcome_of,
    send_to_me,
    with_adapter,
)
from tests.fakes.kakao import DAY, FRIEND, OTHER_FRIEND, TO_FRIENDS, TO_ME, KakaoFake
from tests.fakes.wire import Request

HTML = "<html>Sign in to the network</html>"
OK_FRIEND = json.dumps({"successful_receiver_uuids": [FRIEND]})
OK_OTHER = json.dumps({"successful_receiver_uuids": [OTHER_FRIEND]})


def failed(code: int | str, uuid: str = FRIEND, successful: list[str] | None = None) -> str:
    """What Kakao says within a 200."""
    entry = {"code": code, "msg": "no", "receiver_uuids": [uuid]}
    return json.dumps({"successful_receiver_uuids": successful or [], "failure_info": [entry]})


@pytest.mark.parametrize(("target", "body"), [(ME, OK_ME), (A_FRIEND, OK_FRIEND)])
def test_an_acceptance_keeps_kakaos_words(target: Target, body: str) -> None:
    outcome = outcome_of(Script(200, body), target)
    assert outcome == Receipt(200, answer=json.loads(body))


@pytest.mark.parametrize(
    ("target", "body"),
    [
        (ME, HTML),
        (ME, ""),
        (ME, "[]"),
        (ME, "{}"),
        (ME, '{"result_code": -1}'),
        (ME, '{"result_code": '),
        (ME, OK_FRIEND),
        (A_FRIEND, OK_ME),
        (A_FRIEND, "{}"),
        (A_FRIEND, '{"successful_receiver_uuids": []}'),
        (A_FRIEND, '{"successful_receiver_uuids": null, "failure_info": 7}'),
        (A_FRIEND, '{"failure_info": ["no", {"code": -530}]}'),
        (A_FRIEND, OK_OTHER),
        (A_FRIEND, failed(-530, OTHER_FRIEND)),
        (A_FRIEND, failed(-530, successful=[FRIEND])),
    ],
)
def test_a_200_that_does_not_say_it_of_the_recipient_is_unknown(target: Target, body: str) -> None:
    outcome = outcome_of(Script(200, body), target)
    assert isinstance(outcome, SendError)
    assert (outcome.failure, outcome.status) == (Failure.UNKNOWN, 200)


@pytest.mark.parametrize(
    ("status", "body", "failure", "account_wide"),
    [
        (302, "", Failure.UNKNOWN, False),
        (400, error(-1), Failure.UNKNOWN, False),
        (400, error(-2), Failure.REFUSED, False),
        (400, error(-7), Failure.UNKNOWN, False),
        (400, error(-10), Failure.LATER, False),
        (400, error(-402), Failure.REFUSED, True),
        (400, error(-502), Failure.REFUSED, False),
        (400, error(-530), Failure.REFUSED, False),
        (400, error(-531), Failure.REFUSED, True),
        (400, error(-532), Failure.REFUSED, True),
        (400, error(-533), Failure.REFUSED, False),
        (400, error(-536), Failure.REFUSED, False),
        (400, error(-603), Failure.UNKNOWN, False),
        (400, '{"code": [], "msg": {}}', Failure.REFUSED, False),
        (401, error(-401), Failure.REFUSED, True),
        (401, HTML, Failure.REFUSED, True),
        (403, error(-402), Failure.REFUSED, True),
        (403, error(-5), Failure.REFUSED, False),
        (404, HTML, Failure.REFUSED, False),
        (408, "", Failure.UNKNOWN, False),
        (413, HTML, Failure.REFUSED, False),
        (429, "", Failure.LATER, False),
        (500, error(-1), Failure.UNKNOWN, False),
        (502, HTML, Failure.UNKNOWN, False),
        (503, error(-9798), Failure.UNKNOWN, False),
        (500, OK_ME, Failure.UNKNOWN, False),
    ],
)
@pytest.mark.parametrize("target", [ME, A_FRIEND], ids=["me", "friend"])
def test_every_other_answer_is_refused_later_or_unknown(
    target: Target, status: int, body: str, failure: Failure, account_wide: bool
) -> None:
    outcome = outcome_of(Script(status, body), target)
    assert isinstance(outcome, SendError)
    assert (outcome.failure, outcome.account_wide) == (failure, account_wide)
    assert outcome.status == status


@pytest.mark.parametrize(
    ("code", "failure", "account_wide"),
    [
        (-502, Failure.REFUSED, False),
        (-530, Failure.REFUSED, False),
        (-532, Failure.REFUSED, True),
        (-533, Failure.REFUSED, False),
        (-536, Failure.REFUSED, False),
        (-10, Failure.LATER, False),
        (-1, Failure.UNKNOWN, False),
        ("odd", Failure.REFUSED, False),
    ],
)
def test_a_refusal_of_the_recipient_may_stand_in_a_200(
    code: int | str, failure: Failure, account_wide: bool
) -> None:
    outcome = outcome_of(Script(200, failed(code)), A_FRIEND)
    assert isinstance(outcome, SendError)
    assert (outcome.failure, outcome.account_wide) == (failure, account_wide)
    assert outcome.answer == json.loads(failed(code))


def test_a_refusal_says_why_in_our_words_and_in_kakaos() -> None:
    outcome = outcome_of(Script(400, error(-530)), A_FRIEND)
    assert str(outcome) == "The recipient does not want messages of this app: no (-530)"
    assert str(outcome_of(Script(413, HTML))) == "Kakao refused: no reason given (HTTP 413)"


def test_a_request_to_me_has_a_template_and_a_token() -> None:
    script = Script(200, OK_ME)
    outcome_of(script)
    [request] = script.log
    assert (request.method, request.path) == ("POST", TO_ME)
    assert request.headers["authorization"] == "Bearer t1"
    assert request.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert {name: json.loads(value) for name, [value] in _form(request).items()} == {
        "template_object": PAYLOAD["messages"][0]
    }


def test_a_request_to_a_friend_names_that_friend_alone() -> None:
    script = Script(200, OK_FRIEND)
    outcome_of(script, A_FRIEND)
    [request] = script.log
    assert request.path == TO_FRIENDS
    assert {name: json.loads(value) for name, [value] in _form(request).items()} == {
        "receiver_uuids": [FRIEND],
        "template_object": PAYLOAD["messages"][0],
    }


def test_a_redirect_is_not_followed() -> None:
    script = Script(307, "", {"Location": "/elsewhere"})
    outcome = outcome_of(script)
    assert isinstance(outcome, SendError)
    assert (outcome.failure, outcome.status) == (Failure.UNKNOWN, 307)
    assert [request.path for request in script.log] == [TO_ME]


def test_each_request_has_a_connection_of_its_own_and_says_so() -> None:
    async def scenario(adapter: KakaoAdapter) -> None:
        for _ in range(3):
            await send_to_me(adapter)

    fake, script = KakaoFake(), Script(200, OK_ME)
    with_adapter(fake, scenario)
    assert len(fake.connections) == 4  # one for the token
    outcome_of(script)
    assert script.log[0].headers["connection"] == "close"


def test_consent_and_friendship_and_wishes_are_asked_of_kakao() -> None:
    fake = KakaoFake()
    fake.friends[OTHER_FRIEND] = False
    strangers = outcome_of(fake, Target("a-stranger"))
    unwilling = outcome_of(fake, Target(OTHER_FRIEND))
    fake.has_consent = False
    without_consent = outcome_of(fake)
    assert [str(one).rpartition("(")[2] for one in (strangers, unwilling, without_consent)] == [
        "-502)",
        "-530)",
        "-402)",
    ]
    assert fake.log == []


@pytest.mark.parametrize("tells_inside", [False, True])
@pytest.mark.parametrize(
    ("quota", "code", "account_wide"),
    [
        ("most_of_sender", -532, True),
        ("most_of_recipient", -533, False),
        ("most_of_pair", -536, False),
    ],
)
def test_a_spent_quota_of_the_day_is_refused_until_the_next(
    quota: str, code: int, account_wide: bool, tells_inside: bool
) -> None:
    now = [1_767_225_600.0]
    fake = KakaoFake(now=lambda: now[0])
    fake.tells_inside = tells_inside
    setattr(fake, quota, 1)
    assert isinstance(outcome_of(fake, A_FRIEND), Receipt)
    outcome = outcome_of(fake, A_FRIEND)
    assert isinstance(outcome, SendError)
    assert (outcome.failure, outcome.account_wide) == (Failure.REFUSED, account_wide)
    assert f"({code})" in str(outcome)
    now[0] += DAY
    assert isinstance(outcome_of(fake, A_FRIEND), Receipt)
    assert [entry.to for entry in fake.log] == [FRIEND, FRIEND]


def test_a_text_becomes_a_template_with_the_accounts_link() -> None:
    adapter = KakaoAdapter(CONFIG)
    parts = adapter.pack([Text("정각입니다 😀"), Text("둘")], spaced=False)
    assert [part.payload["messages"][0]["text"] for part in parts] == ["정각입니다 😀", "둘"]
    assert parts[0].payload == PAYLOAD
    assert adapter.preview(PAYLOAD) == [Bubble("text", text="정각입니다 😀")]


def test_images_are_refused_when_a_schedule_is_registered_and_again_when_it_is_packed() -> None:
    adapter = KakaoAdapter(CONFIG)
    content = Content("정각입니다", (ContentImage(1, "chart.png", "0" * 64),))
    assert set(problems(content, [adapter])) == {"images"}
    with pytest.raises(ValueError, match="no images"):
        adapter.pack([Picture("https://media.example/1.png", "")], spaced=False)


@pytest.mark.parametrize(
    ("text", "is_good"),
    [("가" * 200, True), ("가" * 201, False), ("😀" * 100, True), ("😀" * 101, False)],
)
def test_a_text_has_at_most_200_units(text: str, is_good: bool) -> None:
    assert (problems(Content(text), [KakaoAdapter(CONFIG)]) == {}) == is_good


@pytest.mark.parametrize(
    ("address", "is_good"),
    [
        ("me", True),
        (FRIEND, True),
        ("abcdefg0001", True),
        ("Me", False),
        ("me ", False),
        ("", False),
        ("친구입니다", False),
        ('abc", "def', False),
        ("abc\n", False),
        ("x" * 101, False),
    ],
)
def test_an_address_is_me_or_a_friends_uuid(address: str, is_good: bool) -> None:
    assert (KakaoAdapter(CONFIG).address_problem(address) is None) == is_good


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        (KakaoConfig(), {"client_id", "refresh_token", "link_url"}),
        (CONFIG, set()),
        (
            KakaoConfig("a key", "a secret", "a\ntoken", LINK),
            {"client_id", "client_secret", "refresh_token"},
        ),
        (KakaoConfig("k", "", "t", "http://intranet/"), set()),
        (KakaoConfig("k", "", "t", "ops.example"), {"link_url"}),
        (KakaoConfig("k", "", "t", "https://[::1"), {"link_url"}),
        (KakaoConfig("k", "", "t", "https://ops.example/a b"), {"link_url"}),
    ],
)
def test_an_account_needs_a_key_a_refresh_token_and_a_link(
    config: KakaoConfig, fields: set[str]
) -> None:
    assert set(config.problems()) == fields


def _form(request: Request) -> dict[str, list[str]]:
    return parse_qs(request.body.decode(), strict_parsing=True)
