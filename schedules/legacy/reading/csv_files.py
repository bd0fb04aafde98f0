"""Rows from CSV files with a heading, one file a table."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from schedules.legacy.reading.record import Record, Unusable

NOTHING = {"", "NULL", "\\N"}  # how exports write that a value is missing
LONGEST = 16 * 1024 * 1024  # characters of one value


class CsvFiles:
    """CSV files by the name of their table."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files

    def tables(self) -> set[str]:
        return set(self._files)

    def count(self, table: str) -> int | None:
        return None

    def rows(self, table: str) -> Iterator[Record]:
        path = self._files[table]
        # The limit is the whole process's: others read what strangers upload.
        usual = csv.field_size_limit(LONGEST)
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            try:
                yield from _records(path, reader)
            except UnicodeDecodeError as error:
                message = f"{path}, after line {reader.line_num}: this is not UTF-8. Export it so."
                raise Unusable(message) from error
            except csv.Error as error:
                raise Unusable(f"{path}, line {reader.line_num}: {error}.") from error
            finally:
                csv.field_size_limit(usual)


def _records(path: Path, reader: Any) -> Iterator[Record]:
    heading = [name.strip() for name in next(reader, [])]
    if "id" not in heading:
        raise Unusable(f"{path}, line 1: the first line must name the columns, “id” among them.")
    line = reader.line_num + 1
    for values in reader:
        if values and len(values) != len(heading):
            words = f"{len(values)} values, but the first line names {len(heading)} columns"
            raise Unusable(f"{path}, line {line}: {words}.")
        if values:
            pairs = zip(heading, values, strict=True)
            yield Record({n: None if v in NOTHING else v for n, v in pairs}, f"line {line}")
        line = reader.line_num + 1
