"""SQLite: the file itself, as it stood at one moment."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

from django.db import connection, connections

from config.backup.archive import PIECE, Member, Writer
from config.backup.fencing import put_up
from config.backup.manifest import Manifest
from config.backup.trouble import Trouble

NAME = "database/teiji.sqlite3"


def write(archive: Writer, manifest: Manifest) -> None:
    """A copy of the file, while everything goes on."""
    with tempfile.TemporaryDirectory(dir=_path().parent, prefix="backup-") as folder:
        copy = Path(folder) / "copy.sqlite3"
        # In one step: what others write meanwhile is not in it.
        with closing(sqlite3.connect(_path())) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        with closing(sqlite3.connect(copy)) as target:
            _refuse_damaged(target)
            manifest.tables = _counts(target)
        with copy.open("rb") as file:
            archive.add(NAME, file, copy.stat().st_size)


def put_back(parts: Iterator[Member], now: datetime, detail: str) -> None:
    """Lay the file where the database belongs, fenced before anybody can see it."""
    part = next(parts)
    if part.name != NAME:
        raise Trouble(f"“{part.name}” stands where the database should.")
    path = _path()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="restore-") as folder:
        copy = Path(folder) / "copy.sqlite3"
        with copy.open("wb") as file:
            while data := part.file.read(PIECE):
                file.write(data)
        with closing(sqlite3.connect(copy)) as database:
            _refuse_damaged(database)
            with database:
                put_up(database.execute, now, detail, mark="?")
        connections.close_all()
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        copy.replace(path)


def _refuse_damaged(database: sqlite3.Connection) -> None:
    (answer,) = database.execute("PRAGMA quick_check").fetchone()
    if answer != "ok":
        raise Trouble(f"The database is damaged: {answer}.")


def _counts(database: sqlite3.Connection) -> dict[str, int]:
    found = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    names = sorted(name for (name,) in database.execute(found))
    count = 'SELECT COUNT(*) FROM "{}"'
    return {name: database.execute(count.format(name)).fetchone()[0] for name in names}


def _path() -> Path:
    return Path(str(connection.settings_dict["NAME"]))
