"""The adapter before its queue: only taken in until the phone says that it typed it."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError

from channels import pull
from channels.adapters import messengerbot as module
from channels.adapters.base import Failure, HandedOver, Picture, Receipt, SendError, Target, Text
from channels.adapters.messengerbot import MessengerBotAdapter, MessengerBotConfig
from channels.models import Account, PulledMessage

pytestmark = pytest.mark.django_db(transaction=True)

ROOM = Target("손님방", "Guests")
PAYLOAD = {"messages": [{"type": "text", "text": "정각입니다 😀"}]}


@pytest.fixture
def account(world) -> Account:
    return Account.objects.create(unit=world.hq, name="Phone", kind="messengerbot")


@pytest.fixture
def adapter(account) -> MessengerBotAdapter:
    return MessengerBotAdapter(MessengerBotConfig(), account_id=account.pk)


def send(adapter, key):
    return asyncio.run(adapter.send(ROOM, PAYLOAD, key))


def ask(adapter, key) -> Receipt | SendError | None:
    try:
        return asyncio.run(adapter.confirm(HandedOver(ROOM, PAYLOAD, key, at=0.0)))
    except SendError as error:
        return error


def fetch(account) -> PulledMessage:
    return pull.next_for(account, "fetch-one", pause=timedelta(0))


def test_a_message_is_only_taken_in_until_the_phone_has_typed_it(adapter, account):
    key = uuid4()
    receipt = send(adapter, key)
    assert (receipt.queued, receipt.already) == (True, False)
    assert ask(adapter, key).failure is Failure.LATER
    row = fetch(account)
    assert (row.address, row.text) == ("손님방", "정각입니다 😀")
    assert ask(adapter, key).failure is Failure.LATER
    pull.answer(account, row.uid, is_shown=True)
    assert ask(adapter, key).request_id == str(row.uid) == receipt.request_id


def test_a_repeat_of_what_was_typed_is_accepted_and_typed_no_more(adapter, account):
    key = uuid4()
    send(adapter, key)
    pull.answer(account, fetch(account).uid, is_shown=True)
    receipt = send(adapter, key)
    assert (receipt.queued, receipt.already) == (False, True)
    assert PulledMessage.objects.count() == 1


def test_what_the_phone_could_not_type_has_failed_with_its_words(adapter, account):
    key = uuid4()
    send(adapter, key)
    pull.answer(account, fetch(account).uid, is_shown=False, why="no such room")
    refusal = ask(adapter, key)
    assert refusal.failure is Failure.REFUSED
    assert "no such room" in str(refusal)


def test_what_was_never_fetched_counts_as_not_sent(adapter, account):
    key = uuid4()
    send(adapter, key)
    PulledMessage.objects.update(fetch_by=datetime(2026, 1, 1, tzinfo=UTC))
    assert ask(adapter, key).failure is Failure.REFUSED
    assert fetch(account) is None


def test_what_was_fetched_and_never_answered_nobody_knows(adapter, account):
    key = uuid4()
    send(adapter, key)
    fetch(account)
    PulledMessage.objects.update(answer_by=datetime(2026, 1, 1, tzinfo=UTC))
    assert ask(adapter, key).failure is Failure.UNKNOWN


def test_what_never_was_in_the_queue_has_not_arrived(adapter):
    assert ask(adapter, uuid4()) is None


def test_a_database_that_fails_leaves_it_unknown(adapter, monkeypatch):
    def put(*_args, **_options):
        raise OperationalError("gone")

    monkeypatch.setattr(module.pull, "put", put)
    with pytest.raises(SendError) as caught:
        send(adapter, uuid4())
    assert caught.value.failure is Failure.UNKNOWN


def test_a_worker_whose_clock_stands_still_hands_nothing_over(adapter):
    adapter.now = lambda: 0.0
    with pytest.raises(SendError) as caught:
        send(adapter, uuid4())
    assert caught.value.failure is Failure.LATER


def test_it_waits_as_long_as_the_account_says(adapter):
    adapter.config = MessengerBotConfig(wait_seconds="60")
    send(adapter, uuid4())
    row = PulledMessage.objects.get()
    assert timedelta(seconds=59) < row.fetch_by - row.queued_at <= timedelta(seconds=60)


def test_images_are_not_packed():
    with pytest.raises(ValueError, match="no images"):
        MessengerBotAdapter(None).pack([Picture("https://a/b", "https://a/b")], spaced=False)
    assert MessengerBotAdapter.limits.images == 0


def test_texts_are_counted_as_the_app_counts():
    assert MessengerBotAdapter(None).length("가😀") == 3


@pytest.mark.parametrize(
    ("address", "is_good"),
    [
        ("손님방 (1호점)", True),
        ("a" * 100, True),
        ("a" * 101, False),
        ("", False),
        (" 손님방", False),
        ("손님방\n", False),
        ("손님\t방", False),
    ],
)
def test_a_room_is_a_name(address, is_good):
    assert (MessengerBotAdapter(None).address_problem(address) is None) == is_good


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        (MessengerBotConfig(), set()),
        (MessengerBotConfig(wait_seconds="29"), {"wait_seconds"}),
        (MessengerBotConfig(wait_seconds="601", pause_seconds="0"),
         {"wait_seconds", "pause_seconds"}),
        (MessengerBotConfig(wait_seconds="６０"), {"wait_seconds"}),
        (MessengerBotConfig(wait_seconds="", pause_seconds=""), set()),
    ],
)  # fmt: skip
def test_its_times_are_bounded(config, fields):
    assert set(config.problems()) == fields


def test_without_a_token_nobody_is_believed():
    assert not MessengerBotConfig().is_token("")
    assert MessengerBotConfig(token="mb_1").is_token("mb_1")
    assert not MessengerBotConfig(token="mb_1").is_token("mb_é")


def test_a_text_is_a_part_of_its_own():
    adapter = MessengerBotAdapter(None)
    assert len(adapter.pack([Text("a"), Text("b")], spaced=False)) == 2
