"""Carries a request's values into the acts of schedules.actions, all at once or not at all."""

from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from orgs.models import Unit
from orgs.reach import Act
from schedules import actions
from schedules.actions.edit import COLUMNS
from schedules.actions.locked import lock
from schedules.models import Schedule, ScheduleImage
from schedules.states import ScheduleState

Values = dict[str, Any]


@transaction.atomic
def create(values: Values, *, by: Any, unit: Unit) -> Schedule:
    """A new schedule, registered unless it is to stay a draft. Raises Refused."""
    columns = {name: values[name] for name in COLUMNS if name in values}
    _refuse_reversed_validity(Schedule(**columns))
    schedule = actions.create_draft(by=by, unit=unit, uid=uuid4(), **columns)
    _set_content(schedule, values)
    if values.get("state") == ScheduleState.DRAFT:
        return schedule
    return actions.register(schedule, by=by)


@transaction.atomic
def edit(
    schedule: Schedule, values: Values, *, by: Any, revisions: set[int], whole: bool
) -> Schedule:
    """Change a draft, or a registered schedule. `revisions`: from which the caller started, if
    that was said. `whole`: what is not among the values returns to its default."""
    row = lock(schedule, by=by, act=Act.CHANGE)
    if revisions - {row.revision}:
        raise actions.Refused(_("The schedule has changed meanwhile. Read it again."))
    if whole:
        values = _defaults(row) | values
    if row.state == ScheduleState.DRAFT:
        row.unit = values.get("unit", row.unit)
        row.revision += 1
        return _fill(row, values)
    if values.get("unit", row.unit) != row.unit:
        message = _("A registered schedule stays with its unit.")
        raise actions.Refused(message, {"unit": [message]})
    if row.drafts.exists():
        # It holds what a person has half written, and takes the place of whatever is saved now.
        raise actions.Refused(_("Somebody is editing this schedule in the back office."))
    return actions.change(_fill(actions.begin_edit(row, by=by), values), by=by)


def _fill(row: Schedule, values: Values) -> Schedule:
    for name in COLUMNS:
        if name in values:
            setattr(row, name, values[name])
    _refuse_reversed_validity(row)
    row.save()
    _set_content(row, values)
    return row


def _set_content(row: Schedule, values: Values) -> None:
    if "rooms" in values:
        row.rooms.set(values["rooms"])
    if "images" in values:
        row.schedule_images.all().delete()
        ScheduleImage.objects.bulk_create(
            ScheduleImage(schedule=row, image=image, position=position)
            for position, image in enumerate(values["images"])
        )


def _defaults(row: Schedule) -> Values:
    blank = Schedule()
    defaults: Values = {name: getattr(blank, name) for name in COLUMNS}
    return defaults | {"zone": row.unit.zone, "rooms": [], "images": []}


def _refuse_reversed_validity(row: Schedule) -> None:
    # The table would refuse it too, even as a draft, but without words.
    if row.valid_from and row.valid_until and row.valid_until <= row.valid_from:
        message = _("The validity ends before it begins.")
        raise actions.Refused(message, {"valid_until": [message]})
