"""The first sheet of an Excel workbook (.xlsx), read as it is unpacked.

A few megabytes of a hostile file can unpack to gigabytes, so what is unpacked is counted, and
nothing of it is kept but the row at hand and the texts that cells share.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from posixpath import join, normpath
from typing import IO, Any
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import BadZipFile, ZipFile

from django.utils.translation import gettext as _

from channels.people import dates
from channels.people.unusable import UnusableFile

BOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
SHARED, STYLES = "xl/sharedStrings.xml", "xl/styles.xml"
MOST_FILES = 2_000  # in the archive
MOST_UNPACKED = {SHARED: 64 * 1024 * 1024, STYLES: 16 * 1024 * 1024}  # bytes
MOST_OF_A_SHEET = 128 * 1024 * 1024
MOST_TEXTS = 2_000_000  # that cells share
MOST_TAGS = 8_000_000  # of one part: 50,000 rows of 40 columns; read in some fifteen seconds
LONGEST_TAG = 256 * 1024  # bytes: until a tag ends, expat begins it anew with each piece
LONGEST_TEXT = 7 * 32_767  # Excel's longest cell, were each of its characters escaped
AT_ONCE = 64 * 1024
FURTHEST_COLUMN = 1_000
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")

# What zipfile, expat and the code below raise for files that are not as Excel writes them.
# NotImplementedError, RuntimeError: packed in another way, or with a password.
DAMAGED = (
    BadZipFile, EOFError, ExpatError, LookupError, NotImplementedError, RuntimeError, ValueError,
    zlib.error,
)  # fmt: skip

Attributes = dict[str, str]


def rows(file: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold anything, with their numbers. A formula is given as it is written, with
    its “=”: what it comes to is not looked at."""
    try:
        with ZipFile(file) as archive:
            names = set(archive.namelist())
            if BOOK not in names or len(names) > MOST_FILES:
                raise UnusableFile(_("This is no Excel workbook (.xlsx)."))
            path, since_1904 = _first_sheet(archive)
            sheet = _Sheet(
                _shared_texts(archive) if SHARED in names else [],
                _date_styles(archive) if STYLES in names else [],
                since_1904=since_1904,
            )
            yield from _sheet_rows(archive, path, sheet)
    except UnusableFile:
        raise
    except DAMAGED as error:
        raise UnusableFile(_("This Excel file is damaged or has a password.")) from error


def _first_sheet(archive: ZipFile) -> tuple[str, bool]:
    """The path of the first sheet that a person sees, and whether days are counted from 1904."""
    ids: list[str] = []
    targets: dict[str, str] = {}
    counted: list[str] = []

    def note_sheet(name: str, attributes: Attributes) -> None:
        if name == "sheet" and attributes.get("state", "visible") == "visible":
            ids.append(next(v for k, v in attributes.items() if k.endswith(" id")))
        elif name == "workbookPr":
            counted.append(attributes.get("date1904", ""))

    def note_target(name: str, attributes: Attributes) -> None:
        is_chart = attributes.get("Type", "").endswith("/chartsheet")
        if name == "Relationship" and not is_chart:
            targets[attributes["Id"]] = attributes["Target"]

    for path, note in ((BOOK, note_sheet), (RELATIONS, note_target)):
        for _fed in _parse(archive, path, note):
            pass
    first = next((targets[name] for name in ids if name in targets), "")
    if not first:
        raise UnusableFile(_("This workbook has no sheet."))
    path = normpath(join("xl", first)).lstrip("/") if first[0] != "/" else first[1:]
    return path, counted[:1] in (["1"], ["true"])


def _shared_texts(archive: ZipFile) -> list[str]:
    """The texts that cells refer to by number."""
    reader = _Texts()
    for _fed in _parse(archive, SHARED, reader.start, reader.end, reader.data):
        pass
    return reader.texts


def _date_styles(archive: ZipFile) -> list[bool]:
    """Of each style whether it shows a date."""
    styles = dates.Styles()
    for _fed in _parse(archive, STYLES, styles.start, styles.end, styles.data):
        pass
    return styles.are_dates


def _sheet_rows(archive: ZipFile, path: str, sheet: "_Sheet") -> Iterator[tuple[int, list[str]]]:
    for _fed in _parse(archive, path, sheet.start, sheet.end, sheet.data):
        yield from sheet.finished
        sheet.finished.clear()


