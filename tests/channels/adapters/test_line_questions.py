"""LINE: what it is asked beside the sending, and that no answer is taken for one."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest

from channels.adapters import line as line_module
from channels.adapters import line_answers
from channels.adapters.base import (
    Failure,
    Picture,
    Place,
    Quota,
    SendError,
    Standing,
    Target,
    Text,
)
from channels.adapters.line import LineAdapter, LineConfig
from channels.http import open_session
from tests.channels.adapters.cases import GROUP, line_adapter
from tests.fakes.line import LineFake
from tests.fakes.serving import serving

USER = "U" + "0" * 31 + "1"
ROOM = "R" + "0" * 31 + "1"
DAY = date(2026, 1, 1)

QUESTIONS: dict[str, Callable[[LineAdapter], Awaitable[Any]]] = {
    "/v2/bot/message/quota": lambda adapter: adapter.quota(),
    "/v2/bot/message/quota/consumption": lambda adapter: adapter.quota(),
    f"/v2/bot/group/{GROUP}/members/count": lambda adapter: adapter.size(GROUP),
    "/v2/bot/info": lambda adapter: adapter.check(),
    "/v2/bot/message/aggregation/info": lambda adapter: adapter.labels_used(),
    "/v2/bot/message/delivery/push": lambda adapter: adapter.counted("push", DAY),
    "/v2/bot/insight/message/event/aggregation": lambda adapter: adapter.statistics("a", DAY, DAY),
    "/v2/bot/message/validate/push": lambda adapter: _validate(adapter, "hello"),
}


def test_the_month_turns_where_line_counts_it() -> None:
    assert LineAdapter.quota_zone == "Asia/Tokyo"


def test_the_quota_is_what_is_given_and_what_is_used() -> None:
    fake = LineFake(quota=1000)
    fake.used = 188
    assert _ask(fake, lambda adapter: adapter.quota()) == Quota(limit=1000, used=188)


def test_an_account_without_a_limit_has_none() -> None:
    assert _ask(LineFake(), lambda adapter: adapter.quota()) == Quota(limit=None, used=0)


@pytest.mark.parametrize(("address", "people"), [(GROUP, 37), (ROOM, 4), (USER, 1), ("#", None)])
def test_a_message_reaches_as_many_as_are_in_the_room(address: str, people: int | None) -> None:
    fake = LineFake()
    fake.members |= {GROUP: 37, ROOM: 4}
    assert _ask(fake, lambda adapter: adapter.size(address)) == people


def test_a_group_without_the_bot_says_so() -> None:
    fake = LineFake()
    fake.left.add(GROUP)
    error = _ask(fake, lambda adapter: adapter.size(GROUP))
    assert isinstance(error, SendError)
    assert error.failure == Failure.REFUSED
    assert "not in this group" in str(error)


def test_credentials_are_checked_without_sending() -> None:
    fake = LineFake()
    assert _ask(fake, lambda adapter: adapter.check()) == Standing(name="Bot")
    assert fake.log == []


def test_bad_credentials_are_refused_for_the_whole_account() -> None:
    async def ask(adapter: LineAdapter) -> None:
        adapter.config = LineConfig(access_token="wrong")
        await adapter.check()

    error = _ask(LineFake(), ask)
    assert isinstance(error, SendError)
    assert (error.failure, error.account_wide) == (Failure.REFUSED, True)


def test_what_line_would_refuse_is_known_before_it_is_sent() -> None:
    fake = LineFake()
    assert _ask(fake, lambda adapter: _validate(adapter, "hello")) is None
    error = _ask(fake, lambda adapter: _validate(adapter, "x" * 5001))
    assert isinstance(error, SendError)
    assert error.failure == Failure.REFUSED
    assert "messages[0].text" in str(error)
    assert fake.log == []


def test_which_messages_line_finds_fault_with_is_known_by_their_places() -> None:
    fake = LineFake()
    fake.dislikes = {"messages[0].text": "May not shout", "messages[2].previewImageUrl": "Too big"}

    async def ask(adapter: LineAdapter) -> None:
        pictures = [Picture("https://a/1.png", "https://a/1s.png") for _ in range(2)]
        (part,) = adapter.pack([Text("HELLO"), *pictures], spaced=False)
        await adapter.validate(Target(GROUP), part.payload)

    error = _ask(fake, ask)
    assert isinstance(error, SendError)
    assert error.places == (Place(0, "May not shout"), Place(2, "Too big"))
    assert not error.account_wide


def test_a_detail_without_a_property_is_at_no_place_and_is_told_all_the_same() -> None:
    data = {"message": "Invalid", "details": [{"message": "Something"}, {"property": "x"}, 3]}
    answer = line_answers.Answer(400, {}, data)
    assert answer.places == ()
    assert answer.message == "Invalid (Something; x)"


def test_an_account_that_may_not_send_is_no_fault_of_the_message() -> None:
    fake = LineFake()
    fake.is_forbidden = True
    error = _ask(fake, lambda adapter: _validate(adapter, "hello"))
    assert isinstance(error, SendError)
    assert (error.failure, error.account_wide) == (Failure.REFUSED, True)


@pytest.mark.parametrize(("status", "data"), [(400, None), (404, {"message": "?"}), (413, None)])
def test_a_proxy_on_the_way_refuses_no_message(status: int, data: dict[str, Any] | None) -> None:
    with pytest.raises(SendError) as raised:
        line_answers.verdict(line_answers.Answer(status, {}, data))
    assert raised.value.failure == Failure.UNKNOWN


def test_a_batch_is_validated_as_a_multicast() -> None:
    fake = LineFake()
    target = Target("", members=(USER,))
    assert _ask(fake, lambda adapter: _validate(adapter, "hello", target)) is None
    assert fake.requests["/v2/bot/message/validate/multicast"] == 1


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ("html_200", Failure.UNKNOWN),
        ("5xx_before", Failure.UNKNOWN),
        ("reset", Failure.UNKNOWN),
        ("accept_then_drop", Failure.UNKNOWN),
        ("429_rate", Failure.LATER),
    ],
)
def test_what_is_no_answer_is_not_taken_for_one(path: str, fault: str, failure: Failure) -> None:
    fake = LineFake(quota=1000)
    # A question may be asked again on a new connection: the client does so where one was kept.
    fake.faults_of_questions.add(fault, to=path, times=3)
    error = _ask(fake, QUESTIONS[path])
    assert isinstance(error, SendError)
    assert error.failure == failure


@pytest.mark.parametrize("path", QUESTIONS)
def test_a_question_that_hangs_ends_by_itself(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "ASK_TIMEOUT", 0.2)
    fake = LineFake(quota=1000)
    fake.faults_of_questions.add("hang_then_accept", to=path, seconds=60)
    error = _ask(fake, QUESTIONS[path])
    assert isinstance(error, SendError)
    assert error.failure == Failure.UNKNOWN


@pytest.mark.parametrize("path", QUESTIONS)
def test_a_token_that_was_revoked_is_made_anew_once(path: str) -> None:
    fake = LineFake(quota=1000)

    async def ask(adapter: LineAdapter) -> Any:
        await QUESTIONS[path](adapter)
        fake.revoke_tokens()
        return await QUESTIONS[path](adapter)

    assert not isinstance(_ask(fake, ask), SendError)
    assert fake.requests["/oauth2/v3/token"] == 2


async def _validate(adapter: LineAdapter, text: str, target: Target | None = None) -> None:
    (part,) = adapter.pack([Text(text)], spaced=False)
    await adapter.validate(target or Target(GROUP), part.payload)


def _ask(fake: LineFake, question: Callable[[LineAdapter], Awaitable[Any]]) -> Any:
    """The answer, or the SendError."""

    async def scenario() -> Any:
        async with serving(fake) as url, open_session(guarded=False) as http:
            try:
                return await question(line_adapter(url, http))
            except SendError as error:
                return error

    return asyncio.run(scenario())
