"""Copies of the test's database, as people make them: a template copy, a file copied."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.db import connection
from psycopg import sql

from tests.processes.machine import database_url

Copy = str | Path  # the name of a database, or a file


@contextmanager
def copied(folder: Path, name: str = "copy") -> Iterator[Copy]:
    """A copy as the database stands; nobody else may be connected to it."""
    connection.close()
    if connection.vendor == "sqlite":
        target = folder / f"{name}.sqlite3"
        shutil.copyfile(_own(), target)
        yield target
        return
    target_name = f"{_own()}_{name}"
    _make(target_name, template=_own())
    try:
        yield target_name
    finally:
        _server(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(target_name)))


@contextmanager
def empty(folder: Path, name: str = "fresh") -> Iterator[Copy]:
    """A database without a table."""
    if connection.vendor == "sqlite":
        yield folder / f"{name}.sqlite3"
        return
    new = f"{_own()}_{name}"
    _server(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(new)))
    try:
        yield new
    finally:
        _server(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(new)))


def put_back(copy: Copy) -> None:
    """The test's own database becomes what the copy is; nobody else may be connected."""
    connection.close()
    if isinstance(copy, Path):
        for ending in ("-wal", "-shm"):
            Path(f"{_own()}{ending}").unlink(missing_ok=True)
        shutil.copyfile(copy, _own())
        return
    _server(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(_own())))
    _make(_own(), template=copy)


def url_of(copy: Copy) -> str:
    if isinstance(copy, Path):
        return f"sqlite:///{copy}"
    return urlunsplit(urlsplit(database_url())._replace(path=f"/{copy}"))


def _own() -> str:
    return str(connection.settings_dict["NAME"])


def _make(name: str, *, template: str) -> None:
    # A connection that was just closed may take a moment to be gone from the server.
    _server(
        sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(
            sql.Literal(template)
        )
    )
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    _server(statement.format(sql.Identifier(name), sql.Identifier(template)))


def _server(statement: sql.Composed) -> None:
    address = urlunsplit(urlsplit(database_url())._replace(path="/postgres"))
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(statement)
