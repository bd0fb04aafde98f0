"""Apprise: what a yes and a no mean, over the wire to a stand-in for Discord."""

import asyncio
import logging
import socket
import time
from collections.abc import Iterator
from threading import Event
from typing import Any
from uuid import uuid4

import pytest

from channels.adapters.apprise import AppriseAdapter, AppriseConfig
from channels.adapters.base import Bubble, Failure, Picture, Receipt, SendError, Target, Text
from channels.apprise import call as calling
from channels.apprise.passage import Passage
from tests.fakes.discord import URL, DiscordFake
from tests.fakes.faults import FaultKind
from tests.fakes.serving import in_thread

SECRET = "s3cret"
ROOM = Target("Lobby")
MAIL = f"mailtos://user:{SECRET}@example.com/to@example.com"


@pytest.fixture(autouse=True)
def loopback(settings: Any) -> None:
    settings.TEIJI_OUTGOING_ALLOW = ["127.0.0.0/8"]


@pytest.fixture
def discord(monkeypatch: pytest.MonkeyPatch) -> Iterator[DiscordFake]:
    """Apprise's Discord is this one."""
    fake = DiscordFake()
    with in_thread(fake) as url:
        point_at(url, monkeypatch)
        yield fake


def point_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = calling.load().plugins.N_MGR["discord"]
    monkeypatch.setattr(plugin, "notify_url", f"{url}/api/webhooks")


def send(adapter: AppriseAdapter, *texts: str) -> list[Receipt | SendError]:
    async def one(text: str) -> Receipt | SendError:
        [part] = adapter.pack([Text(text)], spaced=False)
        try:
            return await adapter.send(ROOM, part.payload, uuid4())
        except SendError as error:
            assert SECRET not in f"{error} {error!r} {error.answer}"
            return error

    async def scenario() -> list[Receipt | SendError]:
        return await asyncio.gather(*(one(text) for text in texts))

    return asyncio.run(scenario())


def outcome(*, url: str = URL, timeout: float = 5.0) -> Receipt | SendError:
    adapter = AppriseAdapter(AppriseConfig(url))
    adapter.timeout = timeout
    [found] = send(adapter, "時間です")
    return found


def failure(found: Receipt | SendError) -> tuple[Failure, int | None]:
    assert isinstance(found, SendError)
    return found.failure, found.status


def test_a_yes_is_accepted_and_the_text_arrives_as_it_was_written(discord: DiscordFake) -> None:
    assert outcome() == Receipt(answer={"service": "discord"})
    assert [entry.content for entry in discord.log] == ["時間です"]


def test_markup_is_not_interpreted(discord: DiscordFake) -> None:
    text = "<b>1 < 2</b> & *three* C:\\new &amp; {{four}}"
    [found] = send(AppriseAdapter(AppriseConfig(URL)), text)
    assert isinstance(found, Receipt)
    assert [entry.content for entry in discord.log] == [text]


@pytest.mark.parametrize("kind", list(FaultKind))
def test_no_fault_makes_it_say_what_is_not_so(discord: DiscordFake, kind: FaultKind) -> None:
    discord.faults.add(kind, seconds=0.9)
    slow = kind in (FaultKind.HANG_THEN_ACCEPT, FaultKind.HANG_NEVER_ACCEPT, FaultKind.SLOW_DRIP)
    found = outcome(timeout=0.6 if slow else 5.0)
    if isinstance(found, Receipt):
        assert len(discord.log) == 1
    elif found.failure != Failure.UNKNOWN:
        assert discord.log == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (302, Failure.REFUSED),
        (400, Failure.REFUSED),
        (401, Failure.REFUSED),
        (404, Failure.REFUSED),
        (408, Failure.UNKNOWN),
        (429, Failure.LATER),
        (500, Failure.UNKNOWN),
        (503, Failure.UNKNOWN),
    ],
)
def test_a_no_is_told_apart_by_the_services_status(
    discord: DiscordFake, status: int, expected: Failure
) -> None:
    discord.status = status
    discord.headers = {"Location": "http://169.254.169.254/"} if status == 302 else {}
    assert failure(outcome()) == (expected, status)


def test_a_refused_credential_stops_the_account(discord: DiscordFake) -> None:
    discord.status = 401
    found = outcome()
    assert isinstance(found, SendError)
    assert found.account_wide


def test_a_host_that_refuses_connections_accepted_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, but nobody listens
        point_at(f"http://127.0.0.1:{closed.getsockname()[1]}", monkeypatch)
        assert failure(outcome()) == (Failure.LATER, None)


def test_a_time_out_is_unknown_once_something_has_left(discord: DiscordFake) -> None:
    discord.faults.add("hang_then_accept", seconds=0.9)
    assert failure(outcome(timeout=0.6)) == (Failure.UNKNOWN, None)


