"""Makes a backup, and reads it once more before it counts as one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.db import connection

from config.backup import postgresql, sqlite
from config.backup.archive import Writer, checked
from config.backup.folders import MEDIA, File, files, folders
from config.backup.manifest import Manifest, begin
from config.backup.sealing import Key, opened, sealed
from config.backup.trouble import Trouble

NAME = "teiji-{:%Y%m%d-%H%M%S}.age"
BACKED_UP = "backed_up"  # in the history
OWN = "teiji-*-*.age"  # the names of backups, which sort by their time
SQLITES_OWN = "sqlite_"  # how the tables begin that it keeps for itself

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Made:
    """A backup that was verified."""

    path: Path
    size: int
    rows: int
    images: int
    removed: list[Path]


@dataclass(frozen=True)
class Foreseen:
    """What a backup would hold, before it is encrypted, and which older ones it would remove."""

    files: int
    size: int
    rows: int
    removed: list[Path]


def foresee(folder: Path, *, keep: int) -> Foreseen:
    """What `make` would write there. Raises Trouble as it would."""
    _refuse(folder, keep)
    found = [file.path.stat().st_size for file in files()]
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        rows = sum(_count(cursor, table) for table in tables if not table.startswith(SQLITES_OWN))
    old = sorted(folder.glob(OWN))[: -(keep - 1) or None] if keep else []
    return Foreseen(len(found), sum(found), rows, old)


def make(
    folder: Path, key: Key, *, now: datetime, keep: int, begin_bar: Callable[[int], Progress]
) -> Made:
    """Write a backup into the folder; then, with `keep`, remove all but the latest so many.
    Raises Trouble, OSError; nothing is removed then."""
    _refuse(folder, keep)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME.format(now)
    unfinished = path.with_suffix(".unfinished")
    try:
        with unfinished.open("xb") as out:
            unfinished.chmod(0o600)
            _write(out, key, now, begin_bar)
        with unfinished.open("rb") as file, opened(file, key) as plain:
            manifest = checked(plain)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    images = sum(name.startswith(MEDIA) for name in manifest.parts)
    removed = _forget(folder, keep)
    return Made(path, path.stat().st_size, sum(manifest.tables.values()), images, removed)


def _count(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608
    return int(cursor.fetchone()[0])


def _refuse(folder: Path, keep: int) -> None:
    if keep < 0:
        raise Trouble("--keep takes 0 or more: of so many backups the latest stay, with 0 all.")
    around = (folder.resolve(), *folder.resolve().parents)
    for name, root in folders().items():
        if root.resolve() in around:
            what = "images" if name == MEDIA else "archived logs"
            raise Trouble(
                f"{folder} lies among the {what}: each backup would hold those before it."
            )


def _write(out: IO[bytes], key: Key, now: datetime, begin_bar: Callable[[int], Progress]) -> None:
    manifest: Manifest = begin(now.isoformat())
    with sealed(out, key) as plain, Writer(plain, manifest) as archive:
        database = postgresql if connection.vendor == "postgresql" else sqlite
        database.write(archive, manifest)
        # After the database: what it names is there. An image's file never changes, and of a
        # month of the archive what the database names does not.
        found = list(files())
        progress = begin_bar(len(found))
        for file in found:
            _add(archive, file)
            progress(1)


def _add(archive: Writer, found: File) -> None:
    try:
        file = found.path.open("rb")
    except FileNotFoundError:
        return  # removed since the list was made
    with file:
        archive.add(found.name, file, found.path.stat().st_size)


def _forget(folder: Path, keep: int) -> list[Path]:
    old = sorted(folder.glob(OWN))[:-keep] if keep else []
    for path in old:
        path.unlink()
    return old
