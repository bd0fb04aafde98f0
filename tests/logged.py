"""Deliveries as the log holds them, at any time and in any state. A fixture, for who imports it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from orgs.models import Unit
from schedules.models import Delivery, Run, Schedule

NUMBERS = count(1)
RUN_STATES = {"planned": "sending", "confirmed": "sent", "retracted": "sent"}


@pytest.fixture
def logged(world: Any) -> Callable[..., Delivery]:
    """A delivery of this unit, appointed for this time, in a run of its own."""
    schedules: dict[int, Schedule] = {}

    def make(
        unit: Unit, due_at: datetime, state: str = "sent", *, kind: str = "daily", **values: Any
    ) -> Delivery:
        if unit.pk not in schedules:
            made = Schedule.objects.create(unit=unit, title=f"Of {unit}", timing_kind="daily")
            schedules[unit.pk] = made
        number = next(NUMBERS)
        due_at += timedelta(microseconds=number)  # a schedule has one run at a time
        run = Run.objects.create(
            schedule=schedules[unit.pk], due_at=due_at, planned_at=due_at, kind=kind,
            title=f"Of {unit}", unit_path=unit.path, zone=unit.zone, total=1,
            state=RUN_STATES.get(state, state),
        )  # fmt: skip
        facts: dict[str, Any] = {
            "room": world.room, "room_name": "room", "account": world.sandbox,
            "channel": "sandbox", "claim": uuid4() if state == "sending" else None,
        } | values  # fmt: skip
        return Delivery.objects.create(
            run=run, unit_path=unit.path, content_hash=f"{number:064x}", key=uuid4(), state=state,
            priority=50, due_at=due_at, next_try_at=due_at, parts=1, **facts,
        )  # fmt: skip

    return make