def _parse(
    archive: ZipFile,
    path: str,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    data: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Parse a file of the archive piece by piece; yields after each."""
    parser = ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = lambda name, attributes: start(_local(name), attributes)
    if end and data:
        parser.EndElementHandler = lambda name: end(_local(name))
        parser.CharacterDataHandler = data
    most, fed, tags = MOST_UNPACKED.get(path, MOST_OF_A_SHEET), 0, 0
    with archive.open(path) as file:
        while piece := file.read(AT_ONCE):
            fed += len(piece)
            tags += piece.count(b"<")
            _refuse_if(fed > most or tags > MOST_TAGS)
            parser.Parse(piece, False)
            _refuse_if(fed - parser.CurrentByteIndex > LONGEST_TAG)
            yield
    parser.Parse(b"", True)
    yield


def _refuse_if(is_too_much: bool) -> None:
    if is_too_much:
        raise UnusableFile(_("This Excel file unpacks to far more than it may."))


def _refuse_doctype(*_declared: Any) -> None:
    """Excel declares none; whoever does, wants entities that multiply."""
    raise UnusableFile(_("This Excel file is damaged or has a password."))


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


class _Texts:
    """Collects the texts between <si> and </si>, without the phonetic readings beside them."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._pieces: list[str] = []
        self._length = 0
        self._is_text = self._is_reading = False

    def start(self, name: str, _attributes: Attributes) -> None:
        if name == "si":
            self._pieces, self._length = [], 0
        elif name == "rPh":
            self._is_reading = True
        elif name == "t":
            self._is_text = not self._is_reading

    def end(self, name: str) -> None:
        if name == "si":
            _refuse_if(len(self.texts) == MOST_TEXTS)
            self.texts.append(_unescaped("".join(self._pieces)))
        elif name == "rPh":
            self._is_reading = False
        elif name == "t":
            self._is_text = False

    def data(self, text: str) -> None:
        if self._is_text:
            self._pieces.append(text)
            self._length += len(text)
            _refuse_if(self._length > LONGEST_TEXT)


class _Sheet:
    """Makes rows of the cells as they come."""

    def __init__(self, shared: list[str], are_dates: list[bool], *, since_1904: bool) -> None:
        self.finished: list[tuple[int, list[str]]] = []
        self._shared, self._are_dates, self._since_1904 = shared, are_dates, since_1904
        self._cells: dict[int, str] = {}
        self._row = self._column = 0
        self._kind, self._style, self._value, self._formula = "", "", "", ""
        self._inside, self._has_formula, self._is_reading = "", False, False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._cells, self._column = {}, -1
        elif name == "c":
            self._column = _column(attributes.get("r", ""), self._column + 1)
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._value, self._formula = "", ""
            self._has_formula = False
        elif name == "rPh":
            self._is_reading = True
        elif name in ("v", "t", "f"):
            self._inside = name
            self._has_formula |= name == "f"

    def data(self, text: str) -> None:
        if self._inside == "f":
            self._formula += text
        elif self._inside and not self._is_reading:
            self._value += text
        _refuse_if(len(self._value) + len(self._formula) > LONGEST_TEXT)

    def end(self, name: str) -> None:
        if name == "c" and self._column < FURTHEST_COLUMN:
            self._cells[self._column] = self._text()
        elif name == "row":
            last = max(self._cells, default=-1)
            cells = [self._cells.get(place, "") for place in range(last + 1)]
            if any(cell.strip() for cell in cells):
                self.finished.append((self._row, cells))
        elif name == "rPh":
            self._is_reading = False
        elif name == self._inside:
            self._inside = ""

    def _text(self) -> str:
        if self._has_formula:
            return f"={self._formula}"
        if self._kind == "s":
            place = int(self._value or -1)
            return self._shared[place] if 0 <= place < len(self._shared) else ""
        if self._kind == "b":
            return "TRUE" if self._value == "1" else "FALSE"
        if self._kind != "n":
            return _unescaped(self._value)
        if dates.is_date(self._style, self._are_dates):
            return dates.in_words(self._value, since_1904=self._since_1904)
        return _whole(self._value)


def _unescaped(text: str) -> str:
    """Excel writes a character that XML cannot hold, and an underscore that would look like
    one, as “_x000D_”: UTF-16, as all of its texts."""
    if "_x" not in text:
        return text
    units = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _column(reference: str, following: int) -> int:
    """“C7” → 2."""
    letters = reference.rstrip("0123456789")
    if not letters:
        return following
    number = 0
    for letter in letters[:4].upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _whole(value: str) -> str:
    """A number as it was typed: Excel stores 821012345678 as 8.21012345678E11 at times."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    is_whole = (
        number.is_finite() and number.adjusted() < 20 and number == number.to_integral_value()
    )
    return str(int(number)) if is_whole else value
