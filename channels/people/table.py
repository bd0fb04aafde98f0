"""A file that somebody uploaded, as rows of texts, whatever kind of table it is."""

from collections.abc import Iterator
from itertools import islice
from typing import IO

from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from channels.people import text, workbook
from channels.people.unusable import UnusableFile

MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 50_000
MOST_COLUMNS = 50

ZIP = b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"

Row = tuple[int, list[str]]  # the line's number as people count it, and its cells


def rows_of(file: IO[bytes], *, size: int, encoding: str = "") -> Iterator[Row]:
    """The rows that hold anything, the heading first. Raises UnusableFile, whose text is for the
    person, at the start or at the line where it cannot go on."""
    refuse_unusable(file, size)
    rows = workbook.rows(file) if is_workbook(file) else text.rows(file, encoding)
    file.seek(0)
    return _within_limits(rows)


def refuse_unusable(file: IO[bytes], size: int) -> None:
    """Raises UnusableFile for what can be no table, or too large a one."""
    if size > MOST_BYTES:
        message = _("The file is too large: at most %(most)s.")
        raise UnusableFile(message % {"most": filesizeformat(MOST_BYTES)})
    file.seek(0)
    start = file.read(len(OLD_EXCEL))
    if start == OLD_EXCEL:
        raise UnusableFile(
            _(
                "This is an old Excel file (.xls), or one with a password. Save it as .xlsx, "
                "without a password."
            )
        )
    if not start:
        raise UnusableFile(_("The file is empty."))


def preview(file: IO[bytes], *, size: int, encoding: str = "", count: int = 6) -> list[Row]:
    """The heading and the first rows."""
    return list(islice(rows_of(file, size=size, encoding=encoding), count))


def is_workbook(file: IO[bytes]) -> bool:
    """Whether it is packed as Excel's workbooks are."""
    file.seek(0)
    return file.read(len(ZIP)) == ZIP


def encoding_of(file: IO[bytes]) -> str:
    """The encoding that a text seems to have, "" where only a person can say. Raises
    UnusableFile for what is no text."""
    file.seek(0)
    return text.guess_encoding(file.read(text.LOOKED_AT))


def _within_limits(rows: Iterator[Row]) -> Iterator[Row]:
    for count, (line, cells) in enumerate(rows):
        if count > MOST_ROWS:
            message = _("The file has too many rows: at most %(most)s. Divide it into several.")
            raise UnusableFile(message % {"most": number_format(MOST_ROWS, force_grouping=True)})
        yield line, cells[:MOST_COLUMNS]
