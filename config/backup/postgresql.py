"""PostgreSQL: every table as COPY writes it, all of one moment.

Not pg_dump: it would have to be on every machine, no older than the server, and knows nothing of
our migrations. The tables are made by the migrations that they had.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from itertools import chain, groupby
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from config.backup.archive import PIECE, Member, Writer
from config.backup.fencing import put_up
from config.backup.manifest import Manifest, applied
from config.backup.trouble import Trouble

FOLDER = "database/"


def write(archive: Writer, manifest: Manifest) -> None:
    """All tables, while everything goes on."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for table in _tables():
            # Closed where the disk is full: what is left open would hold up the rollback for ever.
            with closing(_rows_of(cursor, table)) as rows:
                archive.add_stream(FOLDER + table, rows)
            manifest.tables[table] = cursor.rowcount
        manifest.migrations = applied()  # of the same moment
        cursor.execute("SELECT sequencename, coalesce(last_value, 0) FROM pg_sequences "
                       "WHERE schemaname = ANY (current_schemas(false))")  # fmt: skip
        manifest.sequences = dict(cursor.fetchall())


def refuse_unless_empty(manifest: Manifest) -> None:
    """It has no tables, or those of the backup's migrations with nobody in them; or some of
    them, where a restore was broken off while it made them."""
    if not set(_steps(applied())) <= set(_steps(manifest.migrations)):
        words = "This database has the tables of another version than the backup."
        raise Trouble(f"{words} Drop and create it anew, and restore before you migrate.")


@transaction.atomic
def put_back(parts: Iterator[Member], manifest: Manifest, now: datetime, detail: str) -> None:
    """Fill the tables, fenced before others can see a row."""
    tables = list(manifest.tables)
    with connection.cursor() as cursor:
        names = ", ".join(map(_quote, tables))
        cursor.execute(f"TRUNCATE {names} CASCADE")
        for table, pieces in groupby(parts, lambda part: _table_of(part.name)):
            if table not in manifest.tables:
                raise Trouble(f"The backup has a table {table} that its manifest does not name.")
            _fill(cursor, table, pieces)
        for sequence, value in manifest.sequences.items():
            if value:
                cursor.execute("SELECT setval(%s::regclass, %s)", [_quote(sequence), value])
        put_up(cursor.execute, now, detail)


def make_tables(manifest: Manifest) -> None:
    """By the migrations that the backup had: later ones follow when it is filled."""
    for app in dict(manifest.migrations):
        if app not in {config.label for config in apps.get_app_configs()}:
            raise Trouble(f"The backup has tables of “{app}”, which this version does not know.")
    executor = MigrationExecutor(connection)
    latest = dict(manifest.migrations)
    if _is_on_its_way(manifest):
        executor.loader = MigrationLoader(connection, replace_migrations=False)
        latest = dict(_steps(manifest.migrations))
    executor.migrate(list(latest.items()))
    if _steps(applied()) != _steps(manifest.migrations):
        raise Trouble("The tables of the backup cannot be made by this version of Teiji.")


def _is_on_its_way(manifest: Manifest) -> bool:
    """It has come some of the steps for which one migration stands in a fresh installation."""
    had = {(app, name) for app, name in manifest.migrations}
    return any(key not in had and had & steps for key, steps in _wholes().items())


def _steps(migrations: Iterable[Sequence[str]]) -> list[tuple[str, str]]:
    """Without those that stand for others, which are noted beside them; sorted."""
    wholes = _wholes()
    return sorted((app, name) for app, name in migrations if (app, name) not in wholes)


def _wholes() -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Each migration that stands for others, with those."""
    known = MigrationLoader(None).disk_migrations
    return {key: set(one.replaces) for key, one in known.items() if one.replaces}


def _tables() -> list[str]:
    models = apps.get_models(include_auto_created=True)
    named = {model._meta.db_table for model in models if model._meta.managed}
    return sorted(named | {MigrationRecorder.Migration._meta.db_table})


def _rows_of(cursor: Any, table: str) -> Generator[bytes, None, None]:
    columns = ", ".join(map(_quote, _columns(cursor, table)))
    # The columns stand in the first line: the order of a table that was altered is another one.
    yield f"{columns}\n".encode()
    with cursor.copy(f"COPY {_quote(table)} ({columns}) TO STDOUT") as copy:
        for piece in copy:
            yield bytes(piece)


def _columns(cursor: Any, table: str) -> list[str]:
    return [column.name for column in connection.introspection.get_table_description(cursor, table)]


def _fill(cursor: Any, table: str, pieces: Iterator[Member]) -> None:
    first = next(pieces)
    columns = first.file.readline().decode().strip()
    known = {_quote(name) for name in _columns(cursor, table)}
    if not set(columns.split(", ")) <= known:
        raise Trouble(f"The backup of {table} has columns that are not there.")
    with cursor.copy(f"COPY {_quote(table)} ({columns}) FROM STDIN") as copy:
        for piece in chain([first], pieces):
            while data := piece.file.read(PIECE):
                copy.write(data)


def _table_of(name: str) -> str:
    return name.removeprefix(FOLDER).rpartition(".")[0]


def _quote(name: str) -> str:
    return str(connection.ops.quote_name(name))
