"""Sending to the room bot's device: what its answers mean, images, pauses, settings."""

import asyncio
import hashlib
import json
import socket
from uuid import uuid4

import pytest

from channels.adapters.base import Failure, Message, Receipt, SendError, Text
from channels.adapters.iris import MOST_PICTURE_BYTES, IrisAdapter, IrisConfig
from channels.http import open_session
from tests.channels.adapters.iris_stage import (
    HTML,
    IMAGES,
    KEY,
    ROOM,
    SUCCESS,
    TEXT,
    Script,
    guarded_session,
    outcome_of,
    picture,
    with_adapter,
)
from tests.fakes.faults import FaultKind
from tests.fakes.iris import IrisFake
from tests.fakes.serving import serving


def test_a_text_is_one_request_as_the_device_wants_it() -> None:
    device = Script(200, SUCCESS)
    assert outcome_of(device) == Receipt(200, answer=json.loads(SUCCESS), queued=True)
    [request] = device.log
    assert (request.method, request.path) == ("POST", "/reply")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["connection"] == "close"
    assert request.headers["idempotency-key"] == str(KEY)
    assert json.loads(request.body) == {"type": "text", "room": ROOM.address, "data": "時間です 😀"}


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (200, HTML, Failure.UNKNOWN),
        (200, "{}", Failure.UNKNOWN),
        (200, '{"success": "true"}', Failure.UNKNOWN),
        (200, "[" * 100_000, Failure.UNKNOWN),
        (204, "", Failure.UNKNOWN),
        (302, "", Failure.REFUSED),
        (404, "", Failure.REFUSED),
        (408, "", Failure.UNKNOWN),
        (413, "", Failure.REFUSED),
        (429, "", Failure.LATER),
        (500, '{"status":false,"message":"For input string: \\"x\\""}', Failure.REFUSED),
        (500, '{"status":false,"message":"Failed to convert request body"}', Failure.REFUSED),
        (500, '{"success":false,"message":"Element class kotlinx"}', Failure.REFUSED),
        (500, '{"status":false,"message":"Failed to allocate 9 bytes"}', Failure.LATER),
        (500, '{"success":false,"message":"unknown error"}', Failure.LATER),
        (500, '{"message":"Internal server error"}', Failure.UNKNOWN),
        (500, HTML, Failure.UNKNOWN),
        (502, '{"status":false,"message":"For input string"}', Failure.UNKNOWN),
        (503, "", Failure.UNKNOWN),
    ],
)
def test_every_other_answer_is_refused_later_or_unknown(
    status: int, body: str, failure: Failure
) -> None:
    outcome = outcome_of(Script(status, body))
    assert isinstance(outcome, SendError)
    assert (outcome.failure, outcome.status) == (failure, status)


@pytest.mark.parametrize("fault", list(FaultKind))
def test_no_fault_makes_it_say_what_is_not_so(fault: FaultKind) -> None:
    fake = IrisFake()
    fake.faults.add(fault, seconds=0.9)
    outcome = outcome_of(fake, timeout=0.6 if "hang" in fault or "drip" in fault else 5.0)
    if isinstance(outcome, Receipt):
        assert [entry.key for entry in fake.log] == [str(KEY)]
    elif outcome.failure != Failure.UNKNOWN:
        assert fake.log == []
    assert fake.faults.waiting == []


def test_a_device_that_is_off_accepted_nothing() -> None:
    async def scenario() -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))  # bound, but nobody listens
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"
            async with guarded_session() as http:
                with pytest.raises(SendError) as caught:
                    await IrisAdapter(IrisConfig(url), http).send(ROOM, TEXT, KEY)
        assert caught.value.failure == Failure.LATER
        assert url not in str(caught.value)

    asyncio.run(scenario())


def test_a_network_that_the_operator_did_not_allow_is_not_called() -> None:
    fake = IrisFake()

    async def scenario() -> None:
        async with serving(fake) as url, open_session(guarded=True) as http:
            with pytest.raises(SendError) as caught:
                await IrisAdapter(IrisConfig(url), http).send(ROOM, TEXT, KEY)
        assert caught.value.failure == Failure.REFUSED

    asyncio.run(scenario())
    assert fake.requests == {}


def test_what_comes_too_early_is_lost_though_it_was_accepted() -> None:
    """The reason for `serial` and `pause_after`."""
    fake = IrisFake(text_seconds=60)

    async def scenario(adapter: IrisAdapter) -> None:
        sends = (adapter.send(ROOM, TEXT, uuid4()) for _ in range(10))
        assert all(isinstance(one, Receipt) for one in await asyncio.gather(*sends))
        for _ in range(10):
            fake.finish()
        assert len(fake.log) == 2

    with_adapter(fake, scenario)
    assert IrisAdapter.serial


def test_one_after_the_other_all_arrive_in_order() -> None:
    fake = IrisFake(text_seconds=0.002, image_seconds=0.005)

    async def read(url: str) -> bytes:
        return url.encode()

    async def scenario(adapter: IrisAdapter) -> None:
        adapter.read_picture = read
        messages: list[Message] = [Text("one"), Text("two"), picture(1), picture(2), Text("end")]
        for part in adapter.pack(messages, spaced=False):
            await adapter.send(ROOM, part.payload, uuid4())
            # A hundredth of the pause, for a device that is as much faster.
            await asyncio.sleep(adapter.pause_after(part.payload) / 100)
        kinds = [[message["type"] for message in entry.messages] for entry in fake.log]
        assert kinds == [["text"], ["text"], ["image", "image"], ["text"]]

    with_adapter(fake, scenario)


