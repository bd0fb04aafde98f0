"""A log in which the month of July 2024 lies long behind."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from logs.models import Attempt, Tally
from orgs.clock import database_now
from orgs.models import Unit
from schedules.archive.put import Moved, put
from schedules.models import Delivery, QuartersCounted

JULY = date(2024, 7, 1)
AT = datetime(2024, 7, 9, 9, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(autouse=True)
def root(settings: Any, tmp_path: Path) -> Path:
    settings.TEIJI_ARCHIVE_ROOT = tmp_path / "archive"
    return tmp_path / "archive"


@pytest.fixture
def old(world: Any, logged: Any) -> Callable[..., Delivery]:
    """A delivery of July 2024 with two attempts; all of July is in the figures."""
    now = database_now()
    QuartersCounted.objects.create(pk=1, until=now, turned_at=now)
    Tally.objects.create(pk=1, counted_id=10**9, seen_id=10**9, seen_at=now)

    def make(unit: Unit | None = None, state: str = "sent", **values: Any) -> Delivery:
        made = logged(unit or world.xinyi, values.pop("at", AT), state, **values)
        for number, outcome in ((1, "unknown"), (2, "accepted")):
            Attempt.objects.create(
                delivery_id=made.pk, run_id=made.run_id, schedule_id=made.run.schedule_id,
                schedule_title=made.run.title, room_id=made.room_id, room_name=made.room_name,
                unit_path=made.unit_path, channel="sandbox", account_id=made.account_id, part=0,
                number=number, key=uuid4(), due_at=made.due_at, wire_at=made.due_at,
                answered_at=made.due_at, outcome=outcome, answer={"방": "“하나”"}, lateness_ms=7,
            )  # fmt: skip
        return made

    return make


def move_july() -> Moved:
    """What the command does for July."""
    return put(JULY, now=database_now(), progress=lambda _count: None)
