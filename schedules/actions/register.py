"""From a draft to an active schedule."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from logs import history
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act, can_in
from schedules import rules
from schedules.actions.clearing import go_or_ask
from schedules.actions.locked import lock, lock_targets
from schedules.actions.refusal import OutOfReach, Refused
from schedules.actions.replan import find_next
from schedules.models import Schedule
from schedules.recurrence import Kind
from schedules.states import ScheduleState


@transaction.atomic
def create_draft(*, by: Any, unit: Unit, uid: UUID, **values: Any) -> Schedule:
    """A draft; for a `uid` that is there already, that one: a form sent twice makes one."""
    if not can_in(by, Act.CREATE, Schedule, unit):
        raise OutOfReach(_("You cannot register schedules for this unit."))
    defaults = {"unit": unit, "registered_by": by, "zone": unit.zone} | values
    draft, is_new = Schedule.objects.get_or_create(uid=uid, defaults=defaults)
    return draft if is_new else lock(draft, by=by, act=Act.CHANGE)


def register(schedule: Schedule, *, by: Any, after: timedelta = timedelta()) -> Schedule:
    """Make a draft active, or let it wait where its unit demands approval. Raises Refused with the
    problems by field; a second call for the same draft changes nothing and returns the schedule.
    What goes "now" leaves so much later: until then it can be taken back (`rollback`)."""
    with transaction.atomic():
        row = lock(schedule, by=by, act=Act.CREATE)
        if row.state != ScheduleState.DRAFT:
            return row
        lock_targets(row)
        now = database_now()  # after the locks: it may have waited for them
        found = rules.problems(row, by=by, now=now)
        if found:
            raise Refused(_("The schedule cannot be registered yet."), found)
        verb = "updated" if row.registered_at else "created"  # once more, mended
        history.record(verb, row, by=by, now=now, unit_path=row.unit.path, changes=summary(row))
        activate(row, now, by=by, after=after)
        return row


def activate(row: Schedule, now: datetime, *, by: Any, after: timedelta = timedelta()) -> None:
    """A draft becomes active, with its next time, or waits for approval; what is active and goes
    "now" becomes a run at once. The row is locked."""
    row.registered_at, row.content_hash = now, row.content.digest
    row.expected = row.audience.count() if row.audience else None
    row.next_due_at = None if row.timing_kind == Kind.NOW else find_next(row, now)
    row.request = history.present_request()
    row.save(update_fields=["registered_at", "content_hash", "expected", "next_due_at", "request"])
    go_or_ask(row, by=by, now=now, after=after)


def summary(row: Schedule) -> dict[str, Any]:
    """What the history keeps of a schedule."""
    content = row.content
    return {
        "title": row.title,
        "timing": row.timing_kind,
        "rooms": list(row.rooms.order_by("id").values_list("name", flat=True)[:50]),
        "audience": row.audience.name if row.audience else "",
        "text": content.text[:500],
        "images": [image.name for image in content.images],
        "priority": row.priority,
    }
