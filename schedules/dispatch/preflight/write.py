"""Write: what was found stays with the schedule, and trouble is told, once."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction

from channels import alerts
from channels.alerts import AlertKind, Event
from schedules.dispatch.preflight.look import Flight
from schedules.dispatch.preflight.take import AHEAD
from schedules.dispatch.warn import RUNS
from schedules.findings import Finding, What, digest
from schedules.models import Preflight
from schedules.states import ScheduleState

AGAIN = timedelta(minutes=2)  # after which it is tried anew to look at what could not be seen
TOLD_FOR = timedelta(hours=20)  # the same trouble of a schedule is told at most once a day


def write(flights: Sequence[Flight], now: datetime) -> None:
    """Keep what was found of these, where they are still in this worker's hold, and raise the
    alerts that follow: both, or neither."""
    with transaction.atomic():
        events: list[Event] = []
        for flight in sorted(flights, key=lambda flight: flight.row.pk):
            told = _to_tell(flight, now)
            if _keep(flight, told, now):
                events += [_event(flight, finding, now) for finding in told]
        alerts.raise_all(events, now)


def _keep(flight: Flight, told: Sequence[Finding], now: datetime) -> bool:
    row = flight.row
    mine = Preflight.objects.filter(pk=row.pk, taken_at=row.taken_at)
    values: dict[str, Any] = {
        "due_at": flight.due_at,
        "revision": flight.schedule.revision,
        "findings": [finding.as_json() for finding in flight.findings],
        "looked_at": now,
        "again_at": _again_at(flight, now),
        "taken_at": None,
    }
    if told:
        values |= {"told": digest(told), "told_at": now}
    if not mine.update(**values):
        return False
    # Who has asked since it was taken waits for another look.
    Preflight.objects.filter(pk=row.pk, asked_at__lte=row.taken_at).update(asked_at=None)
    return True


def _again_at(flight: Flight, now: datetime) -> datetime | None:
    if flight.due_at and flight.is_early(now):
        return flight.due_at - AHEAD
    return now + AGAIN if _has_unseen(flight.findings) else None


def _to_tell(flight: Flight, now: datetime) -> list[Finding]:
    """What people must hear who did not ask; nothing if it is what they heard before. That
    something could not be looked at is told when it could not be a second time."""
    row, schedule = flight.row, flight.schedule
    is_to_come = schedule.state == ScheduleState.ACTIVE and flight.due_at is not None
    if not is_to_come or flight.is_early(now):
        return []
    is_second = row.due_at == flight.due_at and _has_unseen(row.found)
    found = [
        finding
        for finding in flight.findings
        if finding.is_trouble or (is_second and finding.what == What.UNSEEN)
    ]
    is_known = row.told == digest(found) and row.told_at and now - row.told_at < TOLD_FOR
    return [] if is_known else found


def _has_unseen(findings: Iterable[Finding]) -> bool:
    return any(finding.what == What.UNSEEN for finding in findings)


def _event(flight: Flight, finding: Finding, now: datetime) -> Event:
    return Event(
        kind=AlertKind.FOUND,
        subject=RUNS,
        unit_path=flight.schedule.unit.path,
        key=f"{AlertKind.FOUND}:{flight.row.pk}:{now.isoformat()}",
        name="",
        text=partial(_line, flight.schedule.title, finding),
        at=flight.due_at or now,
    )


def _line(title: str, finding: Finding) -> str:
    return f"{title}: {finding.words} {finding.advice}".strip()
