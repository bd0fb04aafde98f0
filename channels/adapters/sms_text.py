"""What a Korean SMS or LMS can hold: the characters of CP949 (EUC-KR and the rest of Hangul)."""

import unicodedata
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

SHOWN = 20  # characters that a message names
SMS_BYTES = 90  # a longer text goes as LMS, which costs more
LMS_BYTES = 2000
UNSEEN = ("C", "M", "Z")  # controls, marks such as those of emoji, spaces


def length(text: str) -> int:
    """In bytes: an ASCII character is one, everything else two."""
    return sum(1 if character.isascii() else 2 for character in text)


def problem_in(text: str) -> Any | None:
    """Why it cannot hold this text, or None; the characters are named, each once."""
    unknown = list(dict.fromkeys(one for one in text if not _is_known(one)))
    words = _("An SMS cannot hold these characters, emoji for instance: %(characters)s")
    named = "".join(_named(one) for one in unknown[:SHOWN])
    return words % {"characters": named} if unknown else None


def kind_of(text: str) -> str:
    """As what it goes, and how much of that it takes."""
    count = length(text)
    kind, most = ("SMS", SMS_BYTES) if count <= SMS_BYTES else ("LMS", LMS_BYTES)
    facts = {"kind": kind, "count": f"{count:,}", "most": f"{most:,}"}
    return gettext("%(kind)s: %(count)s of %(most)s bytes") % facts


def _named(character: str) -> str:
    """By its number where nobody could see it."""
    is_unseen = unicodedata.category(character).startswith(UNSEEN)
    return f" U+{ord(character):04X} " if is_unseen else character


def _is_known(character: str) -> bool:
    try:
        character.encode("cp949")
    except UnicodeEncodeError:
        return False
    return True
