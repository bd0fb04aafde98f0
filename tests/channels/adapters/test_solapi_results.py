"""Solapi: what becomes of each number of a group that was released, and of a group in doubt."""

import pytest

from channels.adapters.base import Failure, Receipt, SendError, Target
from channels.adapters.solapi import SolapiAdapter
from tests.channels.adapters.solapi_stage import (
    BATCH,
    HELLO,
    KEY,
    NUMBER,
    ROOM,
    handed_over,
    with_adapter,
)
from tests.fakes.solapi import SolapiFake
from tests.fakes.wire import Answer, json_answer

NOT_THERE = "카카오톡 미사용자 (3104)"


def asked_later(fake: SolapiFake, target: Target) -> Receipt | SendError | None:
    """What the channel says of a message when all that was on its way has come to its end."""

    async def scenario(adapter: SolapiAdapter) -> Receipt | None:
        await adapter.send(target, HELLO, KEY)
        fake.complete()
        return await adapter.confirm(handed_over(target))

    return with_adapter(fake, scenario)


def test_whom_nothing_reached_is_named_with_the_reason() -> None:
    fake = SolapiFake()
    fake.unreachable = {BATCH.members[7]: "3104", BATCH.members[3]: "3104"}
    found = asked_later(fake, BATCH)
    assert isinstance(found, Receipt)
    gone = [BATCH.members[3], BATCH.members[7]]
    assert found.answer == {"refused": gone, "failed": dict.fromkeys(gone, NOT_THERE)}


def test_a_list_of_several_pages_is_read_to_its_end() -> None:
    members = tuple(f"010{number:08}" for number in range(1000))
    fake = SolapiFake()
    fake.unreachable = {members[-1]: "3104"}
    found = asked_later(fake, Target("", "Everybody", members))
    assert isinstance(found, Receipt)
    assert found.answer["refused"] == [members[-1]]
    assert fake.requests["results"] == 2


@pytest.mark.parametrize("target", [ROOM, BATCH])
def test_where_nobody_was_reached_it_never_arrives(target: Target) -> None:
    fake = SolapiFake()
    fake.unreachable = dict.fromkeys((NUMBER, *BATCH.members), "3104")
    found = asked_later(fake, target)
    assert isinstance(found, SendError)
    assert (found.failure, NOT_THERE in str(found)) == (Failure.REFUSED, True)
    assert set(found.answer["refused"]) == set(target.members or [NUMBER])


def test_what_is_still_on_its_way_counts_as_arrived() -> None:
    fake = SolapiFake()

    async def scenario(adapter: SolapiAdapter) -> Receipt | None:
        await adapter.send(BATCH, HELLO, KEY)
        return await adapter.confirm(handed_over(BATCH))

    found = with_adapter(fake, scenario)
    assert isinstance(found, Receipt)
    assert found.answer == {}


@pytest.mark.parametrize(
    "answer",
    [
        json_answer({}, status=500),
        json_answer({"messageList": []}),
        json_answer({"messageList": {"M4V1": {"to": NUMBER}}}),
        json_answer({"messageList": {}, "nextKey": "more and more"}),
    ],
)
def test_results_that_cannot_be_read_say_nothing_against_the_release(answer: Answer) -> None:
    fake = SolapiFake()
    fake.fixed = {"results": answer}
    found = asked_later(fake, ROOM)
    assert isinstance(found, Receipt)
    assert found.answer == {}


def tried_again(fake: SolapiFake, between: str) -> Receipt | SendError | None:
    """The second try of a part whose first one left its group in doubt, which meanwhile is in
    this state; "": Solapi does not say."""
    fake.faults.add("accept_then_drop" if between in ("SENDING", "") else "5xx_before", times=2)
    fake.fixed = {"ask": json_answer({}, status=503), "delete": json_answer({}, status=503)}

    async def scenario(adapter: SolapiAdapter) -> Receipt:
        with pytest.raises(SendError) as caught:
            await adapter.send(ROOM, HELLO, KEY)
        assert caught.value.failure is Failure.UNKNOWN
        fake.fixed = {} if between else {"ask": json_answer({}, status=503)}
        [group] = fake.groups.values()
        group.state = between or group.state
        return await adapter.send(ROOM, HELLO, KEY)

    return with_adapter(fake, scenario)


@pytest.mark.parametrize("between", ["SENDING", "PENDING"])
def test_of_a_group_in_doubt_the_state_is_read_before_anything_is_repeated(between: str) -> None:
    fake = SolapiFake()
    found = tried_again(fake, between)
    assert isinstance(found, Receipt)
    assert found.already
    assert (len(fake.groups), len(fake.log)) == (1, 1)


def test_in_the_place_of_a_group_that_was_withdrawn_goes_a_new_one() -> None:
    fake = SolapiFake()
    found = tried_again(fake, "DELETED")
    assert isinstance(found, Receipt)
    assert not found.already
    assert (len(fake.groups), len(fake.log)) == (2, 1)


def test_while_solapi_does_not_say_what_became_of_it_nothing_is_sent_again() -> None:
    fake = SolapiFake()
    found = tried_again(fake, "")
    assert isinstance(found, SendError)
    assert found.failure is Failure.UNKNOWN
    assert (len(fake.groups), len(fake.log)) == (1, 1)
