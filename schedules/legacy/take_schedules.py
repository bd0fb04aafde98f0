"""Takes the rows of kb_schedule over, each in a transaction of its own."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from django.db import transaction

from channels.models import Image, Room
from orgs.models import Unit
from schedules import rules
from schedules.actions.locked import lock_targets
from schedules.actions.replan import find_next
from schedules.legacy.kb_schedule import TABLE, Registered, registered
from schedules.legacy.known import uid_of
from schedules.legacy.pictures import Missing
from schedules.legacy.reading import Record
from schedules.legacy.taking import Import, Progress, enter, passed, to_look_at
from schedules.legacy.values import Unreadable
from schedules.models import Schedule, ScheduleImage
from schedules.states import ScheduleState

OVER = {"completed": ScheduleState.COMPLETED, "error": ScheduleState.ERROR}


def expect_rooms(records: Iterable[Record], zone: ZoneInfo, taking: Import) -> None:
    """Note which units send to which rooms: a room that is added must belong to all of them."""
    for record in records:
        try:
            row = registered(record.values, zone)
            taking.places.expect(row.room, taking.places.unit(row.unit_kind, row.unit_code))
        except Unreadable:
            continue  # the taking says it


def take_schedules(
    records: Iterable[Record], zone: ZoneInfo, taking: Import, progress: Progress
) -> None:
    """All that is not there yet."""
    for rows, known in taking.batches(TABLE, records, lambda v: registered(v, zone), progress):
        for record, row in rows:
            if row.legacy_id in known:
                taking.compare(TABLE, record, row, known[row.legacy_id])
            else:
                _take(record, row, zone, taking)


def _take(record: Record, row: Registered, zone: ZoneInfo, taking: Import) -> None:
    try:
        unit = taking.places.unit(row.unit_kind, row.unit_code)
        room = taking.places.room(row.room, row.room_kind, unit)
        schedule = _schedule(row, unit, zone, taking)
        for field, problem in schedule.timing.problems().items():
            raise Unreadable(f"schedule_{field}", problem.rstrip("."))
    except Unreadable as error:
        taking.refuse(TABLE, record, error)
        return
    images, missing = _images(row, unit, taking)
    notes = _store(row, schedule, (room, images, missing), taking)
    taking.report.count(TABLE, "taken")
    for why in missing:
        taking.note(TABLE, record, why, "message_images")
    for why in notes:
        taking.note(TABLE, record, why)


@transaction.atomic
def _store(
    row: Registered,
    schedule: Schedule,
    parts: tuple[Room, list[Image], list[str]],
    taking: Import,
) -> list[str]:
    """Write it; returns what a person should know about its state."""
    room, images, missing = parts
    schedule.save()
    schedule.rooms.set([room])
    ScheduleImage.objects.bulk_create(
        ScheduleImage(schedule=schedule, image=image, position=position)
        for position, image in enumerate(images)
    )
    taking.remember(TABLE, row, schedule.pk)
    lock_targets(schedule)
    to, notes = _state(row, schedule, missing, taking)
    enter(schedule, to, f"{TABLE} {row.legacy_id}", taking)
    if row.created_at:
        Schedule.objects.filter(pk=schedule.pk).update(created_at=row.created_at)
    return notes


def _schedule(row: Registered, unit: Unit, zone: ZoneInfo, taking: Import) -> Schedule:
    return Schedule(
        uid=uid_of(taking.source, TABLE, row.legacy_id),
        unit=unit,
        registered_by=taking.places.person(row.person),
        title=row.title,
        description=row.description,
        text=row.text,
        order=row.order,
        interval_seconds=row.interval,
        timing_kind=row.kind,
        zone=zone.key,
        date=row.date,
        time=row.time,
        weekdays=list(row.weekdays),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )


def _images(row: Registered, unit: Unit, taking: Import) -> tuple[list[Image], list[str]]:
    images, missing = [], []
    for picture in row.pictures:
        try:
            images.append(taking.pictures.image(picture, unit))
        except Missing as error:
            missing.append(str(error))
    return images, missing


def _state(
    row: Registered, schedule: Schedule, missing: list[str], taking: Import
) -> tuple[ScheduleState, list[str]]:
    """The state in which it comes. Nothing that a person would have to mend is made active."""
    if row.status in OVER:
        return OVER[row.status], []
    if find_next(schedule, taking.now) is None:
        return ScheduleState.COMPLETED, [passed(schedule)]
    found = rules.problems(schedule, by=taking.by, now=taking.now)
    if found or missing:
        return ScheduleState.DRAFT, [to_look_at(found, "images are missing")]
    is_held = taking.is_paused or row.status == "inactive"
    return (ScheduleState.PAUSED if is_held else ScheduleState.ACTIVE), []
