"""Edits a registered schedule through a working copy, so that it changes all at once."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from logs import history
from orgs.clock import database_now
from orgs.reach import Act
from schedules import rules
from schedules.actions.clearing import go_or_ask, vouch
from schedules.actions.locked import lock, lock_edited, lock_targets
from schedules.actions.refusal import Refused
from schedules.actions.register import summary
from schedules.actions.replan import (
    appointed_runs,
    next_time,
    refuse_twice_a_day,
    withdraw,
    write_due,
)
from schedules.models import Run, Schedule, ScheduleImage
from schedules.recurrence import Kind, next_occurrence
from schedules.states import OPEN_RUN, ScheduleState

EDITABLE = (
    ScheduleState.WAITING, ScheduleState.ACTIVE, ScheduleState.PAUSED, ScheduleState.COMPLETED,
    ScheduleState.EXPIRED, ScheduleState.ERROR,
)  # fmt: skip

# What a working copy carries to and fro, besides rooms and images.
COLUMNS = tuple(
    name
    for fields in rules.STEPS.values()
    for name in fields
    if name not in ("unit", "rooms", "images")
)


@transaction.atomic
def begin_edit(schedule: Schedule, *, by: Any) -> Schedule:
    """A working copy to fill in; the one that is open already, if there is one."""
    row = lock(schedule, by=by, act=Act.CHANGE)
    _check_editable(row)
    copy = Schedule.objects.filter(edits=row).first()
    if copy is None:
        values = {name: getattr(row, name) for name in COLUMNS}
        copy = Schedule.objects.create(
            uid=uuid4(), unit=row.unit, registered_by=by, edits=row, **values
        )
        copy_content(row, copy)
    return copy


@transaction.atomic
def change(copy: Schedule, *, by: Any) -> Schedule:
    """Put the working copy in the place of what it edits, and plan anew. What has begun is
    finished as it was. Raises Refused with the problems by field."""
    row = lock_edited(copy, by=by)
    if row is None:
        raise Refused(_("This is not a working copy."))
    _check_editable(row)  # it may have been cancelled since the copy was made
    copy = lock(copy, by=by, act=Act.CHANGE)
    lock_targets(copy)
    now = database_now()  # after the locks: it may have waited for them
    found = rules.problems(copy, by=by, now=now)
    if copy.timing_kind == Kind.NOW and row.state != ScheduleState.WAITING:
        found.setdefault("timing_kind", []).append(
            _("To send now, use “run now” instead of editing the timing.")
        )
    if found:
        raise Refused(_("The changes cannot be saved yet."), found)
    before = summary(row)
    write_due(row, now)
    withdraw(row, now)
    _check_not_leaving(row, copy)
    refuse_twice_a_day(row, copy.timing, now)
    take_over(copy, row)
    _reactivate(row, by=by, now=now)
    after = summary(row)
    changes = {key: [before[key], after[key]] for key in after if before[key] != after[key]}
    history.record("updated", row, by=by, now=now, unit_path=row.unit.path, changes=changes)
    return row


@transaction.atomic
def drop_edit(copy: Schedule, *, by: Any) -> None:
    """Throw the working copy away; what it edits is untouched."""
    row = lock(copy, by=by, act=Act.CHANGE)
    if row.edits_id is None:
        raise Refused(_("This is not a working copy."))
    row.delete()


def copy_content(source: Schedule, target: Schedule) -> None:
    """Give `target` the rooms and images of `source`."""
    target.rooms.set(source.rooms.all())
    target.schedule_images.all().delete()
    ScheduleImage.objects.bulk_create(
        ScheduleImage(schedule=target, image_id=row.image_id, position=row.position)
        for row in source.schedule_images.all()
    )


def _check_editable(row: Schedule) -> None:
    if row.state not in EDITABLE:
        raise Refused(
            _("A schedule that is “%(state)s” cannot be edited.")
            % {"state": row.get_state_display()}
        )


def _check_not_leaving(row: Schedule, copy: Schedule) -> None:
    """A single message that leaves, or has left since the copy was made, is not changed any
    more: the old one went, and the new one would follow it."""
    if row.timing_kind not in (Kind.ONCE, Kind.NOW):
        return
    runs = appointed_runs(row).filter(trigger=Run.Trigger.TIMING)
    if runs.filter(state__in=OPEN_RUN).exists():
        raise Refused(
            _("It is being sent at this moment. Wait for that to end, then edit it, or cancel it.")
        )
    if runs.filter(started_at__gt=copy.created_at).exists() or _has_just_left(row, runs):
        raise Refused(
            _("It was sent while you were changing it. Discard the changes; to send it once "
              "more, edit it anew.")
        )  # fmt: skip


def _has_just_left(row: Schedule, runs: Any) -> bool:
    """Whether its one time has gone by while it still looked as if it were to come."""
    if row.state != ScheduleState.ACTIVE or row.registered_at is None:
        return False
    only = next_occurrence(row.timing, row.registered_at - timedelta.resolution)
    return only is not None and runs.filter(at=only.due_at, started_at__isnull=False).exists()


def take_over(copy: Schedule, row: Schedule) -> None:
    """Put the working copy into its place, unsaved, and throw it away."""
    for name in COLUMNS:
        setattr(row, name, getattr(copy, name))
    copy_content(copy, row)
    copy.delete()


def _reactivate(row: Schedule, *, by: Any, now: datetime) -> None:
    """Save the edited schedule. One that was at its end goes on if it has a next time; what needs
    an approval that it has not got waits for it, but for what is paused."""
    row.content_hash = row.content.digest
    row.expected = row.audience.count() if row.audience else None
    row.next_due_at = next_time(row, now)
    row.request = history.present_request()
    row.revision += 1
    row.save()
    if row.state == ScheduleState.PAUSED:
        vouch(row, by=by)  # who resumes it is asked the rest
    else:
        go_or_ask(row, by=by, now=now)
