"""What the chosen channels do not take is refused at registration, at its field."""

from typing import Any

import pytest

from channels.models import Account, Room
from orgs.clock import database_now
from schedules import rules
from schedules.wizard.counting import counting_of

pytestmark = pytest.mark.django_db

ALIMTALK = {"pf_id": "KA01PF", "template_id": "KA01TP"}


@pytest.fixture
def room_at(world):
    """A room of a new account at this channel."""

    def make(kind: str, address: str, **config: str) -> Room:
        number = Account.objects.count()
        account = Account.objects.create(
            unit=world.hq, name=f"Account {number}", kind=kind, is_shared=True, config=config
        )
        return Room.objects.create(
            unit=world.xinyi, account=account, name=f"At {number}", address=address
        )

    return make


@pytest.fixture
def problems(world, make_schedule):
    def find(rooms: list[Room], **values: Any) -> dict[str, list[str]]:
        schedule = make_schedule(rooms=rooms, **values)
        return rules.problems(schedule, by=world.people["hq"], now=database_now())

    return find


def test_an_emoji_in_an_sms_is_refused_and_named(room_at, problems):
    found = problems([room_at("solapi", "01012345678")], text="정각입니다 😀")
    assert set(found) == {"text"}
    assert found["text"][0].endswith("emoji for instance: 😀")


def test_so_is_one_that_a_placeholder_brings(room_at, problems):
    room = room_at("solapi", "01012345678")
    Room.objects.filter(pk=room.pk).update(name="Shop 😀")
    found = problems([room], text="{room}")
    assert set(found) == {"text"}
    assert found["text"][0].endswith("emoji for instance: 😀")


def test_an_alimtalk_may_hold_one_and_both_accounts_are_asked(room_at, problems):
    alimtalk = room_at("solapi", "01012345678", **ALIMTALK)
    assert problems([alimtalk], text="정각입니다 😀") == {}
    for rooms in ([alimtalk, room_at("solapi", "01012345679")],
                  [room_at("solapi", "01012345678"), alimtalk]):  # fmt: skip
        assert len(problems(rooms, text="정각입니다 😀")["text"]) == 1


AT = {
    "sms": ("solapi", "01012345678", {}),
    "alimtalk": ("solapi", "01012345678", ALIMTALK),
    "messengerbot": ("messengerbot", "손님방", {}),
    "iris": ("iris", "18398338829933617", {}),
}


@pytest.mark.parametrize(
    ("where", "length", "said"),
    [
        ("sms", 1001, "2000 bytes (a Korean character is two); this is 2002."),
        ("alimtalk", 1001, "1000 characters (an emoji counts as two); this is 1001."),
        ("messengerbot", 5001, "5000 characters (an emoji counts as two); this is 5001."),
        ("iris", 5001, "5000 characters; this is 5001."),
    ],
)
def test_a_text_that_is_too_long_is_counted_in_the_channels_own_unit(
    room_at, problems, where, length, said
):
    kind, address, config = AT[where]
    (message,) = problems([room_at(kind, address, **config)], text="가" * length)["text"]
    assert said in message


def test_images_are_refused_where_the_phone_cannot_type_them(room_at, problems, make_images):
    found = problems([room_at("messengerbot", "손님방")], images=make_images(1))
    assert found == {"images": ["KakaoTalk room bot (MessengerBot) takes no images."]}


@pytest.mark.parametrize(
    ("where", "counted"),
    [
        ("sms", ("wide", 5)),
        ("alimtalk", ("utf16", 4)),
        ("messengerbot", ("utf16", 4)),
        ("iris", ("characters", 3)),
    ],
)
def test_the_browser_counts_as_the_channel_does(room_at, make_schedule, where, counted):
    kind, address, config = AT[where]
    draft = make_schedule(rooms=[room_at(kind, address, **config)], text="가a😀")
    counting = counting_of(draft)
    assert counting is not None
    assert (counting.unit, counting.length) == counted
