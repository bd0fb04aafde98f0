"""A MariaDB and a PostgreSQL, each with a database of the tests' own, and the command as the tests
call it."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pymysql
import pytest
from django.core.management import call_command

from scripts.services import DATABASE, LOCAL_DATABASES
from tests.schedules.legacy import stage

SERVER = {"host": "127.0.0.1", "port": 3306, "user": "root", "password": ""}


@dataclass
class OldDatabase:
    """A database of the older systems, to be filled."""

    connection: "pymysql.Connection"
    name: str

    @property
    def url(self) -> str:
        return f"mysql://root@127.0.0.1:3306/{self.name}"

    def fill(self, tables: dict[str, list[stage.Row]]) -> str:
        """Make the tables with these rows; returns the URL."""
        with self.connection.cursor() as cursor:
            for table, rows in tables.items():
                cursor.execute(stage.TABLES[table])
                names = ", ".join(f"`{name}`" for name in rows[0])
                marks = ", ".join(["%s"] * len(rows[0]))
                statement = f"INSERT INTO `{table}` ({names}) VALUES ({marks})"
                cursor.executemany(statement, [tuple(row.values()) for row in rows])
        return self.url


@pytest.fixture
def mariadb() -> Iterator[OldDatabase]:
    """An empty database that is dropped afterwards."""
    name = f"teiji_test_{uuid4().hex[:12]}"
    try:
        connection = pymysql.connect(**SERVER, charset="utf8mb4", autocommit=True)
    except pymysql.MySQLError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no MariaDB on port 3306: {error}")
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        connection.select_db(name)
        yield OldDatabase(connection, name)
        cursor.execute(f"DROP DATABASE `{name}`")


@dataclass
class OldPostgreSQL:
    """A database of an older system on PostgreSQL, to be filled."""

    connection: "psycopg.Connection[Any]"
    url: str

    def fill(self, tables: dict[str, list[stage.Row]]) -> str:
        """Make the tables with these rows; returns the URL."""
        for table, rows in tables.items():
            self.connection.execute(stage.POSTGRESQL[table].encode())
            names = ", ".join(rows[0])
            marks = ", ".join(["%s"] * len(rows[0]))
            statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
            with self.connection.cursor() as cursor:
                cursor.executemany(statement.encode(), [tuple(row.values()) for row in rows])
        return self.url


@pytest.fixture
def old_postgresql() -> Iterator[OldPostgreSQL]:
    """An empty database that is dropped afterwards. Its server's zone is not that of its rows."""
    given = os.environ.get(DATABASE)
    name = f"teiji_test_{uuid4().hex[:12]}"
    for url in [given] if given else LOCAL_DATABASES:
        try:
            server = psycopg.connect(url, autocommit=True, connect_timeout=2)
            break
        except psycopg.Error as error:
            why = error
    else:
        if os.environ.get("CI") == "true":
            raise why
        pytest.skip(f"no PostgreSQL: {why}")
    own = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    with server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'".encode())
        server.execute(f"ALTER DATABASE {name} SET timezone TO 'Asia/Kolkata'".encode())
        server.execute(f"ALTER DATABASE {name} SET datestyle TO 'German'".encode())
        try:
            with psycopg.connect(own, autocommit=True) as connection:
                yield OldPostgreSQL(connection, own)
        finally:
            server.execute(f"DROP DATABASE {name}".encode())


@pytest.fixture
def dumped(tmp_path: Path) -> Callable[..., Path]:
    def write(**tables: list[stage.Row]) -> Path:
        path = tmp_path / "dump.sql"
        path.write_text(stage.dump(**tables))
        return path

    return write


@pytest.fixture
def import_legacy() -> Callable[..., tuple[dict[str, Any], int]]:
    """Runs the command; returns its report and its exit status."""

    def run(*words: Any, **options: Any) -> tuple[dict[str, Any], int]:
        out, status = StringIO(), 0
        try:
            call_command("import_legacy", *map(str, words), json=True, stdout=out, **options)
        except SystemExit as error:
            status = int(error.code or 0)
        return json.loads(out.getvalue()), status

    return run
