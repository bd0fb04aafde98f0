"""Placeholders in a text, such as {room}: which there are, and what stands in their place.
Pure: values in, values out. A name in braces is all there is to it, no format and no dots."""

import re
from collections.abc import Mapping
from datetime import datetime
from unicodedata import normalize

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

LONGEST_NAME = 50
MOST_FILLED = 50_000  # characters of a text that is filled; channels take far less

# What every room has, under the names in which people of our three languages write it.
BUILT_IN: dict[str, tuple[str, ...]] = {
    "room": ("방", "채팅방", "房間", "房间", "群組", "群组"),
    "unit": ("조직", "지점", "單位", "单位"),
    "date": ("날짜", "日期"),
    "time": ("시간", "시각", "時間", "时间"),
}
MEANINGS = {alias: name for name, aliases in BUILT_IN.items() for alias in (name, *aliases)}

IN_BRACES = re.compile(rf"\{{([^{{}}\s]{{1,{LONGEST_NAME}}})\}}")


class TooLong(ValueError):  # noqa: N818 - it is an answer, not a fault
    """The filled text would be longer than anything that is sent."""


def names(text: str) -> list[str]:
    """The placeholders of a text as they are written, each once, in their order."""
    found = (_composed(match) for match in IN_BRACES.finditer(text))
    return list(dict.fromkeys(name for name in found if is_name(name)))


def is_name(text: str) -> bool:
    """Whether this, in braces, is a placeholder: a word of letters, digits and underscores."""
    return len(text) <= LONGEST_NAME and text.isidentifier()


def meaning(name: str) -> str:
    """The name under which its value stands: that of a built-in for any of its aliases."""
    name = normalize("NFC", name)
    return MEANINGS.get(name, name)


def fill(text: str, values: Mapping[str, str], most: int = MOST_FILLED) -> str:
    """The text with each placeholder that has a value replaced by it; all else stays as it is,
    also what a value brings with it. Raises TooLong beyond `most` characters."""
    pieces: list[str] = []
    length = end = 0
    for match in IN_BRACES.finditer(text):
        name = _composed(match)
        value = values.get(meaning(name)) if is_name(name) else None
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
    with translation.override(language):
        date = date_format(at, "DATE_FORMAT")
    return {"room": room, "unit": unit, "date": date, "time": f"{at:%H:%M}"}


def _composed(match: re.Match[str]) -> str:
    # A Mac may write a Korean syllable as its letters: the same word to everybody.
    return normalize("NFC", match[1])
