"""KakaoTalk's tokens: fetched, shared, renewed, replaced, and never told."""

import asyncio
import gc
import logging

import pytest

from channels.adapters.base import Failure, Receipt, SendError
from channels.adapters.kakao import API_HOST, LOGIN_HOST, KakaoAdapter, KakaoConfig
from tests.channels.adapters.kakao_stage import (
    CONFIG,
    LINK,
    OK_ME,
    Script,
    error,
    outcome_of,
    send_to_me,
    with_adapter,
)
from tests.fakes import kakao
from tests.fakes.faults import FaultKind
from tests.fakes.kakao import DAY, TO_ME, TOKEN, KakaoFake
from tests.fakes.wire import Answer


def test_tokens_come_from_the_login_host_and_a_stand_in_plays_both() -> None:
    adapter = KakaoAdapter(CONFIG)
    assert (adapter.host, adapter.login_host) == (API_HOST, LOGIN_HOST)
    adapter.host = "http://127.0.0.1:9002"
    assert adapter.login_host == adapter.host


def test_one_token_serves_senders_that_start_together() -> None:
    fake = KakaoFake()
    with_adapter(fake, lambda adapter: asyncio.gather(*(send_to_me(adapter) for _ in range(20))))
    assert len(fake.log) == 20
    assert fake.requests[TOKEN] == 1


def test_a_revoked_token_is_renewed_once_for_all_and_nobody_notices() -> None:
    fake = KakaoFake()

    async def scenario(adapter: KakaoAdapter) -> None:
        await send_to_me(adapter)
        fake.revoke_tokens()
        await asyncio.gather(*(send_to_me(adapter) for _ in range(20)))

    with_adapter(fake, scenario)
    assert len(fake.log) == 21
    assert fake.requests[TOKEN] == 2


def test_a_token_that_is_refused_again_is_not_asked_for_a_third_time() -> None:
    script = Script(401, error(-401))
    outcome = outcome_of(script)
    assert isinstance(outcome, SendError)
    assert (outcome.failure, outcome.account_wide) == (Failure.REFUSED, True)
    assert (script.requests[TOKEN], script.requests[TO_ME]) == (2, 2)


def test_a_token_is_replaced_before_it_expires() -> None:
    fake = KakaoFake()

    async def scenario(adapter: KakaoAdapter) -> None:
        await send_to_me(adapter)
        clock[0] += kakao.ACCESS_SECONDS - 61
        await send_to_me(adapter)
        assert fake.requests[TOKEN] == 1
        clock[0] += 2
        await send_to_me(adapter)
        assert fake.requests[TOKEN] == 2

    clock = [0.0]
    with_adapter(fake, scenario, clock=clock)


def test_a_replaced_refresh_token_is_used_from_then_on_and_said_without_its_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake = KakaoFake()
    fake.refresh_until = fake.now() + 29 * DAY

    async def scenario(adapter: KakaoAdapter) -> None:
        with caplog.at_level(logging.WARNING):
            await send_to_me(adapter)
        fake.revoke_tokens()
        await send_to_me(adapter)
        assert adapter.renewed == {"refresh_token": fake.refresh_token}

    with_adapter(fake, scenario)
    assert fake.refresh_token != kakao.REFRESH_TOKEN
    assert len(fake.log) == 2
    [record] = [one for one in caplog.records if one.name == "channels.adapters.kakao"]
    assert "account 7" in record.getMessage()
    assert fake.refresh_token not in caplog.text


def test_an_answer_without_a_refresh_token_keeps_the_old_one() -> None:
    async def scenario(adapter: KakaoAdapter) -> None:
        await send_to_me(adapter)
        fake.revoke_tokens()
        await send_to_me(adapter)
        assert adapter.renewed == {}

    fake = KakaoFake()
    with_adapter(fake, scenario)
    assert fake.requests[TOKEN] == 2


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (KakaoConfig("f" * 32, "", kakao.REFRESH_TOKEN, LINK), "Bad client credentials"),
        (KakaoConfig(kakao.CLIENT_ID, "wrong", kakao.REFRESH_TOKEN, LINK), "Bad client"),
        (KakaoConfig(kakao.CLIENT_ID, "", "of-last-year", LINK), "expired_or_invalid"),
    ],
)
def test_wrong_credentials_stop_the_account(config: KakaoConfig, said: str) -> None:
    outcome = outcome_of(KakaoFake(), config=config)
    assert isinstance(outcome, SendError)
    assert (outcome.failure, outcome.account_wide) == (Failure.REFUSED, True)
    assert said in str(outcome)


def test_a_client_secret_is_sent_where_there_is_one() -> None:
    fake = KakaoFake()
    fake.client_secret = kakao.CLIENT_SECRET
    config = KakaoConfig(kakao.CLIENT_ID, kakao.CLIENT_SECRET, kakao.REFRESH_TOKEN, LINK)
    assert isinstance(outcome_of(fake, config=config), Receipt)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (307, "{}"),
        (500, "{}"),
        (429, "{}"),
        (400, '{"error": "temporary", "error_code": "KOE003"}'),
        (200, "<html>"),
        (200, "{}"),
        (200, '{"access_token": "with a space", "refresh_token": "hidden"}'),
    ],
)
def test_where_no_token_was_had_nothing_was_sent(status: int, body: str) -> None:
    script = Script(200, OK_ME, token=Answer(status, body.encode(), {"Location": "/elsewhere"}))
    outcome = outcome_of(script)
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.LATER
    assert script.log == []
    assert "hidden" not in f"{outcome} {outcome.answer}"


@pytest.mark.parametrize("fault", list(FaultKind))
def test_whatever_happens_to_the_request_for_a_token_nothing_is_sent(fault: FaultKind) -> None:
    fake = KakaoFake()
    fake.token_faults.add(fault, seconds=0.9)
    outcome = outcome_of(fake, timeout=0.6 if "hang" in fault or "drip" in fault else 5.0)
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.LATER
    assert fake.log == []
    assert fake.token_faults.waiting == []


def test_a_token_that_fails_when_nobody_waits_any_more_is_no_complaint_of_the_loop() -> None:
    complaints: list[str] = []

    async def scenario(adapter: KakaoAdapter) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: complaints.append(context["message"]))
        adapter.timeout = 0.03
        with pytest.raises(SendError):
            await send_to_me(adapter)
        await asyncio.sleep(0.1)
        adapter._tokens._fetching = None
        gc.collect()

    fake = KakaoFake()
    fake.token_faults.add("hang_never_accept", seconds=0.06)
    with_adapter(fake, scenario)
    assert complaints == []


def test_a_sender_that_gives_up_leaves_the_token_to_the_others() -> None:
    async def scenario(adapter: KakaoAdapter) -> None:
        adapter.timeout = 0.03
        hasty = asyncio.create_task(send_to_me(adapter))
        await asyncio.sleep(0)
        adapter.timeout = 5.0
        patient = asyncio.create_task(send_to_me(adapter))
        with pytest.raises(SendError):
            await hasty
        await patient

    fake = KakaoFake(latency=0.1)
    with_adapter(fake, scenario)
    assert fake.requests[TOKEN] == 1
    assert len(fake.log) == 1