def test_images_go_as_their_bytes_together() -> None:
    fake = IrisFake()
    files = {"https://media.example/m/1.png": b"\x89PNG 1", "https://media.example/m/2.png": b"2"}
    assert isinstance(outcome_of(fake, payload=IMAGES, files=files), Receipt)
    [entry] = fake.log
    digests = [hashlib.sha256(data).hexdigest() for data in files.values()]
    assert [message["sha256"] for message in entry.messages] == digests


def test_one_image_goes_as_one() -> None:
    device = Script(200, SUCCESS)
    payload = {"messages": IMAGES["messages"][:1]}
    files = {"https://media.example/m/1.png": b"1"}
    assert isinstance(outcome_of(device, payload=payload, files=files), Receipt)
    assert json.loads(device.log[0].body) == {"type": "image", "room": ROOM.address, "data": "MQ=="}


def test_an_image_that_is_gone_is_refused_before_anything_is_sent() -> None:
    fake = IrisFake()
    outcome = outcome_of(fake, payload=IMAGES, files={})
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.REFUSED
    assert fake.requests == {}


@pytest.mark.parametrize("error", [OSError("storage"), TimeoutError()])
def test_an_image_that_cannot_be_read_now_is_tried_later(error: Exception) -> None:
    async def read(url: str) -> bytes:
        raise error

    fake = IrisFake()
    outcome = outcome_of(fake, payload=IMAGES, read=read)
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.LATER
    assert fake.requests == {}


def test_reading_images_is_part_of_the_time_that_a_send_may_take() -> None:
    async def read(url: str) -> bytes:
        await asyncio.sleep(5)
        raise AssertionError("too late")

    outcome = outcome_of(IrisFake(), payload=IMAGES, read=read, timeout=0.02)
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.LATER


def test_images_that_are_too_large_together_are_refused() -> None:
    fake = IrisFake()
    half = bytes(MOST_PICTURE_BYTES // 2 + 1)
    files = {message["url"]: half for message in IMAGES["messages"]}
    outcome = outcome_of(fake, payload=IMAGES, files=files)
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.REFUSED
    assert "seconds between" in str(outcome)
    assert fake.requests == {}


def test_where_nobody_reads_pictures_they_are_refused() -> None:
    async def scenario(adapter: IrisAdapter) -> None:
        with pytest.raises(SendError) as caught:
            await adapter.send(ROOM, IMAGES, KEY)
        assert caught.value.failure == Failure.REFUSED

    with_adapter(IrisFake(), scenario)


def test_texts_are_parts_of_their_own_and_images_go_together() -> None:
    messages = [picture(1), picture(2), Text("one"), Text("two")]
    adapter = IrisAdapter(IrisConfig())
    parts = adapter.pack(messages, spaced=False)
    kinds = [[bubble.kind for bubble in adapter.preview(part.payload)] for part in parts]
    assert kinds == [["image", "image"], ["text"], ["text"]]
    assert len(adapter.pack(messages, spaced=True)) == 4


@pytest.mark.parametrize(
    ("config", "after_text", "after_images"),
    [
        (IrisConfig(), 1.0, 4.0),
        (IrisConfig(text_seconds="0.5", image_seconds="7.25"), 0.5, 7.25),
        (IrisConfig(text_seconds="", image_seconds="soon"), 1.0, 4.0),
    ],
)
def test_the_device_is_left_alone_as_long_as_the_account_says(
    config: IrisConfig, after_text: float, after_images: float
) -> None:
    adapter = IrisAdapter(config)
    assert (adapter.pause_after(TEXT), adapter.pause_after(IMAGES)) == (after_text, after_images)


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        (IrisConfig(), {"url"}),
        (IrisConfig("http://192.168.0.20:3000"), set()),
        (IrisConfig("http://192.168.0.20:3000/?a=1"), {"url"}),
        (IrisConfig("http://a/", text_seconds="0.2"), {"text_seconds"}),
        (IrisConfig("http://a/", text_seconds="-1"), {"text_seconds"}),
        (IrisConfig("http://a/", image_seconds="61"), {"image_seconds"}),
        (IrisConfig("http://a/", image_seconds="１"), {"image_seconds"}),
        (IrisConfig("http://a/", text_seconds="", image_seconds="0.3"), set()),
    ],
)
def test_an_account_needs_a_url_and_pauses_that_are_some(
    config: IrisConfig, fields: set[str]
) -> None:
    assert set(config.problems()) == fields


@pytest.mark.parametrize(
    ("address", "is_good"),
    [
        ("18398338829933617", True),
        ("9223372036854775807", True),
        ("9223372036854775808", False),
        ("0", False),
        ("", False),
        ("12a", False),
        ("１２", False),
        ("12\n", False),
    ],
)
def test_a_room_is_a_number(address: str, is_good: bool) -> None:
    assert (IrisAdapter(IrisConfig()).address_problem(address) is None) == is_good


def test_where_nobody_can_be_asked_an_acceptance_is_all_there_is() -> None:
    files = {message["url"]: b"x" for message in IMAGES["messages"]}
    for variant, payload in (("irislite", TEXT), ("iris", IMAGES)):
        outcome = outcome_of(IrisFake(), payload=payload, files=files, variant=variant)
        assert isinstance(outcome, Receipt)
        assert not outcome.queued


@pytest.mark.parametrize(
    ("urls", "device"),
    [
        (["http://h", "http://h:80", "HTTP://H/", "http://h.:80/", "http://h:080"], "iris:h:80"),
        (["https://h", "https://h:443/", "https://H."], "iris:h:443"),
        (["http://192.168.0.20:3000", "http://192.168.0.20:3000/"], "iris:192.168.0.20:3000"),
    ],
)
def test_a_device_is_the_same_however_its_url_is_written(urls: list[str], device: str) -> None:
    found = {IrisAdapter(IrisConfig(url)).device for url in urls}
    assert found == {device}
