"""CSV files in the encodings in which Korean, Taiwanese and other programs save them."""

import codecs
import csv
from collections.abc import Iterator
from io import TextIOWrapper
from typing import IO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.people.unusable import UnusableFile

LOOKED_AT = 64 * 1024  # bytes from which the encoding is guessed
MOST_OF = 0.8  # of the letters: then they are of this script

# What can be chosen, and what is guessed among.
ENCODINGS = {
    "utf-8-sig": gettext_lazy("UTF-8"),
    "utf-16": gettext_lazy("UTF-16 (Unicode text of Excel)"),
    "cp949": gettext_lazy("CP949 (Korean Windows)"),
    "cp950": gettext_lazy("Big5 (Taiwanese Windows)"),
    "gb18030": gettext_lazy("GB18030 (Chinese Windows)"),
}
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
DELIMITERS = ",;\t"


def rows(file: IO[bytes], encoding: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold anything, with the line at which each ends."""
    wrapper = TextIOWrapper(file, encoding=encoding, errors="strict", newline="")
    line = 0
    try:
        heading = wrapper.readline(LOOKED_AT)
        wrapper.seek(0)
        reader = csv.reader(wrapper, delimiter=_delimiter(heading), strict=True)
        for cells in reader:
            line = reader.line_num
            if any(cell.strip() for cell in cells):
                yield line, cells
    except UnicodeError as error:
        message = _("After line %(line)d the text cannot be read as %(encoding)s.")
        named = ENCODINGS.get(encoding, encoding)
        raise UnusableFile(message % {"line": line, "encoding": named}) from error
    except csv.Error as error:
        message = _("After line %(line)d the table cannot be read: is a quotation mark missing?")
        raise UnusableFile(message % {"line": line}) from error
    finally:
        if not file.closed:
            wrapper.detach()  # else it would close the file


def guess_encoding(start: bytes) -> str:
    """The encoding that the first bytes of a text speak for; "" where only a person can say.
    Raises UnusableFile for what is no text."""
    for mark, encoding in MARKS.items():
        if start.startswith(mark):
            return encoding
    if b"\x00" in start:
        raise UnusableFile(_("This is no table: upload a file of the kind .csv or .xlsx."))
    fitting = [name for name in ("utf-8-sig", "cp949", "cp950") if _decoded(start, name)]
    if "utf-8-sig" in fitting:
        return "utf-8-sig"
    by_script = [name for name in fitting if SCRIPTS[name](start)]
    return next(iter(by_script or (fitting if len(fitting) == 1 else [])), "")


def _delimiter(heading: str) -> str:
    return max(DELIMITERS, key=heading.count)


def _decoded(start: bytes, encoding: str) -> str | None:
    """The bytes as text; a letter that the end cuts in two does not count."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeError:
        return None


def _is_korean(start: bytes) -> bool:
    letters = [c for c in _decoded(start, "cp949") or "" if not c.isascii()]
    hangul = sum("가" <= c <= "힣" for c in letters)
    return bool(letters) and hangul >= MOST_OF * len(letters)


def _is_taiwanese(start: bytes) -> bool:
    """Mostly the frequent characters, which are Big5's A440 to C67E."""
    letters = [c for c in _decoded(start, "cp950") or "" if "一" <= c <= "鿿"]
    frequent = sum(b"\xa4\x40" <= c.encode("cp950") <= b"\xc6\x7e" for c in letters)
    return bool(letters) and frequent >= MOST_OF * len(letters)


SCRIPTS = {"cp949": _is_korean, "cp950": _is_taiwanese}
