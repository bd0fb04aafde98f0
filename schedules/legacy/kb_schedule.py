"""What a row of `kb_schedule` and of `kb_schedule_logs` means. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from orgs.models import Unit
from schedules.content import Order
from schedules.legacy import values as read
from schedules.legacy.values import Unreadable, Values
from schedules.recurrence import Kind

TABLE = "kb_schedule"
LOGS = "kb_schedule_logs"
ZONE = "Asia/Seoul"

WEEKDAYS = {
    name: number
    for number, name in enumerate(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    )
}
STATUSES = ("active", "inactive", "completed", "error")
OUTCOMES = ("success", "failed", "partial")
KINDS = (Kind.ONCE, Kind.WEEKLY, Kind.DAILY)


@dataclass(frozen=True)
class Picture:
    """An image by the name of its file."""

    filename: str
    name: str  # as the person called it


@dataclass(frozen=True)
class Registered:
    """One row of kb_schedule."""

    legacy_id: str
    unit_kind: str
    unit_code: str
    person: str
    room: str
    room_kind: str
    title: str
    description: str
    text: str
    pictures: tuple[Picture, ...]
    order: str
    interval: int
    kind: str
    date: date | None
    time: time
    weekdays: tuple[int, ...]
    valid_from: datetime | None
    valid_until: datetime | None
    status: str
    created_at: datetime | None


@dataclass(frozen=True)
class Sent:
    """One row of kb_schedule_logs."""

    legacy_id: str
    schedule_id: str
    room: str
    text: str
    pictures: tuple[Picture, ...]
    order: str
    status: str
    error: str
    answer: Any
    due_at: datetime
    started_at: datetime
    completed_at: datetime


def registered(values: Values, zone: ZoneInfo) -> Registered:
    """The schedule that this row holds. Raises Unreadable."""
    kind = read.one_of(values, "schedule_type", KINDS)
    found = Registered(
        legacy_id=read.identifier(values),
        unit_kind=read.one_of(values, "created_by_type", Unit.Kind.values),
        unit_code=read.text(values, "created_by_id"),
        person=read.text(values, "created_by_mb_id"),
        room=read.needed(values, "target_room_id"),
        room_kind=read.one_of(values, "target_room_type", ("live", "test"), default="live"),
        title=read.shorter(values, "title", 255),
        description=read.text(values, "description"),
        text=read.text(values, "message_text"),
        pictures=_pictures(values, "message_images"),
        order=read.one_of(values, "send_order", Order.values, default=Order.TEXT_FIRST),
        interval=read.number(values, "send_interval_seconds", default=1),
        kind=kind,
        date=read.day(values, "schedule_date"),
        time=read.clock_time(values, "schedule_time"),
        weekdays=read.words(values, "schedule_weekdays", WEEKDAYS),
        valid_from=read.moment(values, "valid_from", zone),
        valid_until=read.moment(values, "valid_until", zone),
        status=read.one_of(values, "status", STATUSES),
        created_at=read.moment(values, "created_at", zone),
    )
    _refuse_contradictions(found)
    return found


def sent(values: Values, zone: ZoneInfo) -> Sent:
    """What was sent, as this row of the log tells it. Raises Unreadable."""
    times = [read.moment(values, name, zone) for name in ("scheduled_at", "started_at")]
    due_at, started_at = times[0] or times[1], times[1] or times[0]
    if due_at is None or started_at is None:
        raise Unreadable("scheduled_at", "it is empty, and so is started_at")
    took = timedelta(milliseconds=read.number(values, "duration_ms"))
    return Sent(
        legacy_id=read.identifier(values),
        schedule_id=read.needed(values, "schedule_id"),
        room=read.needed(values, "target_room_id"),
        text=read.text(values, "sent_message_text"),
        pictures=_pictures(values, "sent_images"),
        order=read.one_of(values, "send_order", Order.values, default=Order.TEXT_FIRST),
        status=read.one_of(values, "status", OUTCOMES),
        error=read.text(values, "error_message"),
        answer=_answer(values),
        due_at=due_at,
        started_at=started_at,
        completed_at=read.moment(values, "completed_at", zone) or started_at + took,
    )


def _refuse_contradictions(row: Registered) -> None:
    if row.kind == Kind.ONCE and row.date is None:
        raise Unreadable("schedule_date", "it is empty, but the schedule is for once")
    if row.kind == Kind.WEEKLY and not row.weekdays:
        raise Unreadable("schedule_weekdays", "it is empty, but the schedule is weekly")
    if row.valid_from and row.valid_until and row.valid_until <= row.valid_from:
        raise Unreadable("valid_until", "the validity ends before it begins")


def _pictures(values: Values, column: str) -> tuple[Picture, ...]:
    """Of {"images": [{"filename": …}]}, or of the bare list."""
    found = read.read_json(values, column)
    listed = found.get("images") if isinstance(found, dict) else found
    if not listed:
        return ()
    if not isinstance(listed, list):
        raise Unreadable(column, "its “images” is not a list")
    return tuple(_picture(entry, column) for entry in listed)


def _picture(entry: Any, column: str) -> Picture:
    facts = entry if isinstance(entry, dict) else {"filename": entry}
    filename = str(facts.get("filename") or "")
    # Only names: a path could lead out of the folder that was given.
    if not filename or "/" in filename or "\\" in filename or filename.startswith("."):
        raise Unreadable(column, f"“{filename}” is not the name of a file")
    return Picture(filename, str(facts.get("original_name") or filename))


def _answer(values: Values) -> Any:
    """What the channel had answered; a text where it is not the JSON that it should be."""
    try:
        return read.read_json(values, "api_response")
    except Unreadable:
        return read.text(values, "api_response")
