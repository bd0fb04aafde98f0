"""Carries a request's values into the acts of schedules.actions, all at once or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act
from schedules import actions
from schedules.actions.edit import COLUMNS
from schedules.actions.locked import lock
from schedules.dispatch.rehearse import questions
from schedules.dispatch.samples import Sample
from schedules.models import Schedule, ScheduleImage
from schedules.states import ScheduleState

Values = dict[str, Any]


@transaction.atomic
def create(values: Values, *, by: Any, unit: Unit) -> Schedule:
    """A new schedule, registered unless it is to stay a draft. Raises Refused."""
    draft = _draft(values, by=by, unit=unit)
    if values.get("state") == ScheduleState.DRAFT:
        return draft
    return actions.register(draft, by=by)


def ask_create(values: Values, *, by: Any, unit: Unit) -> list[Sample]:
    """What is to be asked of channels before the same is done: it is done as far as that, and
    undone. Raises Refused."""
    if values.get("state") == ScheduleState.DRAFT:
        return []
    with _undone():
        return questions(_draft(values, by=by, unit=unit), by=by, now=database_now())


@transaction.atomic
def edit(
    schedule: Schedule, values: Values, *, by: Any, revisions: set[int], whole: bool
) -> Schedule:
    """Change a draft, or a registered schedule. `revisions`: from which the caller started, if
    that was said. `whole`: what is not among the values returns to its default."""
    filled = _edited(schedule, values, by=by, revisions=revisions, whole=whole)
    return filled if filled.pk == schedule.pk else actions.change(filled, by=by)


def ask_edit(
    schedule: Schedule, values: Values, *, by: Any, revisions: set[int], whole: bool
) -> list[Sample]:
    """What is to be asked of channels before the same is done, as `ask_create`. Of a draft
    nothing. Raises Refused."""
    with _undone():
        filled = _edited(schedule, values, by=by, revisions=revisions, whole=whole)
        is_draft = filled.pk == schedule.pk
        return [] if is_draft else questions(filled, by=by, now=database_now())


def ask_register(schedule: Schedule, *, by: Any) -> list[Sample]:
    """What is to be asked of channels before a draft is registered."""
    is_draft = schedule.state == ScheduleState.DRAFT
    return questions(schedule, by=by, now=database_now()) if is_draft else []


@contextmanager
def _undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _draft(values: Values, *, by: Any, unit: Unit) -> Schedule:
    columns = {name: values[name] for name in COLUMNS if name in values}
    _refuse_reversed_validity(Schedule(**columns))
    schedule = actions.create_draft(by=by, unit=unit, uid=uuid4(), **columns)
    _set_content(schedule, values)
    return schedule


def _edited(
    schedule: Schedule, values: Values, *, by: Any, revisions: set[int], whole: bool
) -> Schedule:
    """The draft, changed; of what is registered a working copy."""
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
    return _fill(actions.begin_edit(row, by=by), values)


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
