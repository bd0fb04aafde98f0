"""What every adapter with audiences promises the engine of a batch of people: all of them get it,
or those are named who do not; and whatever is tried again, nobody gets it twice."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest

from channels.adapters import registry
from channels.adapters.base import Failure, Receipt, SendError
from tests.channels.adapters.cases import CASES, Case, Crowd, each
from tests.channels.adapters.contract_stage import (
    HANGS,
    TIMEOUT,
    add_fault,
    reached,
    run,
    send,
    wire,
)
from tests.fakes.faults import FaultKind

WITH_CROWDS = {name: case for name, case in CASES.items() if case.crowd}
KEYED = {n: case for n, case in WITH_CROWDS.items() if case.make_adapter("", None).takes_key}

each_case = each(WITH_CROWDS)
each_keyed_case = each(KEYED)
each_fault = pytest.mark.parametrize("fault", list(FaultKind))


def crowd_of(case: Case) -> Crowd:
    assert case.crowd is not None
    return case.crowd


def test_every_adapter_that_takes_batches_is_given_some() -> None:
    taking = {kind for kind, found in registry().items() if found.limits.members_per_request}
    assert taking == {case.kind for case in WITH_CROWDS.values()}


@each_case
def test_a_batch_of_the_largest_size_reaches_each_person_once(case: Case) -> None:
    async def scenario() -> None:
        async with wire(case) as (fake, adapter):
            people = crowd_of(case).people(adapter.limits.members_per_request)
            receipt = await send(case, adapter, uuid4(), crowd_of(case).batch(*people))
            assert isinstance(receipt, Receipt)
            assert not receipt.already
            assert not receipt.answer.get("refused")
            assert reached(fake) == Counter(people)

    run(scenario())


@each_case
def test_whom_the_vendor_refuses_is_named_and_costs_nobody_else_the_message(case: Case) -> None:
    async def scenario() -> None:
        async with wire(case) as (fake, adapter):
            crowd = crowd_of(case)
            people = crowd.people(9)
            batch = crowd.batch(*people[:4], crowd.stranger, *people[4:])
            receipt = await send(case, adapter, uuid4(), batch)
            assert isinstance(receipt, Receipt)
            assert receipt.answer["refused"] == [crowd.stranger]
            assert reached(fake) == Counter(people)

    run(scenario())


@each_case
def test_a_batch_of_which_nobody_is_taken_is_refused_and_the_account_goes_on(case: Case) -> None:
    async def scenario() -> None:
        async with wire(case) as (fake, adapter):
            crowd = crowd_of(case)
            outcome = await send(case, adapter, uuid4(), crowd.batch(crowd.stranger))
            assert isinstance(outcome, SendError)
            assert (outcome.failure, outcome.account_wide) == (Failure.REFUSED, False)
            assert fake.log == []
            again = await send(case, adapter, uuid4(), crowd.batch(*crowd.people(2)))
            assert isinstance(again, Receipt)

    run(scenario())


@each_case
@each_fault
def test_no_fault_makes_an_adapter_say_of_a_batch_what_is_not_so(
    case: Case, fault: FaultKind
) -> None:
    async def scenario() -> None:
        async with wire(case) as (fake, adapter):
            people = crowd_of(case).people(3)
            add_fault(fake, adapter, fault)
            outcome = await send(case, adapter, uuid4(), crowd_of(case).batch(*people))
            if isinstance(outcome, Receipt):
                assert reached(fake) == Counter(people)
            elif outcome.failure != Failure.UNKNOWN:
                assert fake.log == []
            assert fake.faults.waiting == []

    run(scenario())


@each_keyed_case
@each_fault
def test_a_batch_that_is_tried_again_with_its_key_reaches_each_person_once(
    case: Case, fault: FaultKind
) -> None:
    async def scenario() -> None:
        async with wire(case) as (fake, adapter):
            crowd, key = crowd_of(case), uuid4()
            people = crowd.people(3)
            batch = crowd.batch(*people, crowd.stranger)
            add_fault(fake, adapter, fault)
            await send(case, adapter, key, batch)
            adapter.timeout = 5.0
            for _again in range(2):
                receipt = await send(case, adapter, key, batch)
                assert isinstance(receipt, Receipt)
                assert receipt.answer["refused"] == [crowd.stranger]
            if fault == FaultKind.HANG_THEN_ACCEPT:
                await asyncio.sleep(HANGS - TIMEOUT)  # only now the first try is through
            assert reached(fake) == Counter(people)

    run(scenario())
