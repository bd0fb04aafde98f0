"""Takes the times of videos over: at each of them a room is told, each in a transaction of its
own. Teiji does not publish by itself: the room is one by which the platform hears, as a webhook."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from channels.models import Room
from orgs.models import Unit
from schedules import rules
from schedules.actions.locked import lock_targets
from schedules.actions.replan import find_next
from schedules.legacy.known import uid_of
from schedules.legacy.reading import Record
from schedules.legacy.taking import Import, Progress, enter, passed, to_look_at
from schedules.legacy.videos import TABLE, Video, video
from schedules.models import Schedule
from schedules.recurrence import Kind
from schedules.states import ScheduleState

TITLE = "{title}"
NAMES = re.compile(r"\{(id|title)\}")


@dataclass(frozen=True)
class Announcement:
    """Whose the schedules become, which room is told, and what: with the video's id and title."""

    unit: Unit
    room: Room | None = None
    text: str = TITLE

    def text_of(self, row: Video) -> str:
        values = {"id": row.legacy_id, "title": row.title}
        return NAMES.sub(lambda found: values[found[1]], self.text)


def take_videos(
    records: Iterable[Record],
    zone: ZoneInfo,
    announcement: Announcement,
    taking: Import,
    progress: Progress,
) -> None:
    """All that have a time and are not there yet."""
    for rows, known in taking.batches(TABLE, records, lambda v: video(v, zone), progress):
        for record, row in rows:
            if row.legacy_id in known:
                taking.compare(TABLE, record, row, known[row.legacy_id])
            elif row.due_at is None:
                taking.report.count(TABLE, "without a time")
            else:
                _take(record, row, zone, announcement, taking)


@transaction.atomic
def _take(
    record: Record, row: Video, zone: ZoneInfo, announcement: Announcement, taking: Import
) -> None:
    schedule = Schedule(
        uid=uid_of(taking.source, TABLE, row.legacy_id),
        unit=announcement.unit,
        title=row.title,
        text=announcement.text_of(row),
        timing_kind=Kind.ONCE,
        zone=zone.key,
        **_moment(row, zone),
    )
    schedule.save()
    schedule.rooms.set([announcement.room] if announcement.room else [])
    taking.remember(TABLE, row, schedule.pk)
    lock_targets(schedule)
    to, why = _state(row, schedule, announcement, taking)
    enter(schedule, to, f"{TABLE} {row.legacy_id}", taking)
    taking.report.count(TABLE, "taken")
    if why:
        taking.note(TABLE, record, why)


def _moment(row: Video, zone: ZoneInfo) -> dict[str, Any]:
    assert row.due_at, "one without a time is not taken"
    local = row.due_at.astimezone(zone)
    return {"date": local.date(), "time": local.time().replace(microsecond=0)}


def _state(
    row: Video, schedule: Schedule, announcement: Announcement, taking: Import
) -> tuple[ScheduleState, str]:
    """The state in which it comes. Nothing that a person would have to mend is made active."""
    if row.is_over:
        return ScheduleState.COMPLETED, ""
    if find_next(schedule, taking.now) is None:
        return ScheduleState.COMPLETED, passed(schedule)
    if announcement.room is None:
        return ScheduleState.DRAFT, "it came as a draft: name the room that is told with --room"
    found = rules.problems(schedule, by=taking.by, now=taking.now)
    if found:
        return ScheduleState.DRAFT, to_look_at(found)
    return (ScheduleState.PAUSED if taking.is_paused else ScheduleState.ACTIVE), ""
