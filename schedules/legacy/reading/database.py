"""Rows straight from the database of the older system. It is only read."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote

import psycopg
import pymysql
from psycopg.types.string import TextLoader
from pymysql.converters import encoders
from pymysql.cursors import SSDictCursor

from schedules.legacy.reading.record import Record, Unusable

CONNECT_SECONDS = 10
MYSQL_PORT, POSTGRESQL_PORT = 3306, 5432
PATIENCE = 86_400  # seconds that the server waits until a row is fetched; else it hangs up after 60
READ_ONLY = "-c default_transaction_read_only=on -c datestyle=ISO"


class Rows(SSDictCursor):
    """As they come. Closed before their end it does not fetch the rest, which may not come."""

    def close(self) -> None:
        if self._result:
            self._result.unbuffered_active = False
        super().close()


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
            port=_port_of(self._url, MYSQL_PORT),
            database=_name_of(self._url),
            charset="utf8mb4",
            cursorclass=Rows,
            init_command=f"SET SESSION net_write_timeout = {PATIENCE}",
            conv=dict(encoders),
            connect_timeout=CONNECT_SECONDS,
        )


class PostgreSQL:
    """PostgreSQL. The password may stand in PGPASSWORD instead of in the URL, whose query may have
    what libpq knows: `sslmode=require`, `options=-csearch_path%3Dold`."""

    def __init__(self, url: SplitResult) -> None:
        self._url = url

    def tables(self) -> set[str]:
        statement = (
            "SELECT tablename FROM pg_tables WHERE schemaname = ANY (current_schemas(false))"
        )
        return {row["tablename"] or "" for row in self._asked(statement)}

    def count(self, table: str) -> int | None:
        (row,) = self._asked(f'SELECT COUNT(*) AS n FROM "{table}"')  # noqa: S608
        return int(row["n"] or 0)

    def rows(self, table: str) -> Iterator[Record]:
        yield from map(Record, self._asked(f'SELECT * FROM "{table}" ORDER BY id'))  # noqa: S608

    def _asked(self, statement: str) -> Iterator[dict[str, str | None]]:
        """The answer, row by row, each value as text."""
        try:
            with self._connect() as connection, connection.cursor(name="rows") as cursor:
                cursor.execute(statement.encode())
                for row in cursor:
                    names = [column.name for column in cursor.description or ()]
                    yield dict(zip(names, row, strict=True))
        except (psycopg.Error, UnicodeDecodeError) as error:
            raise Unusable(f"The database at {self._url.hostname} says: {error}") from error

    def _connect(self) -> "psycopg.Connection[Any]":
        query = dict(parse_qsl(self._url.query))
        given: dict[str, Any] = {
            **_place_of(self._url, "PGPASSWORD", "postgres"),
            "port": _port_of(self._url, POSTGRESQL_PORT),
            "dbname": _name_of(self._url),
            "connect_timeout": CONNECT_SECONDS,
            "client_encoding": "utf8",
            **query,
            "options": f"{query.get('options', '')} {READ_ONLY}",
        }
        connection: psycopg.Connection[Any] = psycopg.connect(**given)
        # Every value as text: one that Python has no word for, as "infinity", is its row's fault.
        for kind in psycopg.adapters.types:
            for oid in (kind.oid, kind.array_oid):
                connection.adapters.register_loader(oid, TextLoader)
        return connection


def _place_of(url: SplitResult, variable: str, user: str) -> dict[str, Any]:
    password = unquote(url.password) if url.password else os.environ.get(variable, "")
    name = unquote(url.username) if url.username else user
    return {"host": url.hostname or "127.0.0.1", "user": name, "password": password}


def _port_of(url: SplitResult, usual: int) -> int:
    try:
        return url.port or usual
    except ValueError as error:
        raise Unusable(
            f"The port in the URL is no number up to 65535: user@host:{usual}."
        ) from error


def _name_of(url: SplitResult) -> str:
    name = unquote(url.path.strip("/"))
    if not name:
        raise Unusable(f"The URL names no database: {url.scheme}://user@host/NAME.")
    return name
