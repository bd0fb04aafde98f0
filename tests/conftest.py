"""The world of the tests, on one screen.

    hq ─┬─ north ── taipei ── xinyi        one person on each level, named after the unit,
        └─ south ── tainan                 and a stranger who belongs nowhere

Each branch has a live room, xinyi a test room too; all on headquarters' shared sandbox.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import translation
from hypothesis import HealthCheck, settings
from PIL import Image as Pillow

from channels.models import Account, Image, Room
from orgs.models import Member, Unit, User
from orgs.reach import Role
from schedules.dispatch.loop import Loop
from schedules.models import Schedule, ScheduleImage
from scripts import translations
from tests.emptying import delete_what_there_is
from tests.logged import logged  # noqa: F401 - a fixture
from tests.manage import manage  # noqa: F401 - a fixture
from tests.unlimited import UNLIMITED

DATABASE_FIXTURES = {"db", "transactional_db"}
# What is shown and answered: every database is asked in the same way, through the same actions.
SURFACE = re.compile(
    r"/(admin|api|calendar|documents|organisation|phone|sign_in|tenants|wizard)/[^/]*$"
    r"|/test_(\w+_)?(admin|api|page|pages|lists|security)\.py$"
)

# How long an example takes is the machine's affair, which may be busy.
settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy machine")


@pytest.fixture(scope="session", autouse=True)
def _catalogues_are_compiled() -> None:
    translations.compile_all()


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """A request leaves its language to its thread."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def _no_vendor_is_asked(settings: Any) -> None:
    """Where a test does not say where its LINE is, nobody answers."""
    settings.TEIJI_LINE_API_HOST = "http://127.0.0.1:9"


@dataclass
class World:
    hq: Unit
    north: Unit
    taipei: Unit
    xinyi: Unit
    south: Unit
    tainan: Unit
    sandbox: Account
    room: Room  # xinyi's
    test_room: Room  # xinyi's
    tainan_room: Room
    people: dict[str, User]  # by unit code; each manages the unit; and "stranger"

    def person(self, unit: Unit, role: Role) -> User:
        """One more person, with this role."""
        user = User.objects.create(username=f"{unit.code}-{role.name.lower()}", is_staff=True)
        Member.objects.create(user=user, unit=unit, role=role)
        return user


delete_what_there_is()


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        uses_one = DATABASE_FIXTURES & set(getattr(item, "fixturenames", ()))
        marker = item.get_closest_marker("django_db")
        if not uses_one and not marker:
            item.add_marker("no_database")
        elif SURFACE.search(str(item.path)) and not is_transactional(item, marker):
            item.add_marker("any_database")


def is_transactional(item: pytest.Item, marker: pytest.Mark | None) -> bool:
    """Whether it asks how a database treats those who work at once."""
    is_marked = marker is not None and bool(marker.kwargs.get("transaction"))
    return is_marked or "transactional_db" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A thread that ends later than its test may still hold a session, and PostgreSQL drops no
    database that has one: it is ended first."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture
def world(db: None) -> World:
    plant = Unit.objects.plant
    hq = plant(kind="headquarters", code="hq", name="HQ", zone="Asia/Seoul")
    north = plant(hq, kind="distributor", code="north", name="North", zone="Asia/Taipei")
    south = plant(hq, kind="distributor", code="south", name="South", zone="Asia/Seoul")
    taipei = plant(north, kind="agency", code="taipei", name="Taipei", zone="Asia/Taipei")
    plant(taipei, kind="branch", code="xinyi", name="Xinyi", zone="Asia/Taipei")
    plant(south, kind="branch", code="tainan", name="Tainan", zone="Asia/Taipei")
    units = {unit.code: unit for unit in Unit.objects.all()}
    sandbox = Account.objects.create(
        unit=units["hq"], name="Sandbox", kind="sandbox", is_shared=True
    )
    names = [*units, "stranger"]
    people = {name: User.objects.create(username=name, is_staff=True) for name in names}
    for code, unit in units.items():
        Member.objects.create(user=people[code], unit=unit, role=Role.MANAGER)

    def add_room(unit: str, name: str, kind: str = "live") -> Room:
        # Without limits: most tests send often to one room. Those of limits set their own.
        return Room.objects.create(
            unit=units[unit],
            account=sandbox,
            name=name,
            address=name.lower(),
            kind=kind,
            **UNLIMITED,
        )

    return World(
        **units,
        sandbox=sandbox,
        room=add_room("xinyi", "Xinyi room"),
        test_room=add_room("xinyi", "Xinyi test", kind="test"),
        tainan_room=add_room("tainan", "Tainan room"),
        people=people,
    )


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def make_schedule(world: World) -> Callable[..., Schedule]:
    """A draft of xinyi for xinyi's room, once, in an hour; any column can be given."""

    def make(
        *,
        rooms: list[Room] | None = None,
        images: Sequence[Image] = (),
        due_in: float = 3600,
        **values: Any,
    ) -> Schedule:
        due = datetime.now(UTC) + timedelta(seconds=due_in)
        defaults: dict[str, Any] = {
            "unit": world.xinyi,
            "title": "Morning notice",
            "text": "Good morning",
            "zone": "UTC",
            "timing_kind": "once",
            "date": due.date(),
            "time": due.time().replace(microsecond=0),
            "uid": uuid4(),
        }
        schedule = Schedule.objects.create(**defaults | values)
        schedule.rooms.set([world.room] if rooms is None else rooms)
        for position, image in enumerate(images):
            ScheduleImage.objects.create(schedule=schedule, image=image, position=position)
        return schedule

    return make


@pytest.fixture
def make_images(world: World, settings: Any, tmp_path: Path) -> Callable[[int], list[Image]]:
    """So many images of xinyi, each of another colour."""
    settings.MEDIA_ROOT = tmp_path

    def make(count: int) -> list[Image]:
        return [store_image(world.xinyi, number) for number in range(count)]

    return make


def store_image(unit: Unit, number: int) -> Image:
    buffer = BytesIO()
    Pillow.new("RGB", (40, 30), (number * 20, 80, 120)).save(buffer, "PNG")
    return Image.objects.store(
        unit=unit, by=None, data=buffer.getvalue(), name=f"image {number}.png"
    )


@pytest.fixture
def dispatch(transactional_db: None) -> Callable[[], int]:
    """Run the dispatcher until nothing is due; returns how many outcomes it wrote."""

    def run() -> int:
        async def main() -> int:
            loop = Loop("test")
            await loop.run(once=True)
            return loop.sent

        return asyncio.run(main())

    return run
