"""A run that comes within ten minutes, and one turn of a worker's lookout at a chosen time."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from channels.models import Account, Alert, Room
from orgs.clock import database_now
from schedules.actions import register
from schedules.dispatch.clock import Clock
from schedules.dispatch.preflight.turn import Lookout
from schedules.dispatch.send import Senders
from schedules.dispatch.threads import DatabaseThreads
from schedules.models import Preflight, Schedule
from tests.fakes.line import LineFake
from tests.fakes.serving import in_thread
from tests.fakes.wire import Answer, Request

MINUTE = timedelta(minutes=1)


class At(Clock):
    """It is always this time."""

    def __init__(self, now: datetime) -> None:
        super().__init__()
        self._now = now

    def now(self) -> datetime:
        return self._now


class PublicHost:
    """What stands at the public address instead of Teiji."""

    latency = 0.0

    def __init__(self, status: int = 404, kind: str = "text/html") -> None:
        self.status, self.kind = status, kind
        self.log: list[str] = []

    def handle(self, request: Request) -> Answer:
        self.log.append(request.path)
        return Answer(self.status, b"<p>no</p>", {"Content-Type": self.kind})


@pytest.fixture
def line(settings: Any) -> Iterator[LineFake]:
    fake = LineFake()
    with in_thread(fake) as url:
        settings.TEIJI_LINE_API_HOST = url
        yield fake


@pytest.fixture
def group(world: Any, line_account: Account) -> Room:
    return Room.objects.create(
        unit=world.xinyi, account=line_account, name="Group", address="C" + "0" * 32
    )


@pytest.fixture
def coming(world: Any, group: Room, make_schedule: Callable[..., Schedule]) -> Any:
    """A schedule that was registered, to the group where nothing else is said."""

    def make(*, due_in: float = 480, **values: Any) -> Schedule:
        values = {"rooms": [group]} | values
        return register(make_schedule(due_in=due_in, **values), by=world.people["hq"])

    return make


@contextmanager
def public_host(settings: Any, fake: Any) -> Iterator[None]:
    with in_thread(fake) as url:
        settings.TEIJI_PUBLIC_URL = url
        yield


def turn(now: datetime | None = None) -> None:
    """What a worker does in one turn."""
    clock = At(now or database_now())

    async def main() -> None:
        senders, threads = Senders(clock), DatabaseThreads("look")
        try:
            await Lookout(partial(threads.call, "look"), senders).turn()
        finally:
            await senders.close()
            await threads.close()

    asyncio.run(main())


def found(schedule: Schedule) -> list[str]:
    """What was found of it, in words."""
    row = Preflight.objects.get(schedule=schedule)
    assert row.taken_at is None
    return [finding.words for finding in row.found]


def told() -> list[str]:
    """The lines of the alerts that were raised so far."""
    rows = Alert.objects.filter(kind="found").order_by("id")
    return [words for row in rows for _at, words in row.lines]
