"""Solapi: groups that are made, filled and released once, and what each answer means."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from channels.adapters.base import Failure, Receipt, SendError, Standing, Target, Text
from channels.adapters.solapi import SolapiAdapter, SolapiConfig
from channels.adapters.solapi_signature import authorization
from tests.channels.adapters.solapi_stage import (
    ALIMTALK,
    BATCH,
    HELLO,
    KEY,
    NUMBER,
    ROOM,
    handed_over,
    outcome_of,
    with_adapter,
)
from tests.fakes.faults import FaultKind
from tests.fakes.solapi import API_KEY, API_SECRET, CHANNEL, SENDER, TEMPLATE, SolapiFake
from tests.fakes.wire import Answer, json_answer


def test_the_signature_is_the_documented_one() -> None:
    # printf '2026-01-01T00:00:00Z0123456789abcdef' | openssl dgst -sha256 -hmac "correct …"
    digest = "be4f7327c8b1e13a52d65dcfdabdec21a51f4f035d6b27201f4466eb9d0cd1ca"
    header = authorization("KEY", "correct horse battery", 1_767_225_600.0, "0123456789abcdef")
    assert header == (
        "HMAC-SHA256 ApiKey=KEY, Date=2026-01-01T00:00:00Z,"
        f" salt=0123456789abcdef, signature={digest}"
    )


def test_no_two_requests_are_signed_alike() -> None:
    assert len({authorization("KEY", "secret", 0.0) for _ in range(100)}) == 100


def test_a_message_is_a_group_that_is_made_filled_and_released_under_our_key() -> None:
    fake = SolapiFake()
    outcome = outcome_of(fake)
    [group] = fake.groups.values()
    assert isinstance(outcome, Receipt)
    assert (outcome.status, outcome.request_id) == (200, group.id)
    assert fake.requests == {"create": 1, "add": 1, "send": 1}
    assert group.custom_fields == {"teiji_key": str(KEY)}
    [message] = group.registered
    assert (message["to"], message["from"], message["text"]) == (NUMBER, SENDER, "hello")
    assert message["customFields"] == {"teiji_key": str(KEY)}


def test_several_messages_to_one_number_are_released_together() -> None:
    fake = SolapiFake()
    payload = {"messages": [{"text": "one"}, {"text": "two"}]}
    assert isinstance(outcome_of(fake, payload=payload), Receipt)
    [entry] = fake.log
    assert entry.messages == payload["messages"]
    assert fake.requests["send"] == 1


def test_a_batch_is_one_group_with_everybody_in_it() -> None:
    fake = SolapiFake()
    assert isinstance(outcome_of(fake, target=BATCH), Receipt)
    [group] = fake.groups.values()
    assert [one["to"] for one in group.registered] == list(BATCH.members)
    assert fake.requests == {"create": 1, "add": 1, "send": 1}


@pytest.mark.parametrize("step", ["create", "add"])
@pytest.mark.parametrize("fault", list(FaultKind))
def test_what_goes_wrong_before_the_release_is_never_unknown(step: str, fault: FaultKind) -> None:
    fake = SolapiFake()
    fake.step = step
    fake.faults.add(fault, seconds=0.1)
    hangs = "hang" in fault or "drip" in fault
    outcome = outcome_of(fake, timeout=0.1 if hangs else 5.0)
    assert isinstance(outcome, SendError)
    is_refused = fault == FaultKind.MONTHLY_LIMIT
    assert outcome.failure == (Failure.REFUSED if is_refused else Failure.LATER)
    assert fake.log == []


def test_messages_are_not_added_twice_when_the_http_library_repeats_the_request() -> None:
    fake = SolapiFake()
    fake.step = "add"
    fake.faults.add("accept_then_drop")
    outcome = outcome_of(fake)
    assert isinstance(outcome, SendError)
    assert "DuplicatedSignature" in str(outcome)
    [group] = fake.groups.values()
    assert len(group.registered) == 1
    assert fake.log == []


@pytest.mark.parametrize("fault", ["accept_then_drop", "5xx_after", "huge_body"])
def test_of_a_lost_answer_the_groups_state_tells(fault: str) -> None:
    fake = SolapiFake()
    fake.faults.add(fault)
    assert isinstance(outcome_of(fake), Receipt)
    assert fake.requests == {"create": 1, "add": 1, "send": 1, "ask": 1}
    assert len(fake.log) == 1


@pytest.mark.parametrize("fault", ["reset", "5xx_before", "html_200"])
def test_a_group_that_still_waits_is_released_again(fault: str) -> None:
    fake = SolapiFake()
    fake.faults.add(fault)
    assert isinstance(outcome_of(fake), Receipt)
    assert fake.requests == {"create": 1, "add": 1, "send": 2, "ask": 1}
    assert len(fake.log) == 1


@pytest.mark.parametrize(
    "answer",
    [
        json_answer({"errorCode": "GroupInProcessing"}, status=409),
        json_answer({"errorCode": "AlreadySent"}, status=409),
        json_answer({"errorCode": "InvalidStatus"}, status=400),
        json_answer({}, status=408),
    ],
)
def test_a_release_that_is_refused_as_the_second_one_was_done(answer: Answer) -> None:
    fake = SolapiFake()
    fake.fixed = {"send": answer, "ask": json_answer({"status": "COMPLETE"})}
    assert isinstance(outcome_of(fake), Receipt)


@pytest.mark.parametrize(
    ("gone_from", "failure"), [("POST", Failure.LATER), ("GET", Failure.UNKNOWN)]
)
def test_a_host_that_goes_away_has_sent_nothing_unless_it_was_asked_to(
    gone_from: str, failure: Failure
) -> None:
    fake = SolapiFake()
    fake.faults.add("accept_then_drop")

    async def scenario(adapter: SolapiAdapter) -> Receipt:
        call = adapter._call

        async def call_or_not(method: str, path: str, *given: Any, **more: Any) -> Any:
            if method == gone_from and path != "groups":
                adapter.host = "http://127.0.0.1:1"
            return await call(method, path, *given, **more)

        adapter._call = call_or_not  # type: ignore[method-assign]
        return await adapter.send(ROOM, HELLO, KEY)

    outcome = with_adapter(fake, scenario)
    assert isinstance(outcome, SendError)
    assert outcome.failure == failure


def test_what_is_not_ready_after_half_of_the_time_is_not_released() -> None:
    fake = SolapiFake()
    fake.step = "create"
    fake.faults.add("hang_then_accept", seconds=0.2)
    outcome = outcome_of(fake, timeout=0.3)
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.LATER
    assert "add" not in fake.requests


def test_a_release_that_comes_through_late_is_not_a_second_one() -> None:
    fake = SolapiFake()
    fake.faults.add("hang_then_accept", seconds=1.2)

    async def scenario(adapter: SolapiAdapter) -> Receipt:
        adapter.timeout = 1.6
        receipt = await adapter.send(ROOM, HELLO, KEY)
        assert fake.requests["send"] == 2
        await asyncio.sleep(1.2)  # only now the first request is through
        return receipt

    assert isinstance(with_adapter(fake, scenario), Receipt)
    assert len(fake.log) == 1


def test_a_group_that_cannot_be_released_is_withdrawn_and_tried_again_later() -> None:
    fake = SolapiFake()
    fake.faults.add("5xx_before", times=2)
    outcome = outcome_of(fake)
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.LATER
    assert [group.state for group in fake.groups.values()] == ["DELETED"]
    assert fake.log == []


@pytest.mark.parametrize(
    "answer",
    [
        json_answer({}, status=500),
        json_answer({}, status=403),
        json_answer({"status": "DELETED", "dateSent": "2026-01-01T00:00:00Z"}),
        json_answer({"status": "DELETED"}),
        json_answer({"status": "PENDING", "dateSent": None}),
    ],
)
def test_where_nothing_says_what_became_of_the_release_it_is_unknown(answer: Answer) -> None:
    fake = SolapiFake()
    fake.faults.add("5xx_after", times=2)
    fake.fixed = {"ask": json_answer({}, status=503), "delete": answer}
    outcome = outcome_of(fake)
    assert isinstance(outcome, SendError)
    [group] = fake.groups
    assert (outcome.failure, outcome.request_id) == (Failure.UNKNOWN, group)


def test_after_a_lost_release_a_refusal_says_nothing_of_it() -> None:
    fake = SolapiFake()
    fake.faults.add("5xx_before")
    fake.faults.add("429_monthly")
    fake.fixed = {"delete": json_answer({}, status=500)}
    outcome = outcome_of(fake)
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.UNKNOWN


@pytest.mark.parametrize("step", ["create", "add", "send"])
@pytest.mark.parametrize(
    ("status", "code", "failure", "account_wide"),
    [
        (400, "ValidationError", Failure.REFUSED, False),
        (401, "", Failure.REFUSED, True),
        (402, "NotEnoughBalance", Failure.REFUSED, True),
        (403, "SignatureDoesNotMatch", Failure.REFUSED, True),
        (403, "DuplicatedSignature", Failure.LATER, False),
        (404, "ResourceNotFound", Failure.LATER, False),
        (413, "RecipientsTooMany", Failure.REFUSED, False),
        (429, "TooManyRequests", Failure.LATER, False),
    ],
)
def test_a_refusal_is_refused_or_later(
    step: str, status: int, code: str, failure: Failure, account_wide: bool
) -> None:
    fake = SolapiFake()
    fake.fixed = {step: json_answer({"errorCode": code, "errorMessage": "No."}, status=status)}
    outcome = outcome_of(fake)
    assert isinstance(outcome, SendError)
    assert (outcome.failure, outcome.account_wide) == (failure, account_wide)
    assert outcome.status == status
    assert "No." in str(outcome)
    assert outcome.after == (1.0 if status == 429 else None)


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("create", {}),
        ("create", {"groupId": "../list"}),
        ("add", {}),
        ("add", {"resultList": []}),
        ("add", {"resultList": [{"to": NUMBER}]}),
    ],
)
def test_an_answer_that_cannot_be_read_releases_nothing(step: str, answer: dict[str, Any]) -> None:
    fake = SolapiFake()
    fake.fixed = {step: json_answer(answer)}
    outcome = outcome_of(fake)
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.LATER
    assert fake.log == []


def test_a_spent_balance_stops_the_account() -> None:
    fake = SolapiFake(balance=39)
    assert isinstance(outcome_of(fake), Receipt)
    outcome = outcome_of(fake)
    assert isinstance(outcome, SendError)
    assert (outcome.failure, outcome.account_wide) == (Failure.REFUSED, True)
    assert len(fake.log) == 1


@pytest.mark.parametrize(
    ("config", "account_wide", "code"),
    [
        (SolapiConfig(API_KEY, API_SECRET, "021112222"), True, "1062"),
        (SolapiConfig(API_KEY, API_SECRET, SENDER, "KA01PF9", TEMPLATE), True, "1041"),
        (SolapiConfig(API_KEY, API_SECRET, SENDER, CHANNEL, "KA01TP9"), True, "1042"),
        (ALIMTALK, False, "1043"),
    ],
)
def test_a_message_that_is_not_registered_is_refused_with_solapis_words(
    config: SolapiConfig, account_wide: bool, code: str
) -> None:
    fake = SolapiFake()
    [part] = SolapiAdapter(config).pack([Text("not the template’s")], spaced=False)
    outcome = outcome_of(fake, config=config, payload=part.payload)
    assert isinstance(outcome, SendError)
    assert (outcome.failure, outcome.account_wide) == (Failure.REFUSED, account_wide)
    assert code in str(outcome)
    assert "send" not in fake.requests


def test_a_room_gets_all_of_a_part_or_nothing() -> None:
    fake = SolapiFake()
    payload = {"messages": [{"text": "good"}, {"text": "no emoji in SMS 😀"}]}
    outcome = outcome_of(fake, payload=payload)
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.REFUSED
    assert fake.log == []


def test_who_cannot_be_written_to_does_not_hold_up_the_others() -> None:
    fake = SolapiFake()
    fake.blocked = {BATCH.members[7]}
    outcome = outcome_of(fake, target=BATCH)
    assert isinstance(outcome, Receipt)
    [missing] = outcome.answer["notRegistered"]
    assert (missing["to"], missing["statusCode"]) == (BATCH.members[7], "1060")
    assert outcome.answer["refused"] == [BATCH.members[7]]
    assert outcome.answer["count"] == {"registeredSuccess": 299, "registeredFailed": 1}


def test_where_nobody_can_be_written_to_the_batch_is_refused() -> None:
    fake = SolapiFake()
    fake.blocked = set(BATCH.members)
    outcome = outcome_of(fake, target=BATCH)
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.REFUSED
    assert fake.log == []


@pytest.mark.parametrize(("minutes", "is_good"), [(14, True), (-14, True), (16, False)])
def test_the_engines_clock_signs_and_may_be_15_minutes_off(minutes: int, is_good: bool) -> None:
    fake = SolapiFake(now=lambda: 1_767_225_600.0)

    async def scenario(adapter: SolapiAdapter) -> Receipt:
        adapter.now = lambda: 1_767_225_600.0 + 60 * minutes
        return await adapter.send(ROOM, HELLO, KEY)

    assert isinstance(with_adapter(fake, scenario), Receipt) == is_good


@pytest.mark.parametrize("target", [ROOM, BATCH])
@pytest.mark.parametrize("is_over", [True, False])
def test_a_released_group_is_found_by_its_key(target: Target, is_over: bool) -> None:
    fake = SolapiFake()

    async def scenario(adapter: SolapiAdapter) -> Receipt | None:
        for key in (uuid4(), KEY, *(uuid4() for _ in range(25))):
            await adapter.send(target, HELLO, key)
        if is_over:
            fake.complete()
        return await adapter.confirm(handed_over(target))

    found = with_adapter(fake, scenario)
    assert isinstance(found, Receipt)
    assert fake.groups[found.request_id].custom_fields == {"teiji_key": str(KEY)}
    assert found.already


@pytest.mark.parametrize("target", [ROOM, BATCH])
def test_what_was_never_released_is_not_there(target: Target) -> None:
    fake = SolapiFake()

    async def scenario(adapter: SolapiAdapter) -> Receipt | None:
        await adapter.send(target, HELLO, uuid4())
        fake.fixed = {"send": json_answer({}, status=400)}
        with pytest.raises(SendError):
            await adapter.send(target, HELLO, KEY)
        return await adapter.confirm(handed_over(target))

    assert with_adapter(fake, scenario) is None
    assert [group.state for group in fake.groups.values()] == ["SENDING", "PENDING"]


@pytest.mark.parametrize(
    "answer",
    [
        json_answer({"errorCode": "InternalError"}, status=500),
        json_answer([]),
        json_answer({"messageList": []}),
        json_answer({"messageList": {"M4": {}}}),
        json_answer({"messageList": {}, "nextKey": "more and more"}),
    ],
)
def test_a_list_that_cannot_be_read_leaves_it_open(answer: Answer) -> None:
    fake = SolapiFake()
    fake.fixed = {"ask": answer}
    outcome = with_adapter(fake, lambda adapter: adapter.confirm(handed_over(ROOM)))
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.UNKNOWN


def test_a_deleted_group_leaves_it_open() -> None:
    fake = SolapiFake()

    async def scenario(adapter: SolapiAdapter) -> Receipt | None:
        await adapter.send(ROOM, HELLO, KEY)
        [group] = fake.groups.values()
        group.state = "DELETED"
        return await adapter.confirm(handed_over(ROOM))

    outcome = with_adapter(fake, scenario)
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.UNKNOWN


def _asked(fake: SolapiFake) -> Any:
    return with_adapter(fake, lambda adapter: adapter.check())


@pytest.mark.parametrize(
    ("balance", "points", "shown"), [(12_300, 0, "₩12,300"), (0, 50, "₩0 + 50 P")]
)
def test_a_check_tells_the_balance_and_sends_nothing(balance: int, points: int, shown: str) -> None:
    fake = SolapiFake(balance=balance)
    fake.points = points
    assert _asked(fake) == Standing(balance=shown)
    assert fake.requests == {"balance": 1}


def test_without_money_or_points_the_account_is_refused_before_anything_is_due() -> None:
    error = _asked(SolapiFake(balance=0))
    assert error.failure is Failure.REFUSED and "used up" in str(error)


@pytest.mark.parametrize("said", [{}, {"balance": None, "point": 0}, {"balance": "much"}])
def test_an_unreadable_balance_says_nothing_of_the_account(said: dict[str, Any]) -> None:
    fake = SolapiFake()
    fake.fixed["balance"] = json_answer(said)
    assert _asked(fake).failure is Failure.UNKNOWN
