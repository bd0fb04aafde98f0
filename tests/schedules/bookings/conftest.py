"""An account that bills, with rooms of so many people and a reading of its month."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from channels.models import Account, QuotaReading, Room
from orgs.models import Unit
from schedules.dispatch.plan import plan
from schedules.models import Run, Schedule
from schedules.states import ScheduleState, move

SECOND = timedelta(seconds=1)


@pytest.fixture
def billing(line_account: Account) -> Account:
    return line_account


@pytest.fixture
def reading(billing: Account) -> Callable[..., QuotaReading]:
    """The channel has told this of the account."""

    def tell(limit: int | None, used: int = 0, *, at: datetime) -> QuotaReading:
        values = {"limit": limit, "used": used, "read_at": at, "tried_at": at}
        return QuotaReading.objects.update_or_create(account=billing, defaults=values)[0]

    return tell


@pytest.fixture
def make_room(world: Any, billing: Account) -> Callable[..., Room]:
    """A group of so many people, of xinyi where nothing is said."""
    made: list[Room] = []

    def make(people: int | None = None, unit: Unit | None = None) -> Room:
        made.append(
            Room.objects.create(
                unit=unit or world.xinyi, account=billing, name=f"Group {len(made)}",
                address=f"C{len(made):032x}", members_count=people,
            )
        )  # fmt: skip
        return made[-1]

    return make


@pytest.fixture
def due(make_schedule: Any) -> Callable[..., Schedule]:
    """A schedule (as make_schedule) that is due at this moment."""

    def make(due_at: datetime, **values: Any) -> Schedule:
        schedule = make_schedule(**values)
        when = {"date": due_at.date(), "time": due_at.time(), "next_due_at": due_at}
        move(Schedule.objects.filter(pk=schedule.pk), ScheduleState.ACTIVE, **when)
        return schedule

    return make


@pytest.fixture
def planned_at(due: Any) -> Callable[..., list[Run]]:
    """Let schedules be due at this moment, and plan them two seconds before it. Their runs, in
    the same order."""

    def make(due_at: datetime, *several: dict[str, Any]) -> list[Run]:
        schedules = [due(due_at, **values) for values in several]
        plan(due_at - 2 * SECOND)
        return [Run.objects.get(schedule=schedule, due_at=due_at) for schedule in schedules]

    return make
