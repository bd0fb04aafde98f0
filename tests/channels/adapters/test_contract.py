"""What every adapter promises the engine: over the registry, and over the wire to its fake.

Of batches: test_contract_batches.py; of questions: test_contract_questions.py; of what it says of
itself: test_contract_words.py."""

import asyncio
import dataclasses
import json
import socket
from typing import Any
from uuid import uuid4

import pytest

from channels.adapters import registry
from channels.adapters.base import (
    Adapter,
    Bubble,
    Failure,
    Message,
    Part,
    Picture,
    Receipt,
    SendError,
    Text,
)
from tests.channels.adapters.cases import CASES, Case, each
from tests.channels.adapters.contract_stage import (
    HANGS,
    TIMEOUT,
    add_fault,
    logged,
    run,
    send,
    session,
    wire,
)
from tests.fakes.faults import FaultKind

PICTURE = Picture("https://media.example/whole.png", "https://media.example/small.png")
MESSAGES: list[Message] = [Text("one"), PICTURE, *(Text(f"text {n}") for n in range(5))]

each_kind = pytest.mark.parametrize("kind", sorted(registry()))
each_case = each(CASES)
each_keyed_case = each(
    {n: case for n, case in CASES.items() if case.make_adapter("", None).takes_key}
)
each_case_at_once = each({n: case for n, case in CASES.items() if not registry()[case.kind].serial})
each_case_with_a_host = each({n: case for n, case in CASES.items() if not case.is_in_house})


@pytest.fixture(autouse=True)
def loopback(settings: Any) -> None:
    """Apprise asks for it by itself."""
    settings.TEIJI_OUTGOING_ALLOW = ["127.0.0.0/8"]


def test_every_adapter_is_put_before_a_fake() -> None:
    assert set(registry()) == {case.kind for case in CASES.values()}


@each_kind
def test_an_adapter_says_what_it_is(kind: str) -> None:
    found = registry()[kind]
    assert found.kind == kind
    assert str(found.label)
    assert str(found.address_help)
    assert found.limits.text_length > 0
    assert found.limits.messages_per_part > 0
    assert found.timeout > 0


@each_kind
def test_every_setting_has_a_title_and_a_help_text_and_is_text(kind: str) -> None:
    for setting in dataclasses.fields(registry()[kind].config_class):
        assert str(setting.metadata["title"]), setting.name
        assert str(setting.metadata["help_text"]), setting.name
        assert isinstance(setting.default, str), setting.name
        choices = [value for value, _title in setting.metadata["choices"]]
        assert not choices or setting.default in choices, setting.name


@each_kind
def test_settings_of_an_older_version_can_be_loaded_and_problems_name_settings(kind: str) -> None:
    config_class = registry()[kind].config_class
    problems = config_class.load({"a_setting_of_long_ago": "x"}).problems()
    assert set(problems) <= {setting.name for setting in dataclasses.fields(config_class)}


