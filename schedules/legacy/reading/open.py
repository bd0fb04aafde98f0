"""Which reader a source needs."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from schedules.legacy.reading.csv_files import CsvFiles
from schedules.legacy.reading.database import MySQL, PostgreSQL
from schedules.legacy.reading.dump import Dump
from schedules.legacy.reading.record import Source, Unusable

DATABASES: dict[str, type[MySQL | PostgreSQL]] = {
    "mysql": MySQL,
    "mariadb": MySQL,
    "postgres": PostgreSQL,
    "postgresql": PostgreSQL,
}


def open_source(given: Sequence[str]) -> Source:
    """The source that these words mean: one URL, one SQL dump, or CSV files. Raises Unusable."""
    scheme = given[0].partition("://")[0].partition("+")[0]
    if "://" in given[0]:
        if scheme not in DATABASES:
            raise Unusable(
                f"{scheme}:// is not read. Give a mysql:// or postgres:// URL, or files."
            )
        if len(given) > 1:
            raise Unusable("Give one URL, or files.")
        return DATABASES[scheme](urlsplit(given[0]))
    files = dict(map(_named, given))
    dumps = [path for path in files.values() if ".sql" in path.suffixes]
    if dumps and len(given) > 1:
        raise Unusable("Give one SQL dump, or CSV files; not both at once.")
    return Dump(dumps[0]) if dumps else CsvFiles(files)


def _named(word: str) -> tuple[str, Path]:
    """The table and its file: `kb_schedule.csv`, or `kb_schedule=export.csv`."""
    table, has_name, name = word.partition("=")
    path = Path(name if has_name else word)
    if not path.is_file():
        raise Unusable(f"There is no file {path}.")
    return (table if has_name else path.name.partition(".")[0]), path
