"""Placeholders: a name in braces, its value, and nothing cleverer than that."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.placeholders import (
    BUILT_IN,
    TooLong,
    built_in,
    fill,
    find_passage,
    has_any,
    is_name,
    meaning,
    missing,
    names,
)

NAMES = st.from_regex(r"[a-z가-힣房間_][a-z0-9가-힣_]{0,10}", fullmatch=True)
VALUES = st.dictionaries(NAMES.map(meaning), st.text(max_size=20), max_size=4)
# Texts with many braces, names and the beginnings of cleverness among them.
TEXTS = st.lists(
    st.one_of(st.text(max_size=8), NAMES.map("{{{}}}".format), st.sampled_from("{}!:.[]"))
).map("".join)

AT = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)


@given(TEXTS, VALUES)
def test_a_text_is_filled_as_if_each_name_were_replaced_by_itself(text, values):
    expected, rest = "", text
    while rest:
        literal, closed, after = rest[2:].partition("}}")
        if (
            rest.startswith("{{") and closed and is_name(literal)
            and not after.startswith("}") and not text[: -len(rest)].endswith("{")
        ):  # fmt: skip
            expected, rest = expected + f"{{{literal}}}", after
            continue
        name, closed, after = rest[1:].partition("}")
        known = rest[0] == "{" and closed and is_name(name) and meaning(name) in values
        expected += values[meaning(name)] if known else rest[0]
        rest = after if known else rest[1:]
    assert fill(text, values) == expected


@pytest.mark.parametrize(
    ("text", "passage", "place"),
    [
        ("Ring {phone} now", "{phone}", 5),
        ("Ring {{phone}} now", "{phone}", -1),
        ("Ring {{phone}}, {phone}", "{phone}", 16),
        ("{{{SALE}}}", "{{SALE}}", -1),
        ("{ {phone} }", "{phone}", 2),
        ("{Dear {room},}", "Dear {room},", 1),
        ("Dear", "Dear {room},", -1),
    ],
)
def test_a_passage_stands_where_it_means_what_it_means_by_itself(text, passage, place):
    assert find_passage(text, passage) == place


@given(TEXTS, TEXTS.filter(str.strip), TEXTS, VALUES)
def test_a_passage_that_stands_in_a_text_is_filled_there_as_by_itself(
    before, middle, after, values
):
    text = before + middle + after
    place = find_passage(text, middle)
    if place >= 0:
        rest = text[place + len(middle) :]
        assert fill(text, values) == (
            fill(text[:place], values) + fill(middle, values) + fill(rest, values)
        )


@given(TEXTS)
def test_without_a_value_only_double_braces_change(text):
    assert fill(text, {}) == text or "{{" in text
    assert missing(text, {}) == names(text)


@given(TEXTS, VALUES)
def test_what_has_nothing_to_fill_in_is_sent_as_it_is(text, values):
    assert has_any(text) or fill(text, values) == text


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{room}}", "{room}"), ("{{방}} {방}", "{방} here"), ("{{a}}{room}", "{a}here"),
        ("{{{room}}}", "{{here}}"), ("{{room}", "{here"), ("{{room}}}", "{here}}"),
        ("{{ room }}", "{{ room }}"), ("{{1st}}", "{{1st}}"),
    ],
)  # fmt: skip
def test_a_name_in_two_braces_is_meant_as_it_stands(text, filled):
    assert fill(text, {"room": "here"}) == filled
    assert missing(text, {"room": "here"}) == []


@given(TEXTS, VALUES)
def test_what_is_not_missing_is_gone_and_what_is_missing_stays(text, values):
    plain = {name: value.replace("{", "").replace("}", "") for name, value in values.items()}
    left = names(fill(text, plain))
    assert set(missing(text, plain)) <= set(left)


@given(TEXTS, VALUES, st.integers(0, 60))
def test_the_result_is_never_longer_than_it_may_be(text, values, most):
    whole = fill(text, values)
    if len(whole) <= most:
        assert fill(text, values, most) == whole
    else:
        with pytest.raises(TooLong):
            fill(text, values, most)


@pytest.mark.parametrize(
    "text",
    ["{}", "{ room }", "{room.name}", "{room!r}", "{room:>9}", "{room[0]}", "{0}", "{1st}",
     "{a b}", "{a-b}", "{room", "room}", "{{}}", "{" + "n" * 51 + "}", "{\n}"],
)  # fmt: skip
def test_what_is_not_a_name_in_braces_stays_as_it_is(text):
    assert names(text) == []
    assert fill(text, {"room": "x", "a": "y", "0": "z"}) == text


def test_a_value_is_not_filled_in_again():
    assert fill("{a}{b}", {"a": "{b}", "b": "{a}"}) == "{b}{a}"


def test_many_names_with_a_long_value_do_not_fill_the_memory():
    with pytest.raises(TooLong):
        fill("{a}" * 16_000, {"a": "x" * 1000})


def test_names_come_once_and_in_their_order():
    assert names("{b} {a} {b} {방}") == ["b", "a", "방"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_names_are_known_by_korean_and_chinese_words(name):
    for alias in BUILT_IN[name]:
        assert is_name(alias)
        assert meaning(alias) == name
        assert fill(f"{{{alias}}}", {name: "here"}) == "here"


def test_a_syllable_written_as_its_letters_is_the_same_word():
    decomposed = "{\u1107\u1161\u11bc}"  # as a Mac may write {방}
    assert names(decomposed) == ["방"]
    assert fill(decomposed, {"room": "Xinyi"}) == "Xinyi"


@pytest.mark.parametrize(
    ("language", "date", "morning", "afternoon"),
    [
        ("en", "Mon, Nov 23", "9:05 AM", "3:00 PM"),
        ("ko", "11월 23일 (월)", "오전 9:05", "오후 3:00"),
        ("zh-hant", "11月23日（週一）", "上午9:05", "下午3:00"),
        ("zh-hans", "11月23日（周一）", "上午9:05", "下午3:00"),
        ("xx", "Mon, Nov 23", "9:05 AM", "3:00 PM"),
    ],
)
def test_day_and_time_are_written_in_the_language(language, date, morning, afternoon):
    values = built_in(room="Xinyi room", unit="Xinyi", at=AT, language=language)
    assert values == {"room": "Xinyi room", "unit": "Xinyi", "date": date, "time": morning}
    later = AT.replace(hour=15, minute=0)
    values = built_in(room="Xinyi room", unit="Xinyi", at=later, language=language)
    assert values["time"] == afternoon
