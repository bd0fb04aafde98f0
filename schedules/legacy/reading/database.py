"""Rows straight from the database of the older system. It is only read."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import SplitResult, unquote

import psycopg
import pymysql
from pymysql.converters import encoders
from pymysql.cursors import SSDictCursor

from schedules.legacy.reading.record import Record, Unusable

CONNECT_SECONDS = 10
PORT = 3306


class MySQL:
    """MySQL or MariaDB. The password may stand in MYSQL_PWD instead of in the URL."""

    def __init__(self, url: SplitResult) -> None:
        self._url = url

    def tables(self) -> set[str]:
        with self._asked("SHOW TABLES") as rows:
            return {str(next(iter(row.values()))) for row in rows}

    def count(self, table: str) -> int | None:
        with self._asked(f"SELECT COUNT(*) AS n FROM `{table}`") as rows:  # noqa: S608
            return int(next(rows)["n"])

    def rows(self, table: str) -> Iterator[Record]:
        with self._asked(f"SELECT * FROM `{table}` ORDER BY id") as rows:  # noqa: S608
            yield from (Record(row) for row in rows)

    @contextmanager
    def _asked(self, statement: str) -> Iterator[Iterator[dict[str, Any]]]:
        """The answer, row by row, each value as text."""
        try:
            with closing(self._connect()) as connection, connection.cursor() as cursor:
                cursor.execute("SET SESSION TRANSACTION READ ONLY")
                cursor.execute(statement)
                yield iter(cursor.fetchone, None)
        except (pymysql.MySQLError, RuntimeError) as error:
            raise Unusable(f"The database at {self._url.hostname} says: {error}") from error

    def _connect(self) -> "pymysql.Connection":
        # Without decoders every value comes as text, zero dates and times over 24 h too.
        return pymysql.connect(
            **_place_of(self._url, "MYSQL_PWD", "root"),
            port=self._url.port or PORT,
            database=_name_of(self._url),
            charset="utf8mb4",
            cursorclass=SSDictCursor,
            conv=dict(encoders),
            connect_timeout=CONNECT_SECONDS,
        )


class PostgreSQL:
    """PostgreSQL. The password may stand in PGPASSWORD instead of in the URL."""

    def __init__(self, url: SplitResult) -> None:
        self._url = url

    def tables(self) -> set[str]:
        statement = (
            "SELECT tablename FROM pg_tables WHERE schemaname = ANY (current_schemas(false))"
        )
        return {row[0] for row in self._asked(statement, lambda row, _names: row)}

    def count(self, table: str) -> int | None:
        statement = f'SELECT COUNT(*) FROM "{table}"'  # noqa: S608
        return int(next(self._asked(statement, lambda row, _names: row[0])))

    def rows(self, table: str) -> Iterator[Record]:
        statement = f'SELECT * FROM "{table}" ORDER BY id'  # noqa: S608
        yield from self._asked(statement, _record)

    def _asked(self, statement: str, made: Callable[[Any, list[str]], Any]) -> Iterator[Any]:
        try:
            with (
                psycopg.connect(
                    **_place_of(self._url, "PGPASSWORD", "postgres"),
                    port=self._url.port,
                    dbname=_name_of(self._url),
                    connect_timeout=CONNECT_SECONDS,
                    options="-c default_transaction_read_only=on",
                ) as connection,
                connection.cursor(name="rows") as cursor,
            ):
                cursor.execute(statement.encode())
                for row in cursor:
                    yield made(row, [column.name for column in cursor.description or ()])
        except psycopg.Error as error:
            raise Unusable(f"The database at {self._url.hostname} says: {error}") from error


def _record(row: Any, names: list[str]) -> Record:
    return Record({name: _text(value) for name, value in zip(names, row, strict=True)})


def _text(value: Any) -> str | None:
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return None if value is None else str(value)


def _place_of(url: SplitResult, variable: str, user: str) -> dict[str, Any]:
    password = unquote(url.password) if url.password else os.environ.get(variable, "")
    name = unquote(url.username) if url.username else user
    return {"host": url.hostname or "127.0.0.1", "user": name, "password": password}


def _name_of(url: SplitResult) -> str:
    name = unquote(url.path.strip("/"))
    if not name:
        raise Unusable("The URL names no database: mysql://user@host:3306/NAME.")
    return name
