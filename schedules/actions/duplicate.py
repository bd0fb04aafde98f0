"""A new draft with the content of another schedule."""

from typing import Any
from uuid import UUID

from django.db import transaction

from orgs.reach import Act
from schedules.actions.edit import COLUMNS, copy_content
from schedules.actions.locked import lock
from schedules.actions.register import create_draft
from schedules.models import Schedule


@transaction.atomic
def duplicate(schedule: Schedule, *, by: Any, uid: UUID) -> Schedule:
    """A draft like this schedule; for a `uid` that is there already, that one."""
    row = lock(schedule, by=by, act=Act.CREATE)
    values = {name: getattr(row, name) for name in COLUMNS}
    is_new = not Schedule.objects.filter(uid=uid).exists()
    # A duplicate is no way round what a template has locked.
    values |= {"template": row.template, "terms": row.terms}
    draft = create_draft(by=by, unit=row.unit, uid=uid, **values)
    if is_new:
        copy_content(row, draft)
    return draft
