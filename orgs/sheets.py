"""Lines of CSV files that spreadsheets open, and carry nothing out of them."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

STARTS = ("=", "+", "-", "@", "\t", "\r")
QUOTE = "'"  # before a text, a spreadsheet shows the rest as it is
BOM = "\ufeff"  # by it Excel knows that the file is UTF-8


class _Line:
    """A file whose last line is what `write` was given."""

    def write(self, line: str) -> str:
        return line


def csv_lines(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of a file, one by one, each cell neutral."""
    writer: Any = csv.writer(_Line())
    yield BOM + writer.writerow(heading)
    for row in rows:
        yield writer.writerow([neutral(cell) for cell in row])


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would take it for one."""
    return cell.startswith(STARTS)


def neutral(cell: str) -> str:
    """The cell as it can be written into a file."""
    return f"{QUOTE}{cell}" if is_formula(cell) else cell


def plain(cell: str) -> str:
    """The cell of a file as it was before `neutral`."""
    return cell[1:] if cell.startswith(QUOTE) and is_formula(cell[1:]) else cell
