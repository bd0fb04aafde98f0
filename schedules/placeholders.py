"""Placeholders in a text, such as {room}: which there are, and what stands in their place.
Pure: values in, values out. A name in braces is all there is to it, no format and no dots; a name
in two braces, {{room}}, is the text {room}."""

import re
from collections.abc import Mapping
from datetime import datetime
from unicodedata import normalize

from babel.dates import format_date, format_time
from django.utils.translation import gettext as _

LONGEST_NAME = 50
MOST_FILLED = 50_000  # characters of a text that is filled; channels take far less

# What every room has, under the names in which people of our three languages write it.
BUILT_IN: dict[str, tuple[str, ...]] = {
    "room": ("방", "채팅방", "聊天室", "房間", "房间", "群組", "群组"),
    "unit": ("조직", "지점", "單位", "单位"),
    "date": ("날짜", "日期"),
    "time": ("시간", "시각", "時間", "时间"),
}
MEANINGS = {alias: name for name, aliases in BUILT_IN.items() for alias in (name, *aliases)}

# The names under which they are offered to people of each language; to others those of the code.
SPOKEN = {
    "ko": {"room": "방", "unit": "지점", "date": "날짜", "time": "시간"},
    "zh-hant": {"room": "聊天室", "unit": "單位", "date": "日期", "time": "時間"},
    "zh-hans": {"room": "聊天室", "unit": "单位", "date": "日期", "time": "时间"},
}

NAME = rf"[^{{}}\s]{{1,{LONGEST_NAME}}}"
# Of three braces none escapes another: the name in the middle is filled in, as it always was.
TWICE = rf"(?<!\{{)\{{\{{(?P<literal>{NAME})\}}\}}(?!\}})"
IN_BRACES = re.compile(rf"{TWICE}|\{{(?P<name>{NAME})\}}")

# A day as people of each language write it in a message: “Wed, Nov 25”, “11월 25일 (수)”.
DAYS = {
    "en": ("en", "EEE, MMM d"),
    "ko": ("ko", "M월 d일 (EEE)"),
    "zh-hant": ("zh_Hant", "M月d日（EEE）"),
    "zh-hans": ("zh_Hans", "M月d日（EEE）"),
}
# A time as they write it there: “3:00 PM”, “오후 3:00”, “下午3:00”.
CLOCKS = {"en": "h:mm aaaa", "ko": "aaaa h:mm", "zh-hant": "aaaah:mm", "zh-hans": "aaaah:mm"}


class TooLong(ValueError):  # noqa: N818 - it is an answer, not a fault
    """The filled text would be longer than anything that is sent."""


def names(text: str) -> list[str]:
    """The placeholders of a text as they are written, each once, in their order."""
    found = (_composed(match["name"] or "") for match in IN_BRACES.finditer(text))
    return list(dict.fromkeys(name for name in found if is_name(name)))


def has_any(text: str) -> bool:
    """Whether filling the text would change it, given all values."""
    pairs = (match["name"] or match["literal"] for match in IN_BRACES.finditer(text))
    return any(is_name(_composed(name)) for name in pairs)


def find_passage(text: str, passage: str, start: int = 0) -> int:
    """Where the passage stands from there on, and would be filled in as by itself; -1: nowhere.
    Braces around it may make text of a placeholder: {{phone}} is sent as {phone}."""
    own, there = _pairs(passage), _pairs(text)
    place = text.find(passage, start)
    while place >= 0:
        end = place + len(passage)
        among = [(a - place, b - place, kind) for a, b, kind in there if a < end and b > place]
        if among == own:
            return place
        place = text.find(passage, place + 1)
    return -1


def is_name(text: str) -> bool:
    """Whether this, in braces, is a placeholder: a word of letters, digits and underscores."""
    return len(text) <= LONGEST_NAME and text.isidentifier()


def meaning(name: str) -> str:
    """The name under which its value stands: that of a built-in for any of its aliases."""
    name = normalize("NFC", name)
    return MEANINGS.get(name, name)


def spoken(name: str, language: str) -> str:
    """A built-in one under its name in this language."""
    return SPOKEN.get(language, {}).get(name, name)


def fill(text: str, values: Mapping[str, str], most: int = MOST_FILLED) -> str:
    """The text with each placeholder that has a value replaced by it; all else stays as it is,
    also what a value brings with it. Raises TooLong beyond `most` characters."""
    pieces: list[str] = []
    length = end = 0
    for match in IN_BRACES.finditer(text):
        value = _in_its_place(match, values)
        pieces += [text[end : match.start()], match[0] if value is None else value]
        length += len(pieces[-2]) + len(pieces[-1])
        end = match.end()
        if length > most:
            break
    if length + len(text) - end > most:
        raise TooLong(_("The filled text has more than %(most)d characters.") % {"most": most})
    return "".join([*pieces, text[end:]])


def missing(text: str, values: Mapping[str, str]) -> list[str]:
    """The placeholders of the text that have no value."""
    return [name for name in names(text) if meaning(name) not in values]


def built_in(*, room: str, unit: str, at: datetime, language: str) -> dict[str, str]:
    """The values that every room has. `at` is the appointed time on the room's own clock."""
    language = language if language in DAYS else "en"
    locale, pattern = DAYS[language]
    date = format_date(at, pattern, locale)
    clock = format_time(at.time(), CLOCKS[language], locale=locale)
    return {"room": room, "unit": unit, "date": date, "time": clock}


def _pairs(text: str) -> list[tuple[int, int, str | None]]:
    """From where to where each pair of braces reaches, and of which kind it is."""
    return [(*match.span(), match.lastgroup) for match in IN_BRACES.finditer(text)]


def _in_its_place(match: re.Match[str], values: Mapping[str, str]) -> str | None:
    """What stands there in the filled text; None: what stands there now."""
    if literal := match["literal"]:
        return f"{{{literal}}}" if is_name(_composed(literal)) else None
    name = _composed(match["name"])
    return values.get(meaning(name)) if is_name(name) else None


def _composed(name: str) -> str:
    # A Mac may write a Korean syllable as its letters: the same word to everybody.
    return normalize("NFC", name)
