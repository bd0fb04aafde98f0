"""Puts a backup back into an installation in which there is nothing yet. It starts fenced."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from channels.models import Account
from config.backup import postgresql, sqlite
from config.backup.archive import MANIFEST, PIECE, Member, checked, members
from config.backup.folders import place_of
from config.backup.manifest import FORMAT, Manifest, traces
from config.backup.sealing import Key, opened
from config.backup.trouble import Trouble
from orgs.clock import database_now
from orgs.models import Unit, User
from schedules.actions import fence
from schedules.models import Schedule

DATABASE = "database/"

Progress = Callable[[int], None]
BeginBar = Callable[[str, int], Progress]


def _no_bar(name: str, total: int) -> Progress:
    return lambda _more: None


class Watched:
    """A file of which each piece that is read is told."""

    def __init__(self, file: IO[bytes], progress: Progress) -> None:
        self._file, self._progress = file, progress

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self._progress(len(data))
        return data


def verify(path: Path, key: Key, begin_bar: BeginBar = _no_bar) -> Manifest:
    """Read all of it. Raises Trouble where a byte is wrong."""
    progress = begin_bar("bytes", path.stat().st_size)
    with path.open("rb") as file, opened(Watched(file, progress), key) as plain:
        manifest = checked(plain)
    if manifest.format != FORMAT:
        raise Trouble(f"The backup has the format {manifest.format}; this version reads {FORMAT}.")
    return manifest


def restore(
    path: Path, key: Key, manifest: Manifest, *, by: Any, begin_bar: BeginBar = _no_bar
) -> None:
    """Put back what was verified. Raises Trouble before anything is changed. The database comes
    last: while it is empty, a restore that has failed is made again."""
    refuse(manifest)
    progress = begin_bar("parts", len(manifest.parts))
    with _parts(path, key) as parts:
        _put_files_back(parts, progress)
    detail = f"from the backup of {manifest.created_at}"
    now = database_now()
    if connection.vendor == "postgresql":
        postgresql.make_tables(manifest)
    with _parts(path, key) as parts:
        database = _counted(_only(parts, DATABASE), progress)
        if connection.vendor == "postgresql":
            postgresql.put_back(database, manifest, now, detail)
        else:
            sqlite.put_back(database, now, detail)
    call_command("migrate", verbosity=0)
    fence.restored(by=by, detail=detail)


def refuse(manifest: Manifest) -> None:
    """Raises Trouble where the installation is not an empty one, of another kind, or earlier."""
    if manifest.engine != connection.vendor:
        words = f"The backup is of {manifest.engine}, this database is {connection.vendor}."
        raise Trouble(f"{words} Set TEIJI_DATABASE_URL to one of the same kind.")
    if unknown := _unknown(manifest):
        words = f"The backup is of a later version: this one does not know {unknown[0]}."
        raise Trouble(f"{words} Restore it with that version or a later one.")
    tables = set(connection.introspection.table_names())
    for model in (Unit, User, Schedule):
        if model._meta.db_table in tables and model._default_manager.exists():
            what = model._meta.verbose_name_plural
            raise Trouble(f"This database has {what} in it. A backup goes into an empty one only.")
    if connection.vendor == "postgresql":
        postgresql.refuse_unless_empty(manifest)


def _unknown(manifest: Manifest) -> list[str]:
    present = MigrationLoader(None).disk_migrations
    known = {*present, *(old for migration in present.values() for old in migration.replaces)}
    return [f"{app}.{name}" for app, name in manifest.migrations if (app, name) not in known]


def lost_keys(manifest: Manifest) -> str:
    """What is missing of the keys that the backup's secrets are sealed with; "": nothing."""
    if set(manifest.keys) <= set(traces()):
        return ""
    closed = 0
    for account in Account.objects.exclude(sealed=""):
        try:
            account.secrets  # noqa: B018  (opened to see whether it can be)
        except ImproperlyConfigured:
            closed += 1
    if not closed:
        return ""
    words = f"The credentials of {closed} accounts cannot be opened:"
    return f"{words} add the keys of the old installation to TEIJI_SECRET_KEYS."


@contextmanager
def _parts(path: Path, key: Key) -> Iterator[Iterator[Member]]:
    with path.open("rb") as file, opened(file, key) as plain:
        yield (member for member in members(plain) if member.name != MANIFEST)


def _only(parts: Iterator[Member], folder: str) -> Iterator[Member]:
    return (part for part in parts if part.name.startswith(folder))


def _counted(parts: Iterator[Member], progress: Progress) -> Iterator[Member]:
    for part in parts:
        yield part
        progress(1)


def _put_files_back(parts: Iterator[Member], progress: Progress) -> None:
    for part in parts:
        path = place_of(part.name)
        if path is None:
            continue  # the database
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(path.name + ".unfinished")
        with unfinished.open("wb") as file:
            while data := part.file.read(PIECE):
                file.write(data)
        unfinished.replace(path)
        progress(1)
