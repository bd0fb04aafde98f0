"""One bad id among five hundred costs only itself, whatever is tried again."""

import asyncio
from collections import Counter
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from channels.adapters.base import Failure, Receipt, SendError, Target
from channels.http import open_session
from tests.channels.adapters.cases import line_adapter
from tests.fakes.line import LineFake
from tests.fakes.serving import serving

KEY = UUID("5f0c1a52-7a63-5f9e-9d6b-0f6f2f0c9a11")
HELLO = {"messages": [{"type": "text", "text": "hello"}]}
PEOPLE = tuple(f"U{number:032x}" for number in range(500))


def send(fake: LineFake, people: tuple[str, ...] = PEOPLE, times: int = 1, payload=None):
    """What came of the last of so many tries."""

    async def scenario() -> Receipt | SendError:
        outcome: Receipt | SendError | None = None
        async with serving(fake) as url, open_session(guarded=False) as http:
            adapter = line_adapter(url, http)
            for _ in range(times):
                try:
                    target = Target("", members=people)
                    outcome = await adapter.send(target, payload or HELLO, KEY)
                except SendError as error:
                    outcome = error
        assert outcome is not None
        return outcome

    return asyncio.run(scenario())


def reached(fake: LineFake) -> Counter[str]:
    return Counter(person for entry in fake.log for person in entry.to)


def test_a_batch_without_a_bad_id_is_one_request():
    fake = LineFake(rates={})
    assert isinstance(send(fake), Receipt)
    assert fake.requests["/v2/bot/message/multicast"] == 1


def test_one_bad_id_costs_only_itself():
    fake = LineFake(rates={})
    fake.strangers = {PEOPLE[123]}
    receipt = send(fake)
    assert isinstance(receipt, Receipt)
    assert receipt.answer["refused"] == [PEOPLE[123]]
    assert reached(fake) == Counter(set(PEOPLE) - fake.strangers)
    assert fake.requests["/v2/bot/message/multicast"] < 25


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whoever_is_refused_all_others_get_it_once_however_often_it_is_tried(data):
    people = PEOPLE[: data.draw(st.integers(2, 40))]
    fake = LineFake(rates={})
    fake.strangers = set(data.draw(st.sets(st.sampled_from(people), min_size=1, max_size=5)))
    for _ in range(data.draw(st.integers(0, 3))):
        fault = data.draw(st.sampled_from(["accept_then_drop", "5xx_after", "5xx_before", "reset"]))
        fake.faults.add(fault)
    outcome = send(fake, people, times=5)
    assert reached(fake) == Counter(set(people) - fake.strangers)
    if fake.strangers == set(people):
        assert isinstance(outcome, SendError)
    else:
        assert sorted(outcome.answer["refused"]) == sorted(fake.strangers)


def test_a_batch_of_strangers_is_refused():
    fake = LineFake(rates={})
    fake.strangers = set(PEOPLE[:4])
    outcome = send(fake, PEOPLE[:4])
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.REFUSED
    assert fake.log == []


def test_a_message_that_is_wrong_itself_is_not_halved():
    fake = LineFake(rates={})
    outcome = send(fake, payload={"messages": [{"type": "text", "text": ""}]})
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.REFUSED
    assert fake.requests["/v2/bot/message/multicast"] == 1


def test_a_batch_of_one_is_not_halved():
    fake = LineFake(rates={})
    fake.strangers = {PEOPLE[0]}
    outcome = send(fake, PEOPLE[:1])
    assert isinstance(outcome, SendError)
    assert fake.requests["/v2/bot/message/multicast"] == 1
