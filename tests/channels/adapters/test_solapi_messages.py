"""Solapi: messages as SMS and Alimtalk want them, numbers, and an account's settings."""

import pytest

from channels.adapters.base import Bubble, Failure, Picture, Receipt, SendError, Target, Text
from channels.adapters.solapi import SolapiAdapter, SolapiConfig
from tests.channels.adapters.solapi_stage import ALIMTALK, PLAIN, outcome_of
from tests.fakes.solapi import (
    API_KEY,
    API_SECRET,
    CHANNEL,
    SENDER,
    TEMPLATE,
    TEMPLATE_TEXT,
    SolapiFake,
)


def test_a_picture_goes_as_a_link() -> None:
    adapter = SolapiAdapter(SolapiConfig())
    picture = Picture("https://media.example/1.png", "https://media.example/1s.png")
    [part] = adapter.pack([picture], spaced=False)
    assert part.payload["messages"][0]["text"] == picture.url
    assert adapter.preview(part.payload) == [
        Bubble("image", url=picture.url, note="SMS: 27 of 90 bytes")
    ]


@pytest.mark.parametrize("fallback", ["yes", "no"])
def test_with_a_template_the_text_goes_as_alimtalk(fallback: str) -> None:
    config = SolapiConfig(API_KEY, API_SECRET, SENDER, CHANNEL, TEMPLATE, fallback=fallback)
    [part] = SolapiAdapter(config).pack([Text(TEMPLATE_TEXT)], spaced=False)
    options = {"pfId": CHANNEL, "templateId": TEMPLATE, "disableSms": fallback == "no"}
    message = {"type": "ATA", "text": TEMPLATE_TEXT, "kakaoOptions": options}
    assert part.payload == {"messages": [message]}
    fake = SolapiFake()
    assert isinstance(outcome_of(fake, config=config, payload=part.payload), Receipt)
    assert fake.log[0].messages == [message]


def test_a_templates_variable_takes_the_text() -> None:
    config = SolapiConfig(API_KEY, API_SECRET, SENDER, CHANNEL, TEMPLATE, "news")
    adapter = SolapiAdapter(config)
    [part] = adapter.pack([Text("Now open")], spaced=False)
    [message] = part.payload["messages"]
    assert message["kakaoOptions"]["variables"] == {"#{news}": "Now open"}
    assert "text" not in message
    assert adapter.preview(part.payload) == [Bubble("text", text="Now open")]
    assert isinstance(outcome_of(SolapiFake(), config=config, payload=part.payload), Receipt)


@pytest.mark.parametrize(
    ("text", "plain", "alimtalk"),
    [("", 0, 0), ("abc", 3, 3), ("시간입니다", 10, 5), ("a 시\n", 5, 4), ("😀", 2, 2)],
)
def test_length_is_bytes_for_sms_and_characters_for_alimtalk(
    text: str, plain: int, alimtalk: int
) -> None:
    assert SolapiAdapter(SolapiConfig()).length(text) == plain
    assert SolapiAdapter(ALIMTALK).length(text) == alimtalk


def test_alimtalk_is_shorter_and_has_no_images() -> None:
    assert SolapiAdapter(SolapiConfig()).limits.text_length == 2000
    assert SolapiAdapter(ALIMTALK).limits.text_length == 1000
    assert SolapiAdapter(ALIMTALK).limits.images == 0