def test_a_time_out_before_anything_has_left_is_later_and_nothing_ever_leaves(
    discord: DiscordFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, done, answers = Event(), Event(), []
    whole = calling.call

    def call(*given: Any, **more: Any) -> calling.Answer:
        gate.wait(5)
        answers.append(whole(*given, **more))
        done.set()
        return answers[0]

    monkeypatch.setattr("channels.adapters.apprise.call", call)
    assert failure(outcome(timeout=0.05)) == (Failure.LATER, None)
    gate.set()
    assert done.wait(5)
    assert answers == [calling.Answer(False)]
    assert discord.log == []


def test_many_at_once_arrive_each_once(discord: DiscordFake) -> None:
    texts = [f"text {number}" for number in range(30)]
    outcomes = send(AppriseAdapter(AppriseConfig(URL)), *texts)
    assert all(isinstance(found, Receipt) for found in outcomes)
    assert sorted(entry.content for entry in discord.log) == sorted(texts)


def test_a_call_that_hangs_holds_a_place_of_its_own_account_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate, bodies = Event(), []

    def call(*_given: Any, body: str, passage: Passage, **_more: Any) -> calling.Answer:
        bodies.append(body)
        if body == "hangs":
            passage.hand_over()
            gate.wait(5)
        return calling.Answer(True)

    monkeypatch.setattr("channels.adapters.apprise.call", call)
    monkeypatch.setattr("channels.adapters.apprise.THREADS", 1)
    account = AppriseAdapter(AppriseConfig(URL))
    account.timeout = 0.05
    hanging, waiting = send(account, "hangs", "waits")
    [other] = send(AppriseAdapter(AppriseConfig(URL)), "leaves")
    gate.set()
    assert failure(hanging) == (Failure.UNKNOWN, None)
    assert failure(waiting) == (Failure.LATER, None)
    assert isinstance(other, Receipt)
    assert bodies == ["hangs", "leaves"]


def test_a_connection_inside_after_something_has_left_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def call(*_given: Any, passage: Passage, **_more: Any) -> calling.Answer:
        passage.hand_over()
        with pytest.raises(PermissionError):
            passage.connect(("10.0.0.1", 443))
        return calling.Answer(False)

    monkeypatch.setattr("channels.adapters.apprise.call", call)
    assert failure(outcome()) == (Failure.UNKNOWN, None)


def test_a_service_that_asks_for_time_is_left_alone_and_not_slept_for(
    discord: DiscordFake,
) -> None:
    discord.status = 429
    discord.headers = {
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(time.time()) + 5),
    }
    found = outcome()
    assert failure(found) == (Failure.LATER, None)
    assert isinstance(found, SendError)
    assert found.after == pytest.approx(15, abs=2)  # Apprise adds ten for crooked clocks
    discord.headers["X-RateLimit-Reset"] = str(int(time.time()) + 5000)
    found = outcome()
    assert isinstance(found, SendError)
    assert found.after == 60


def test_a_place_inside_is_refused(settings: Any, discord: DiscordFake) -> None:
    settings.TEIJI_OUTGOING_ALLOW = []
    found = outcome()
    assert failure(found) == (Failure.REFUSED, None)
    assert str(found) == "This URL does not lead to a public address."
    assert discord.log == []


def test_a_url_that_is_not_allowed_is_refused_and_stops_the_account() -> None:
    found = outcome(url=f"json://{SECRET}@127.0.0.1/")
    assert failure(found) == (Failure.REFUSED, None)
    assert isinstance(found, SendError)
    assert found.account_wide


def test_apprises_own_fault_is_no_yes_and_tells_nothing(
    discord: DiscordFake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(_self: Any, **_given: Any) -> bool:
        raise KeyError(SECRET)

    plugin = calling.load().plugins.N_MGR["discord"]
    monkeypatch.setattr(plugin, "send", break_down)
    assert failure(outcome()) == (Failure.LATER, None)
    assert SECRET not in caplog.text
    assert "KeyError" in caplog.text


def test_the_secret_is_not_logged_however_much_is(
    discord: DiscordFake, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    outcome()
    discord.status = 404
    outcome()
    AppriseConfig(f"slack://{SECRET}/A/B").problems()
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        ("", False),
        (URL, True),
        (MAIL, True),
        ("file:///etc/passwd", False),
        (f"{URL}?verify=no", False),
        ("slack://T1JJ3T3L2/A1BRTD4JD/short", True),
        ("dingtalk://token?to=1", False),
        ("mailtos://user:word@example/to@x", False),
        ("mailtos://user:word@-/to@example.com", False),  # its shape is right: Apprise says no
    ],
)
def test_an_account_needs_one_allowed_url(url: str, is_good: bool) -> None:
    problems = AppriseConfig(url).problems()
    assert set(problems) == (set() if is_good else {"url"})
    assert not url or url not in str(problems)


def test_each_service_has_its_own_length_and_the_channel_the_shortest() -> None:
    assert AppriseAdapter(AppriseConfig(URL)).limits.text_length == 1900
    assert AppriseAdapter(AppriseConfig(MAIL)).limits.text_length == 20_000
    assert AppriseAdapter(None).limits.text_length == 600


def test_images_go_as_links(discord: DiscordFake) -> None:
    adapter = AppriseAdapter(AppriseConfig(URL))
    picture = Picture("https://media.example/whole.png", "https://media.example/small.png")
    [part] = adapter.pack([picture], spaced=False)
    assert adapter.preview(part.payload) == [Bubble("image", url=picture.url)]
    asyncio.run(adapter.send(ROOM, part.payload, uuid4()))
    assert [entry.content for entry in discord.log] == [picture.url]


def test_the_rooms_name_is_the_subject_of_a_mail_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    titles = []

    def call(*_given: Any, title: str, **_more: Any) -> calling.Answer:
        titles.append(title)
        return calling.Answer(True)

    monkeypatch.setattr("channels.adapters.apprise.call", call)
    for url in (URL, MAIL):
        outcome(url=url)
    assert titles == ["", "Lobby"]


@pytest.mark.parametrize(
    ("address", "is_good"),
    [("Lobby", True), ("로비 1", True), ("x" * 200, True), ("x" * 201, False), ("a\nb", False)],
)
def test_a_room_is_a_printable_name(address: str, is_good: bool) -> None:
    assert (AppriseAdapter(None).address_problem(address) is None) == is_good
