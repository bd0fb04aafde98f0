"""Takes the rows of kb_schedule_logs over: a run, a delivery and an attempt for each, as they
would stand if it had been sent from here, at the times at which it was sent there."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from channels.models import Room
from logs.models import Attempt
from orgs.bulk import insert
from schedules.content import Content, Order, pack
from schedules.legacy.kb_schedule import LOGS, TABLE, Sent, sent
from schedules.legacy.known import digest_of, known
from schedules.legacy.reading import Record
from schedules.legacy.taking import Import, Progress
from schedules.legacy.values import Unreadable
from schedules.models import Delivery, LegacyRow, Run, Schedule
from schedules.models.delivery import delivery_key, part_key
from schedules.outcomes.keep import note_changes
from schedules.states import DeliveryState, run_state

STATES = {
    "success": DeliveryState.SENT,
    "partial": DeliveryState.FAILED,  # and its run is partly sent
    "failed": DeliveryState.FAILED,
}

Taken = set[tuple[int, datetime]]  # the appointed times of schedules


@dataclass(frozen=True)
class Entry:
    """A row of the log with what it hangs on here."""

    row: Sent
    schedule: Schedule
    room: Room


def take_logs(
    records: Iterable[Record], zone: ZoneInfo, taking: Import, progress: Progress
) -> None:
    """All that is not there yet."""
    for rows, before in taking.batches(LOGS, records, lambda v: sent(v, zone), progress):
        taking.report.count(LOGS, "known", len(before))
        new = [(record, row) for record, row in rows if row.legacy_id not in before]
        schedules = _schedules({row.schedule_id for _record, row in new}, taking)
        entries = []
        for record, row in new:
            try:
                entries.append(_entry(row, schedules, taking))
            except Unreadable as error:
                taking.refuse(LOGS, record, error)
        if entries:
            _store(entries, taking)
        taking.report.count(LOGS, "taken", len(entries))


def _schedules(ids: set[str], taking: Import) -> dict[str, Schedule]:
    """The imported schedules by their ids there."""
    rows = known(taking.source, TABLE, ids)
    here = Schedule.objects.select_related("unit").in_bulk([row.object_id for row in rows.values()])
    return {key: here[row.object_id] for key, row in rows.items() if row.object_id in here}


def _entry(row: Sent, schedules: dict[str, Schedule], taking: Import) -> Entry:
    if row.schedule_id not in schedules:
        raise Unreadable("schedule_id", "its schedule was not taken, or was deleted here")
    if max(row.due_at, row.started_at) > taking.now:
        raise Unreadable("scheduled_at", "it lies in the future")
    schedule = schedules[row.schedule_id]
    return Entry(row, schedule, taking.places.past_room(row.room, schedule.unit))


@transaction.atomic
def _store(entries: list[Entry], taking: Import) -> None:
    taken = _appointed(entries)
    runs = [_run(entry, taken, taking) for entry in entries]
    insert(runs, ids=True)
    deliveries = [_delivery(e, run, taking) for e, run in zip(entries, runs, strict=True)]
    insert(deliveries, ids=True)
    note_changes((run.due_at for run in runs), taking.now)
    insert([_attempt(e, d) for e, d in zip(entries, deliveries, strict=True)])
    insert([_mark(e, run, taking) for e, run in zip(entries, runs, strict=True)])


def _appointed(entries: list[Entry]) -> Taken:
    """The times at which these schedules have a run already."""
    schedules = {entry.schedule.pk for entry in entries}
    times = {moment for e in entries for moment in (e.row.due_at, e.row.started_at)}
    runs = Run.objects.filter(schedule__in=schedules, due_at__range=(min(times), max(times)))
    return set(runs.values_list("schedule_id", "due_at"))


def _run(entry: Entry, taken: Taken, taking: Import) -> Run:
    row, schedule = entry.row, entry.schedule
    due_at = _free(entry, taken)
    is_sent = row.status == "success"
    state = run_state({STATES[row.status]: 1}, parts_sent=row.status == "partial")
    return Run(
        schedule=schedule,
        due_at=due_at,
        trigger=Run.Trigger.IMPORTED,
        kind=Run.Trigger.IMPORTED,
        state=state,
        title=schedule.title,
        unit_path=schedule.unit.path,
        zone=schedule.zone,
        interval_seconds=schedule.interval_seconds,
        content={
            "text": row.text,
            "images": [{"id": None, "name": p.name, "sha256": ""} for p in row.pictures],
            "order": row.order,
            "interval_seconds": schedule.interval_seconds,
        },
        payloads={str(entry.room.account_id): _payloads(row, entry.room)},
        planned_at=taking.now,
        started_at=row.started_at,
        completed_at=row.completed_at,
        total=1,
        sent=int(is_sent),
        failed=int(not is_sent),
    )


def _free(entry: Entry, taken: Taken) -> datetime:
    """The appointed time; of a second try the time at which that began. A schedule has one run
    for each time."""
    moment = entry.row.due_at
    if (entry.schedule.pk, moment) in taken:
        moment = entry.row.started_at
    while (entry.schedule.pk, moment) in taken:
        moment += timedelta.resolution
    taken.add((entry.schedule.pk, moment))
    return moment


def _payloads(row: Sent, room: Room) -> list[dict[str, Any]]:
    """The text as the page of the run shows it. The images of then are not kept."""
    content = Content(text=row.text, order=Order.TEXT_ONLY, is_filled=True)
    try:
        return pack(content, room.account.open(), lambda image: None)  # type: ignore[arg-type,return-value]
    except (KeyError, ValueError, ImproperlyConfigured):
        return []


def _delivery(entry: Entry, run: Run, taking: Import) -> Delivery:
    row, room = entry.row, entry.room
    # What went twice at one time there did so: only what is sent from here is kept from it.
    mark = f"{taking.source}|{LOGS}|{row.legacy_id}"
    return Delivery(
        run=run,
        room=room,
        account=room.account,
        room_name=room.name,
        channel=room.account.kind,
        unit_path=run.unit_path,
        is_test=room.kind == Room.Kind.TEST,
        content_hash=hashlib.sha256(mark.encode()).hexdigest(),
        key=delivery_key(entry.schedule.uid, run.due_at, room.account.kind, room.address),
        state=STATES[row.status],
        error=row.error,
        priority=run.priority,
        due_at=run.due_at,
        next_try_at=run.due_at,
        part={"success": 2, "partial": 1, "failed": 0}[row.status] if row.pictures else
        int(row.status != "failed"),
        parts=2 if row.pictures or row.status == "partial" else 1,
        tries=1,
        started_at=row.started_at,
        completed_at=row.completed_at,
    )  # fmt: skip


def _attempt(entry: Entry, delivery: Delivery) -> Attempt:
    row = entry.row
    is_sent = row.status == "success"
    return Attempt(
        delivery_id=delivery.pk,
        run_id=delivery.run_id,
        schedule_id=entry.schedule.pk,
        schedule_title=entry.schedule.title,
        room_id=entry.room.pk,
        room_name=delivery.room_name,
        unit_path=delivery.unit_path,
        channel=delivery.channel,
        account_id=delivery.account_id,
        part=0,
        number=1,
        key=part_key(delivery.key, 0),
        due_at=delivery.due_at,
        wire_at=row.started_at,
        answered_at=row.completed_at,
        outcome=Attempt.Outcome.ACCEPTED if is_sent else Attempt.Outcome.REFUSED,
        answer=row.answer if isinstance(row.answer, dict) else {"answer": row.answer},
        error=row.error,
    )


def _mark(entry: Entry, run: Run, taking: Import) -> LegacyRow:
    return LegacyRow(
        source=taking.source,
        table=LOGS,
        legacy_id=entry.row.legacy_id,
        object_id=run.pk,
        digest=digest_of(entry.row),
        imported_at=taking.now,
    )
