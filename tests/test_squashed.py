"""A fresh installation takes the short way, one migration for each app, to the same tables."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

# As an installation came that was there from the beginning: every migration, one by one.
STEP_BY_STEP = """
import django
django.setup()
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
executor = MigrationExecutor(connection)
executor.loader = MigrationLoader(connection, replace_migrations=False)
one_by_one = [name for name in executor.loader.graph.leaf_nodes()
              if not executor.loader.disk_migrations[name].replaces]
executor.migrate(one_by_one)
"""

# As a backup is restored that was made while it stood one step before the last.
FROM_A_BACKUP = """
import django
django.setup()
from config.backup.manifest import applied, begin
from config.backup.postgresql import make_tables, refuse_unless_empty
from django.db.migrations.loader import MigrationLoader
manifest = begin("now")
LAST = {"schedules": "0031_template_timing", "channels": "0031_told_of_questions"}
manifest.migrations = [
    [app, name] for (app, name), migration in sorted(MigrationLoader(None).disk_migrations.items())
    if not migration.replaces and LAST.get(app) != name
]
refuse_unless_empty(manifest)
make_tables(manifest)
assert ["schedules", LAST["schedules"]] not in applied()
refuse_unless_empty(manifest)
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""


@contextmanager
def another_database(folder: Path) -> Iterator[BaseDatabaseWrapper]:
    """An empty one beside the test's own."""
    another = connection.copy()
    if connection.vendor == "sqlite":
        another.settings_dict["NAME"] = str(folder / "steps.sqlite3")
        yield another
        another.close()
        return
    another.settings_dict["NAME"] = name = f"{connection.settings_dict['NAME']}_steps"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        yield another
    finally:
        another.close()
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def url_of(database: BaseDatabaseWrapper) -> str:
    name = database.settings_dict["NAME"]
    if database.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["TEIJI_DATABASE_URL"])._replace(path=f"/{name}").geturl()


def tables_of(database: BaseDatabaseWrapper) -> set[tuple[Any, ...]]:
    """Columns, what constrains them, indexes, triggers and storage, in no order."""
    found: set[tuple[Any, ...]] = set()
    ask = database.introspection
    with database.cursor() as cursor:
        for table in ask.table_names(cursor):
            if table == "sqlite_stat1":  # what another test's ANALYZE left
                continue
            for column in ask.get_table_description(cursor, table):
                found.add((table, "column", *map(str, column)))
            for what in ask.get_constraints(cursor, table).values():  # what Django names differs
                found.add((table, "constraint", str(sorted(what.items(), key=str))))
        cursor.execute(
            "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
            if database.vendor == "sqlite"
            else "SELECT relname, reloptions::text FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND reloptions IS NOT NULL"
            " UNION SELECT tgrelid::regclass::text, pg_get_triggerdef(oid)"
            " FROM pg_trigger WHERE NOT tgisinternal"
            " UNION SELECT conrelid::regclass::text, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
            r" UNION SELECT tablename, regexp_replace(indexdef, 'INDEX \S+ ON', 'INDEX ON')"
            " FROM pg_indexes WHERE schemaname = 'public'"
        )
        found.update(("also", *row) for row in cursor.fetchall())
    return found


def run(script: str, database: BaseDatabaseWrapper) -> None:
    """In a process of its own, whose default database this is."""
    url = {"TEIJI_DATABASE_URL": url_of(database)}
    subprocess.run([sys.executable, "-c", script], env=os.environ | url, check=True)


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_the_short_way_makes_the_tables_that_the_long_way_makes(tmp_path: Path) -> None:
    with another_database(tmp_path) as steps:
        run(STEP_BY_STEP, steps)
        short, long = tables_of(connection), tables_of(steps)
    assert sorted(short - long) == []
    assert sorted(long - short) == []


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_a_backup_from_before_the_last_step_is_restored(tmp_path: Path) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("its backup is the database's file, with its tables")
    with another_database(tmp_path) as restored:
        run(FROM_A_BACKUP, restored)
        short, other = tables_of(connection), tables_of(restored)
    assert short == other