@pytest.mark.parametrize(
    ("number", "is_good"),
    [
        ("01012345678", True),
        ("0111234567", True),
        ("050212345678", True),
        ("010-1234-5678", False),
        ("+821012345678", False),
        ("0212345678", False),
        ("0101234567", True),
        ("010123456789", False),
        ("01012345678\n", False),
        ("０1012345678", False),
        ("", False),
    ],
)
def test_rooms_and_people_are_mobile_numbers(number: str, is_good: bool) -> None:
    adapter = SolapiAdapter(SolapiConfig())
    assert (adapter.address_problem(number) is None) == is_good
    assert (adapter.recipient_problem(number) is None) == is_good


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        (SolapiConfig(), {"api_key", "api_secret", "sender"}),
        (SolapiConfig(API_KEY, API_SECRET, SENDER), set()),
        (SolapiConfig("a, b", API_SECRET, "02-930-2266"), {"api_key", "sender"}),
        (SolapiConfig(API_KEY, API_SECRET, SENDER, CHANNEL), {"template_id"}),
        (SolapiConfig(API_KEY, API_SECRET, SENDER, "", TEMPLATE), {"template_id"}),
        (ALIMTALK, set()),
        (SolapiConfig(API_KEY, API_SECRET, SENDER, CHANNEL, TEMPLATE, "news"), set()),
        (
            SolapiConfig(API_KEY, API_SECRET, SENDER, CHANNEL, TEMPLATE, "#{news}"),
            {"template_variable"},
        ),
    ],
)
def test_an_account_needs_a_key_a_secret_and_a_number(
    config: SolapiConfig, fields: set[str]
) -> None:
    assert set(config.problems()) == fields


def test_a_batch_of_the_largest_size_fits_into_one_request() -> None:
    adapter = SolapiAdapter(SolapiConfig())
    most = adapter.limits.members_per_request
    members = tuple(f"010{number:08}" for number in range(most))
    payload = {"messages": [{"text": str(n)} for n in range(adapter.limits.messages_per_part)]}
    fake = SolapiFake()
    assert isinstance(outcome_of(fake, target=Target("", "", members), payload=payload), Receipt)
    [group] = fake.groups.values()
    assert len(group.registered) == most * adapter.limits.messages_per_part


@pytest.mark.parametrize("text", ["정각입니다", "똠방각하 뷁", "時間 ★ ①", 'a\n"b" …'])
def test_what_an_sms_can_hold_is_let_through(text: str) -> None:
    assert SolapiAdapter(PLAIN).text_problem(text) is None
    assert isinstance(outcome_of(SolapiFake(), payload={"messages": [{"text": text}]}), Receipt)


@pytest.mark.parametrize(("text", "named"), [("정각 😀 입니다 😀🎉", "😀🎉"), ("café", "é")])
def test_what_an_sms_cannot_hold_is_named_before_solapi_refuses_it(text: str, named: str) -> None:
    problem = SolapiAdapter(PLAIN).text_problem(text)
    assert str(problem).endswith(f": {named}")
    outcome = outcome_of(SolapiFake(), payload={"messages": [{"text": text}]})
    assert isinstance(outcome, SendError)
    assert outcome.failure == Failure.REFUSED


def test_an_alimtalk_may_hold_emoji() -> None:
    assert SolapiAdapter(ALIMTALK).text_problem("정각 😀") is None


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("정" * 45, "SMS: 90 of 90 bytes"),
        ("정" * 45 + "!", "LMS: 91 of 2,000 bytes"),
        ("x" * 90, "SMS: 90 of 90 bytes"),
    ],
)
def test_the_preview_says_whether_it_goes_as_sms_or_lms(text: str, note: str) -> None:
    adapter = SolapiAdapter(PLAIN)
    [part] = adapter.pack([Text(text)], spaced=False)
    assert [bubble.note for bubble in adapter.preview(part.payload)] == [note]


def test_a_picture_is_a_link_that_is_counted_too() -> None:
    adapter = SolapiAdapter(PLAIN)
    url = "https://example.com/" + "m" * 90
    [part] = adapter.pack([Picture(url, url)], spaced=False)
    assert adapter.preview(part.payload)[0].note == "LMS: 110 of 2,000 bytes"


@pytest.mark.parametrize("unseen", ["\u00a0", "\ufe0f", "\u200d", "\u200b"])
def test_a_character_that_nobody_sees_is_named_by_its_number(unseen: str) -> None:
    problem = SolapiAdapter(PLAIN).text_problem(f"정각{unseen}")
    assert f"U+{ord(unseen):04X}" in str(problem)
