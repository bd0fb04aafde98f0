"""An adapter's word: what it says that it can do it does, and what it cannot do it says."""

import time
from typing import Any
from uuid import uuid4

import pytest

from channels.adapters import registry
from channels.adapters.base import (
    Adapter,
    Failure,
    HandedOver,
    Picture,
    Receipt,
    SendError,
    Target,
    Text,
)
from channels.adapters.counting import Counting
from tests.channels.adapters.cases import CASES, Case, each
from tests.channels.adapters.contract_stage import run, send, wire

PICTURE = Picture("https://media.example/whole.png", "https://media.example/small.png")

each_kind = pytest.mark.parametrize("kind", sorted(registry()))
each_case = each(CASES)


@pytest.fixture(autouse=True)
def loopback(settings: Any) -> None:
    """Apprise asks for it by itself."""
    settings.TEIJI_OUTGOING_ALLOW = ["127.0.0.0/8"]


def packer(kind: str) -> Adapter:
    found = registry()[kind]
    return found(found.config_class())


@each_case
def test_no_room_is_called_nothing_and_that_of_its_case_is_one(case: Case) -> None:
    adapter = packer(case.kind)
    assert case.kind == "sandbox" or adapter.address_problem("")
    assert adapter.address_problem(case.target.address) is None


@each_case
def test_a_channel_without_audiences_takes_nobody_and_one_with_them_takes_no_blank(
    case: Case,
) -> None:
    adapter = packer(case.kind)
    assert adapter.recipient_problem("")
    if case.crowd:
        assert [adapter.recipient_problem(one) for one in case.crowd.people(2)] == [None, None]
    else:
        assert adapter.limits.members_per_request == 0
        assert adapter.recipient_problem("01012345678")


@each_case
def test_what_can_be_asked_knows_what_arrived_and_what_cannot_says_so(case: Case) -> None:
    async def scenario() -> None:
        async with wire(case) as (fake, adapter):
            target, key = case.target, uuid4()
            outcome = await send(case, adapter, key)
            assert isinstance(outcome, Receipt)
            assert len(fake.log) == 1  # it has arrived
            if not adapter.confirms:
                with pytest.raises(SendError) as caught:
                    await adapter.confirm(handed_over(adapter, target, key))
                assert caught.value.failure is Failure.UNKNOWN
                return
            assert await adapter.confirm(handed_over(adapter, target, key))
            other = handed_over(adapter, target, uuid4(), text="never sent")
            assert await adapter.confirm(other) is None

    run(scenario())


@each({name: case for name, case in CASES.items() if case.crowd})
def test_of_a_batch_it_can_be_asked_without_its_people(case: Case) -> None:
    async def scenario() -> None:
        async with wire(case) as (_fake, adapter):
            assert case.crowd
            key, batch = uuid4(), case.crowd.batch(*case.crowd.people(2))
            assert isinstance(await send(case, adapter, key, batch), Receipt)
            if adapter.confirms:
                assert await adapter.confirm(handed_over(adapter, Target("", batch.name), key))

    run(scenario())


@each_kind
@pytest.mark.parametrize(
    ("says", "does"),
    [
        ("hears", "inbound"),
        ("meters", "quota"),
        ("serial", "pause_after"),
        ("counts", "counted"),
        ("labels_a_month", "labelled"),
        ("labels_a_month", "statistics"),
    ],
)
def test_it_says_that_it_can_if_and_only_if_it_can(kind: str, says: str, does: str) -> None:
    found: Any = registry()[kind]
    base: Any = Adapter if hasattr(Adapter, does) else Counting
    is_own = _function(getattr(found, does)) is not _function(getattr(base, does))
    assert bool(getattr(found, says)) == is_own


@each_kind
def test_what_is_checked_and_who_meters_says_of_which_zone_its_month_is(kind: str) -> None:
    found = registry()[kind]
    assert found.can_be_checked() == (found.check is not Adapter.check)
    assert not found.meters or found.quota_zone


@each_kind
def test_pictures_are_taken_if_and_only_if_it_says_so(kind: str) -> None:
    adapter = packer(kind)
    if adapter.limits.images:
        assert adapter.pack([PICTURE], spaced=False)
    else:
        with pytest.raises(ValueError, match=r"\w"):
            adapter.pack([PICTURE], spaced=False)


def handed_over(adapter: Adapter, target: Target, key: Any, text: str = "one") -> HandedOver:
    [part] = adapter.pack([Text(text)], spaced=False)
    return HandedOver(target, part.payload, key, at=time.time())


def _function(found: Any) -> Any:
    return getattr(found, "__func__", found)
