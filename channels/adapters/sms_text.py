"""What a Korean SMS or LMS can hold: the characters of CP949 (EUC-KR and the rest of Hangul)."""

from typing import Any

from django.utils.translation import gettext_lazy as _

SHOWN = 20  # characters that a message names


def length(text: str) -> int:
    """In bytes: an ASCII character is one, everything else two."""
    return sum(1 if character.isascii() else 2 for character in text)


def problem_in(text: str) -> Any | None:
    """Why it cannot hold this text, or None; the characters are named, each once."""
    unknown = "".join(dict.fromkeys(one for one in text if not _is_known(one)))
    words = _("An SMS cannot hold these characters, emoji for instance: %(characters)s")
    return words % {"characters": unknown[:SHOWN]} if unknown else None


def _is_known(character: str) -> bool:
    try:
        character.encode("cp949")
    except UnicodeEncodeError:
        return False
    return True
