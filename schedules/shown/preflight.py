"""The last look at a schedule before its run, as pages and the API show it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schedules.actions.check import CHECKABLE
from schedules.findings import Finding
from schedules.models import Preflight, Schedule
from schedules.models.preflight import AHEAD
from schedules.states import ScheduleState


@dataclass(frozen=True)
class Shown:
    """`is_waiting`: a worker is about to look. `looked_at` None: nothing is known of the schedule
    as it is now. `due_at`: of which run, None where none is to come. `next_look_at`: when a worker
    looks by itself, `next_due_at` at which run; None where that is done, or none is known."""

    may_ask: bool  # of the schedule; who may is asked by the act
    is_waiting: bool = False
    looked_at: datetime | None = None
    due_at: datetime | None = None
    findings: Sequence[Finding] = field(default_factory=tuple)
    next_look_at: datetime | None = None
    next_due_at: datetime | None = None

    @property
    def troubles(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.is_trouble]

    @property
    def notes(self) -> list[Finding]:
        """What could not be looked at, or not all of it."""
        return [finding for finding in self.findings if not finding.is_trouble]


def preflight_of(schedule: Schedule, now: datetime) -> Shown:
    """As it stands. Reads the look's row, or what was loaded with the schedule."""
    may_ask = schedule.state in CHECKABLE
    row: Preflight | None = getattr(schedule, "preflight", None)
    coming = _coming(schedule, row, now)
    if row is None:
        return Shown(may_ask, **coming)
    is_waiting = row.asked_at is not None or row.taken_at is not None
    if not row.says_something_of(schedule, now):
        return Shown(may_ask, is_waiting, **coming)
    return Shown(may_ask, is_waiting, row.looked_at, row.due_at, row.found, **coming)


def _coming(schedule: Schedule, row: Preflight | None, now: datetime) -> dict[str, Any]:
    due_at = schedule.next_due_at
    if schedule.state != ScheduleState.ACTIVE or due_at is None or due_at <= now:
        return {}
    look_at = due_at - AHEAD
    is_done = (
        row is not None
        and row.says_something_of(schedule, now)
        and row.due_at == due_at
        and row.looked_at is not None
        and row.looked_at >= look_at
    )
    return {} if is_done else {"next_look_at": max(look_at, now), "next_due_at": due_at}
