"""One bad id among five hundred costs only itself, whatever is tried again."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest
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


MULTICAST = "/v2/bot/message/multicast"
VALIDATE = "/v2/bot/message/validate/multicast"
FAULTS = ("accept_then_drop", "5xx_after", "5xx_before", "reset", "429_rate", "429_monthly")


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_try_that_is_said_to_have_reached_nobody_has_reached_nobody(data):
    people = PEOPLE[: data.draw(st.integers(2, 40))]
    fake = LineFake(rates={})
    fake.strangers = set(data.draw(st.sets(st.sampled_from(people), min_size=1, max_size=8)))
    for _ in range(data.draw(st.integers(1, 4))):
        # To one of its halves, or whichever comes first.
        some = people[data.draw(st.integers(0, len(people) - 1)) :]
        to = data.draw(st.sampled_from(["", str(list(some))]))
        fake.faults.add(data.draw(st.sampled_from(FAULTS)), to=to)
    for _ in range(4):
        before = len(fake.log)
        outcome = send(fake, people)
        if isinstance(outcome, SendError) and outcome.failure != Failure.UNKNOWN:
            assert len(fake.log) == before
    assert max(reached(fake).values(), default=1) == 1


@pytest.mark.parametrize("fault", ["429_rate", "429_monthly"])
def test_a_limit_between_two_halves_leaves_the_batch_in_doubt(fault):
    fake = LineFake(rates={})
    fake.strangers = {PEOPLE[0]}
    fake.faults.add(fault, to=str(list(PEOPLE[125:250])))
    outcome = send(fake)
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.UNKNOWN
    assert (outcome.account_wide, outcome.spent) == ((fault == "429_monthly"),) * 2
    assert set(PEOPLE[250:]) <= set(reached(fake))
    assert isinstance(send(fake), Receipt)
    assert reached(fake) == Counter(PEOPLE[1:])


@pytest.mark.parametrize("fault", ["429_rate", "5xx_before", "reset", "hang_never_accept"])
def test_a_batch_whose_fault_line_does_not_name_is_tried_again(fault):
    fake = LineFake(rates={})
    fake.strangers = {PEOPLE[0]}
    fake.faults_of_questions.add(fault, to=VALIDATE)
    outcome = send(fake, PEOPLE[:4])
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.LATER
    assert fake.log == []
    assert isinstance(send(fake, PEOPLE[:4]), Receipt)
    assert reached(fake) == Counter(PEOPLE[1:4])


def test_many_bad_ids_do_not_use_up_the_time_of_one_send():
    fake = LineFake(rates={}, latency=0.05)
    fake.strangers = set(PEOPLE[::25])
    outcome = send(fake)
    assert isinstance(outcome, Receipt)
    assert reached(fake) == Counter(set(PEOPLE) - fake.strangers)
    assert fake.requests[MULTICAST] * fake.latency > 10  # one after the other would


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
