"""What an adapter may be asked beside sending: an answer, or a SendError, and never a message."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from channels.adapters import registry
from channels.adapters.base import Adapter, HandedOver, Quota, Receipt, SendError, Standing, Text
from channels.adapters.counting import Statistics
from tests.channels.adapters.cases import CASES, Case, each
from tests.channels.adapters.contract_stage import wire
from tests.fakes.faults import Fault, FaultKind, Faults
from tests.fakes.misbehaviour import misbehave
from tests.fakes.wire import Answer, Fake, Request, json_answer

HANGS = 0.2
DAY = date(2026, 1, 1)


async def _confirm(case: Case, adapter: Adapter) -> Receipt | None:
    (part,) = adapter.pack([Text("one")], spaced=False)
    return await adapter.confirm(HandedOver(case.target, part.payload, uuid4(), time.time()))


async def _validate(case: Case, adapter: Adapter) -> None:
    (part,) = adapter.pack([Text("one")], spaced=False)
    await adapter.validate(case.target, part.payload)


QUESTIONS: dict[str, Callable[[Case, Adapter], Awaitable[Any]]] = {
    "quota": lambda case, adapter: adapter.quota(),
    "size": lambda case, adapter: adapter.size(case.target.address),
    "check": lambda case, adapter: adapter.check(),
    "confirm": _confirm,
    "validate": _validate,
    "describe": lambda case, adapter: adapter.describe(case.target.address),
    "labels_used": lambda case, adapter: adapter.labels_used(),
    "statistics": lambda case, adapter: adapter.statistics("a", DAY, DAY),
}
ANSWERS: dict[str, Callable[[Any], bool]] = {
    "quota": lambda answer: isinstance(answer, Quota) and answer.used >= 0,
    "size": lambda answer: answer is None or answer >= 1,
    "check": lambda answer: isinstance(answer, Standing),
    "confirm": lambda answer: answer is None or isinstance(answer, SendError),
    "validate": lambda answer: answer is None,
    "describe": lambda answer: isinstance(answer, str),
    "labels_used": lambda answer: isinstance(answer, int),
    "statistics": lambda answer: isinstance(answer, Statistics),
}

each_case = each(CASES)
each_question = pytest.mark.parametrize("question", QUESTIONS)


class AlwaysWrong:
    """A vendor that does the same thing wrong at each request."""

    def __init__(self, fake: Fake, kind: FaultKind) -> None:
        self.fake, self.kind = fake, kind
        self.latency, self.faults = 0.0, Faults()

    @property
    def log(self) -> list[Any]:
        return self.fake.log

    def handle(self, request: Request) -> Coroutine[Any, Any, Answer | None]:
        def accept() -> Answer:
            answer = self.fake.handle(request)
            assert isinstance(answer, Answer)
            return answer

        fault = Fault(self.kind, seconds=HANGS)
        return misbehave(request, fault, accept=accept, limited=lambda _kind: _limited())


@each_case
@each_question
def test_a_question_that_goes_well_is_answered_and_sends_nothing(case: Case, question: str) -> None:
    fake = case.make_fake()
    answer = _asked(case, question, fake)
    assert ANSWERS[question](answer), answer
    assert fake.log == []


@each({name: case for name, case in CASES.items() if not case.is_in_house})
@each_question
@pytest.mark.parametrize("fault", list(FaultKind))
def test_whatever_goes_wrong_it_is_answered_or_told_in_our_words(
    case: Case, question: str, fault: FaultKind
) -> None:
    fake = case.make_fake()
    answer = _asked(case, question, AlwaysWrong(fake, fault))
    assert isinstance(answer, SendError) or ANSWERS[question](answer)
    assert fake.log == []


@each({name: case for name, case in CASES.items() if case.is_in_house})
@pytest.mark.parametrize("question", ["quota", "confirm"])
@pytest.mark.parametrize("fault", [FaultKind.ERROR_BEFORE, FaultKind.HANG_THEN_ACCEPT])
def test_a_database_that_fails_is_told_in_our_words(
    case: Case, question: str, fault: FaultKind
) -> None:
    fake = case.make_fake()
    fake.faults.add(fault, seconds=HANGS)
    answer = _asked(case, question, fake)
    assert isinstance(answer, SendError) or ANSWERS[question](answer)


@pytest.mark.parametrize("kind", sorted(registry()))
def test_only_who_meters_can_tell_a_quota_and_says_in_which_zone_its_month_turns(kind: str) -> None:
    found = registry()[kind]
    assert found.meters == (found.quota is not Adapter.quota)
    assert not found.meters or found.quota_zone


@each_case
def test_only_who_can_be_validated_asks_its_channel(case: Case) -> None:
    """Who says yes without asking would let pass what the channel refuses at the hour."""
    fake = case.make_fake()
    vendor = fake if case.is_in_house else AlwaysWrong(fake, FaultKind.ERROR_BEFORE)
    can_say = registry()[case.kind].can_be_validated()
    assert isinstance(_asked(case, "validate", vendor), SendError) == can_say


def _asked(case: Case, question: str, fake: Fake) -> Any:
    """The answer, or the SendError."""

    async def scenario() -> Any:
        async with wire(case, fake) as (_fake, adapter):
            try:
                return await QUESTIONS[question](case, adapter)
            except SendError as error:
                return error

    return asyncio.run(scenario())


def _limited() -> Answer:
    return json_answer({"message": "The API rate limit has been exceeded."}, status=429)
