"""The sandbox behaves as it was told to."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from channels.adapters import sandbox as module
from channels.adapters.base import (
    Failure,
    HandedOver,
    Picture,
    Quota,
    SendError,
    Target,
    Text,
)
from channels.adapters.sandbox import SandboxAdapter, SandboxConfig
from channels.models import SandboxMessage

pytestmark = pytest.mark.django_db(transaction=True)

ROOM = Target("lobby", "Lobby")


def adapter(world, **config: str) -> SandboxAdapter:
    return SandboxAdapter(SandboxConfig(**config), account_id=world.sandbox.pk)


def send(sender: SandboxAdapter, key=None, messages=(), to=ROOM):
    (part,) = sender.pack(messages or [Text("Hello")], spaced=False)
    return asyncio.run(sender.send(to, part.payload, key or uuid4()))


def batch(*members: str) -> Target:
    return Target("audience#0", "Regulars", members)


def shown_at() -> list[tuple[str, str]]:
    """Who was shown what, in order."""
    rows = SandboxMessage.objects.order_by("id").values_list("address", "body__text")
    return list(rows)


def failure(sender: SandboxAdapter) -> Failure:
    with pytest.raises(SendError) as caught:
        send(sender)
    return caught.value.failure


def test_what_is_accepted_stands_in_the_room_in_order(world):
    send(adapter(world), messages=[Text("Hello"), Picture("/m/a.jpg", "/m/b.jpg")])
    bodies = list(SandboxMessage.objects.values_list("body", flat=True))
    assert bodies == [{"kind": "text", "text": "Hello"}, {"kind": "image", "url": "/m/b.jpg"}]


def test_a_repeated_key_is_shown_once(world):
    sender, key = adapter(world), uuid4()
    assert not send(sender, key).already
    assert send(sender, key).already
    assert SandboxMessage.objects.count() == 1


def test_without_keys_a_repeat_is_shown_twice(world):
    sender, key = adapter(world, honours_key="no"), uuid4()
    assert not sender.takes_key
    send(sender, key)
    send(sender, key)
    assert SandboxMessage.objects.count() == 2


@pytest.mark.parametrize(
    ("behaviour", "expected", "shown"),
    [
        ("refuse", "refused", 0),
        ("later", "later", 0),
        ("hang", "unknown", 0),
        ("lose", "unknown", 1),
    ],
)
def test_it_fails_as_it_was_told_to(world, monkeypatch, behaviour, expected, shown):
    monkeypatch.setattr(module, "HANG_SECONDS", 0.01)
    assert failure(adapter(world, behaviour=behaviour)) == expected
    assert SandboxMessage.objects.count() == shown


def test_a_pretended_quota_is_spent_by_requests_and_never_by_repeats(world):
    sender, key = adapter(world, quota="2"), uuid4()
    send(sender, key, messages=[Text("one"), Text("two")])
    send(sender)
    assert asyncio.run(sender.quota()) == Quota(limit=2, used=2)
    with pytest.raises(SendError) as caught:
        send(sender)
    error = caught.value
    assert (error.failure, error.account_wide, error.spent) == (Failure.REFUSED, True, True)
    assert send(sender, key).already
    SandboxMessage.objects.update(arrived_at=datetime(2020, 1, 31, tzinfo=UTC))
    send(sender)  # another month


def test_without_a_quota_it_sends_as_much_as_it_likes(world):
    send(adapter(world))
    assert asyncio.run(adapter(world).quota()) == Quota(limit=None, used=1)


@pytest.mark.parametrize("quota", ["", "0", "500"])
def test_a_pretended_quota_is_a_whole_number(quota):
    assert SandboxConfig(quota=quota).problems() == {}


@pytest.mark.parametrize("quota", ["-1", "many", "9" * 10, "٣"])
def test_what_is_no_number_is_refused(quota):
    assert "quota" in SandboxConfig(quota=quota).problems()


def test_each_of_an_audience_is_shown_each_message(world):
    receipt = send(adapter(world), messages=[Text("one"), Text("two")], to=batch("ann", "ben"))
    assert shown_at() == [("ann", "one"), ("ann", "two"), ("ben", "one"), ("ben", "two")]
    assert receipt.answer == {"shown": 2}


def test_an_unknown_address_costs_only_itself(world):
    sender = adapter(world, strangers="gone-")
    receipt = send(sender, to=batch("ann", "gone-2", "ben", "gone-1"))
    assert [address for address, _text in shown_at()] == ["ann", "ben"]
    assert receipt.answer["refused"] == ["gone-1", "gone-2"]


@pytest.mark.parametrize("to", [batch("gone-1", "gone-2"), Target("gone-room")])
def test_where_nobody_is_known_it_is_refused(world, to):
    with pytest.raises(SendError) as caught:
        send(adapter(world, strangers="gone-"), to=to)
    assert (caught.value.failure, caught.value.account_wide) == (Failure.REFUSED, False)
    assert shown_at() == []


@pytest.mark.parametrize(("honours_key", "times"), [("yes", 1), ("no", 2)])
def test_a_batch_whose_answer_was_lost_is_known_again_by_its_key(world, honours_key, times):
    told, key = {"honours_key": honours_key}, uuid4()
    with pytest.raises(SendError):
        send(adapter(world, behaviour="lose", **told), key, to=batch("ann", "ben"))
    assert send(adapter(world, **told), key, to=batch("ann", "ben")).already == (times == 1)
    assert sorted(shown_at()) == sorted([("ann", "Hello"), ("ben", "Hello")] * times)


def test_a_batch_is_billed_by_its_people_and_never_fits_in_part(world):
    sender = adapter(world, quota="3", strangers="gone-")
    send(sender, to=batch("ann", "ben", "gone-1"), messages=[Text("one"), Text("two")])
    assert asyncio.run(sender.quota()).used == 2
    with pytest.raises(SendError) as caught:
        send(sender, to=batch("ann", "ben"))
    assert caught.value.spent
    assert asyncio.run(sender.quota()).used == 2


@pytest.mark.parametrize(
    ("address", "is_good"),
    [("kim-01", True), ("金先生", True), ("kim 01", False), ("", False), (" kim", False)],
)
def test_a_person_is_one_word(address, is_good):
    assert (SandboxAdapter(SandboxConfig()).recipient_problem(address) is None) == is_good


def test_it_can_be_asked_whether_a_message_arrived(world):
    sender, key = adapter(world, behaviour="lose"), uuid4()
    with pytest.raises(SendError):
        send(sender, key)
    sent = HandedOver(ROOM, {}, key, at=0.0)
    assert asyncio.run(sender.confirm(sent)) is not None
    assert asyncio.run(sender.confirm(replace(sent, key=uuid4()))) is None