@each_kind
def test_packing_keeps_the_order_within_the_size_of_a_part(kind: str) -> None:
    adapter = _packer(kind)
    messages = _taken(adapter, MESSAGES)
    parts = adapter.pack(messages, spaced=False)
    assert max(_sizes(adapter, parts)) <= adapter.limits.messages_per_part
    assert len(parts) == -(-len(messages) // adapter.limits.messages_per_part)
    assert _shown(adapter, parts) == messages


@each_kind
def test_spaced_messages_are_parts_of_their_own(kind: str) -> None:
    adapter = _packer(kind)
    messages = _taken(adapter, MESSAGES)
    parts = adapter.pack(messages, spaced=True)
    assert _sizes(adapter, parts) == [1] * len(messages)
    assert _shown(adapter, parts) == messages


@each_kind
def test_a_payload_survives_storage(kind: str) -> None:
    adapter = _packer(kind)
    for part in adapter.pack(_taken(adapter, MESSAGES), spaced=False):
        stored = json.loads(json.dumps(part.payload))
        assert stored == part.payload
        assert adapter.preview(stored) == adapter.preview(part.payload)


@each_case
def test_an_accepted_part_gives_a_receipt_and_arrives_as_it_was_packed(case: Case) -> None:
    async def scenario() -> None:
        async with wire(case) as (fake, adapter):
            messages = _taken(adapter, [Text("one"), PICTURE])
            part, *_more = adapter.pack(messages, spaced=False)
            receipt = await adapter.send(case.target, part.payload, key := uuid4())
            assert receipt.status in (200, None)  # None: a vendor's library that tells none
            assert not receipt.already
            [entry] = fake.log
            assert [entry.key] == logged(case, key)
            assert entry.to == (case.target.address if case.names_room else "")
            assert {"messages": entry.messages} == part.payload

    run(scenario())


@each_case
@pytest.mark.parametrize("fault", list(FaultKind))
def test_no_fault_makes_an_adapter_say_what_is_not_so(case: Case, fault: FaultKind) -> None:
    async def scenario() -> None:
        async with wire(case) as (fake, adapter):
            add_fault(fake, adapter, fault)
            outcome = await send(case, adapter, key := uuid4())
            if isinstance(outcome, Receipt):
                assert [entry.key for entry in fake.log] == logged(case, key)
            elif outcome.failure != Failure.UNKNOWN:
                assert fake.log == []
            assert fake.faults.waiting == []

    run(scenario())


@each_keyed_case
@pytest.mark.parametrize("fault", list(FaultKind))
def test_the_same_key_is_accepted_once_whatever_happened_before(
    case: Case, fault: FaultKind
) -> None:
    async def scenario() -> None:
        async with wire(case) as (fake, adapter):
            key = uuid4()
            add_fault(fake, adapter, fault)
            await send(case, adapter, key)
            adapter.timeout = 5.0
            assert isinstance(await send(case, adapter, key), Receipt)
            assert isinstance(await send(case, adapter, key), Receipt)
            if fault == FaultKind.HANG_THEN_ACCEPT:
                await asyncio.sleep(HANGS - TIMEOUT)  # only now the first try is through
            assert [entry.key for entry in fake.log] == [str(key)]

    run(scenario())


@each_case_with_a_host
def test_a_host_that_refuses_connections_accepted_nothing(case: Case) -> None:
    async def scenario() -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))  # bound, but nobody listens
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"
            async with session(case) as http:
                with case.standing_in(case.make_fake(), url):
                    outcome = await send(case, case.make_adapter(url, http), uuid4())
        assert isinstance(outcome, SendError)
        assert outcome.failure == Failure.LATER
        assert url not in str(outcome)

    run(scenario())


@each_case_at_once
def test_many_parts_at_once_arrive_each_once(case: Case) -> None:
    async def scenario() -> None:
        async with wire(case) as (fake, adapter):
            keys = [uuid4() for _ in range(40)]
            outcomes = await asyncio.gather(*(send(case, adapter, key) for key in keys))
            assert all(isinstance(outcome, Receipt) for outcome in outcomes)
            assert sorted(entry.key for entry in fake.log) == logged(case, *keys)

    run(scenario())


def _packer(kind: str) -> Adapter:
    found = registry()[kind]
    return found(found.config_class())


def _taken(adapter: Adapter, messages: list[Message]) -> list[Message]:
    """What of these messages the channel takes."""
    return [m for m in messages if adapter.limits.images or isinstance(m, Text)]


def _sizes(adapter: Adapter, parts: list[Part]) -> list[int]:
    return [len(adapter.preview(part.payload)) for part in parts]


def _shown(adapter: Adapter, parts: list[Part]) -> list[Message]:
    """What the previews show, in the words of what went in."""
    bubbles = [bubble for part in parts for bubble in adapter.preview(part.payload)]
    return [_message(bubble) for bubble in bubbles]


def _message(bubble: Bubble) -> Message:
    if bubble.kind == "text":
        return Text(bubble.text)
    assert bubble.kind == "image"
    assert bubble.url in (PICTURE.url, PICTURE.preview_url)
    return PICTURE
