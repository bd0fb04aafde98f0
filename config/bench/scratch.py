"""A database and a folder that live as long as one measurement."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

numbers = count(1)


@dataclass(frozen=True)
class Scratch:
    """Where a measurement lives; `environment` leads Teiji's processes there."""

    folder: Path
    database: str  # in words
    database_url: str  # empty: SQLite
    environment: dict[str, str]


@contextmanager
def scratch(database_url: str, broker_url: str) -> Iterator[Scratch]:
    """A new folder and database: a file in the folder, or one more on the server of the URL.
    Both are removed when this process is asked to end, too."""
    folders = tempfile.TemporaryDirectory(prefix="teiji-bench-", ignore_cleanup_errors=True)
    with _ending_in_order(), folders as name:
        folder = Path(name)
        environment = {key: value for key, value in os.environ.items() if _is_common(key)}
        environment |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONUNBUFFERED": "1",
            "TEIJI_DATA_DIR": name,
            "TEIJI_DEBUG": "0",
        }
        if broker_url:
            environment["TEIJI_BROKER_URL"] = broker_url
        if not database_url:
            yield Scratch(folder, "SQLite", "", environment)
            return
        with _one_more(database_url) as (url, version):
            yield Scratch(folder, version, url, environment | {"TEIJI_DATABASE_URL": url})


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """SIGTERM ends what is under way as an exception would."""
    before = signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _one_more(server_url: str) -> Iterator[tuple[str, str]]:
    """The URL of a new database on this PostgreSQL server, and the server's version."""
    name = f"teiji_bench_{os.getpid()}_{next(numbers)}"
    identifier = sql.Identifier(name)
    with _connection(server_url) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        try:
            version = f"PostgreSQL {server.info.server_version // 10000}"
            yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}")), version
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def _connection(server_url: str) -> psycopg.Connection:
    try:
        return psycopg.connect(server_url, autocommit=True)
    except psycopg.ProgrammingError as error:
        raise ValueError(f"--database is no URL of a PostgreSQL server: {error}") from error
    except psycopg.OperationalError as error:
        raise RuntimeError(f"The PostgreSQL of --database does not answer: {error}") from error


def _is_common(variable: str) -> bool:
    """Tuning of the user's is measured with; where their data is, is left out."""
    tuning = ("POLL", "LEAD", "HORIZON", "LEASE", "WIRE", "IN_FLIGHT", "CONFIRM")
    own = variable.removeprefix("TEIJI_")
    return own == variable or own.startswith(tuning)
