"""What a reader of the documents would type: the blocks of code, and the lines of commands."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCED = re.compile(r"^```(\w*)(?: \{\.(\w+)\})?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^    (\S(?:.*\\\n)*.*)$", re.MULTILINE)
INLINE = re.compile(r"`((?:manage\.py|python manage\.py) [^`\n]+)`")
AND_SO_ON = "…"


class Block(NamedTuple):
    """A fenced block. Its name is in braces after its language: `json {.account}`."""

    language: str
    name: str
    text: str


def blocks(page: str) -> list[Block]:
    """Those of this page of docs/."""
    return [Block(*found) for found in FENCED.findall((ROOT / "docs" / page).read_text())]


def block(page: str, name: str) -> str:
    """The text of the one with this name."""
    (found,) = [block.text for block in blocks(page) if block.name == name]
    return found


def commands() -> list[tuple[str, str]]:
    """(document, line) of all that may be a command: indented, or `manage.py …` in a sentence."""
    found = []
    for path in DOCUMENTS:
        text = FENCED.sub("", path.read_text())
        lines = INDENTED.findall(text) + INLINE.findall(text)
        found += [(str(path.relative_to(ROOT)), line) for line in lines]
    return found


def words_of(line: str) -> list[str]:
    """Its words, without variables before them, comments, and “and so on” at its end."""
    try:
        words = shlex.split(line.replace("\\\n", " "), comments=True)
    except ValueError:
        return []  # an apostrophe: a sentence of a drawing
    while words and re.match(r"[A-Z_]+=", words[0]):
        words.pop(0)
    return words[:-1] if words[-1:] == [AND_SO_ON] else words
