"""Chosen only by `-m faults`; a server, a nursery and two channels of their own."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.conf import settings as project
from django.db import connection, connections

from channels.models import Image
from tests.conftest import World
from tests.faults import servers
from tests.faults.bookings import Bookings
from tests.faults.clocks import set_by
from tests.faults.fleet import Fleet, Nursery, fleet
from tests.faults.vendors import Stands, Vendors, open_vendors, stands
from tests.processes.machine import database_url

HERE = Path(__file__).parent
TIMEOUT = 300  # seconds, where a test does not say
PUBLIC_URL = "https://teiji.example.com"  # LINE takes images from https only; nobody fetches them


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Others' runs (`not browser and not processes`) must not start what kills servers; and on
    SQLite there is no server to kill."""
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        for mark in (pytest.mark.faults, pytest.mark.enable_socket):
            item.add_marker(mark)
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(TIMEOUT))
    if "faults" in str(config.option.markexpr):
        ours = [item for item in ours if is_sqlite() and needs_a_server(item)]
    config.hook.pytest_deselected(items=ours)
    items[:] = [item for item in items if item not in ours]


def needs_a_server(item: pytest.Item) -> bool:
    return "own_server" in getattr(item, "fixturenames", ())


def is_sqlite() -> bool:
    return bool(connections.databases["default"]["ENGINE"].endswith("sqlite3"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres | None]:
    """The session's own server; None on SQLite."""
    if is_sqlite():
        yield None
        return
    with servers.own_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, postgres: servers.Postgres | None
) -> None:
    """Make the tests' database on that server."""
    if postgres is not None:
        values = {"HOST": "127.0.0.1", "PORT": postgres.port, "USER": "postgres", "PASSWORD": ""}
        connections.databases["default"].update(values)


@pytest.fixture(scope="session")
def both_stands() -> Iterator[Stands]:
    with stands() as both:
        yield both


@pytest.fixture(scope="session")
def redis_server() -> Iterator[servers.Redis]:
    with servers.own_redis() as server:
        yield server


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest, postgres: servers.Postgres | None) -> str:
    """Redis beside PostgreSQL, the folder beside SQLite: as in production and in a trial."""
    if postgres is None:
        return "filesystem://"
    server: servers.Redis = request.getfixturevalue("redis_server")
    return server.url


@pytest.fixture(scope="session")
def nursery(
    django_db_setup: None,
    both_stands: Stands,
    broker: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Nursery]:
    running = Nursery(
        {
            "TEIJI_DATABASE_URL": database_url(),
            "TEIJI_DATA_DIR": str(tmp_path_factory.mktemp("data")),
            "TEIJI_SECRET_KEY": project.SECRET_KEY,
            "TEIJI_SECRET_KEYS": ",".join(project.TEIJI_SECRET_KEYS),
            "TEIJI_BROKER_URL": broker,
            "TEIJI_LINE_API_HOST": both_stands.line.url,
            "TEIJI_OUTGOING_ALLOW": "127.0.0.0/8",
            "TEIJI_PUBLIC_URL": PUBLIC_URL,
            "TEIJI_DEBUG": "0",
            "PYTHONWARNINGS": "default",
        }
    )
    yield running
    running.close()


@pytest.fixture
def own_server(postgres: servers.Postgres | None) -> servers.Postgres:
    """For tests that need PostgreSQL: on SQLite they are not chosen."""
    assert postgres is not None
    return postgres


@pytest.fixture
def picture(make_images: Any, settings: Any) -> Image:
    """With a text and a pause it makes a message of two parts."""
    settings.TEIJI_PUBLIC_URL = PUBLIC_URL
    return make_images(1)[0]  # type: ignore[no-any-return]


@pytest.fixture
def vendors(world: World, both_stands: Stands) -> Vendors:
    return open_vendors(both_stands, world.hq, world.xinyi)


@pytest.fixture
def bookings(world: World, make_schedule: Any, vendors: Vendors) -> Bookings:
    return Bookings(make_schedule, world.people["hq"], vendors)


@pytest.fixture
def workers(
    request: pytest.FixtureRequest, transactional_db: None, nursery: Nursery, tmp_path: Path
) -> Iterator[Fleet]:
    """A fleet on an empty broker. Its processes die before the tables are emptied."""
    if connection.vendor == "postgresql":
        request.getfixturevalue("redis_server").flush()
    with fleet(nursery, tmp_path) as running:
        yield running


@pytest.fixture
def shifted_clock(own_server: servers.Postgres) -> Iterator[Path]:
    """The test's database is another one, on a server whose clock is what this file says."""
    with TemporaryDirectory(prefix="teiji-faults-clock-") as folder:
        file = Path(folder) / "clock"
        file.write_text("+0s")
        file.parent.chmod(0o755)  # the server is another user
        with servers.own_postgres(**set_by(file)) as server, servers.moved_to(server):
            yield file
