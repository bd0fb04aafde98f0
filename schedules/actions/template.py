"""What people do with templates: keep them, and start schedules from them."""

from collections.abc import Mapping
from copy import copy
from datetime import date, time
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from channels.models import Image
from logs import history
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act, can, can_in, within
from schedules.actions.prefill import prefill
from schedules.actions.refusal import OutOfReach, Refused
from schedules.actions.register import create_draft
from schedules.models import (
    MessageTemplate,
    Schedule,
    ScheduleImage,
    TemplateBlock,
    TemplateDefault,
    TemplateImage,
)
from schedules.models.prefills import EMPTY, PREFILLED

COLUMNS = (
    "unit", "name", "order", "interval_seconds", "is_shared", "is_active", *PREFILLED,
)  # fmt: skip


class Applied(NamedTuple):
    """The draft, and in words what of the template's defaults it could not take as they are."""

    draft: Schedule
    notes: list[str]


@transaction.atomic
def apply_template(
    template: MessageTemplate,
    *,
    by: Any,
    unit: Unit,
    uid: UUID,
    given: Mapping[str, Any] | None = None,
) -> Applied:
    """A draft of this unit that is made from the template; for a `uid` that is there already,
    that one. It keeps what the template laid down, by value, but for what is `given`."""
    usable = within(by, MessageTemplate.objects.filter(is_active=True), Act.USE)
    found = usable.prefetch_related("blocks", "defaults").filter(pk=template.pk).first()
    if found is None:
        raise OutOfReach(_("There is no such template."))
    is_new = not Schedule.objects.filter(uid=uid).exists()
    filled = prefill(found, unit, now=database_now(), given=given)
    draft = create_draft(
        by=by,
        unit=unit,
        uid=uid,
        title=found.name,
        text=found.text,
        order=found.order,
        interval_seconds=found.interval_seconds,
        template=found,
        terms=found.terms,
        **filled.values,
    )
    if is_new:
        _copy_images(found, draft, by)
    return Applied(draft, filled.notes)


@transaction.atomic
def save_template(
    template: MessageTemplate, values: Mapping[str, Any], *, by: Any
) -> MessageTemplate:
    """Store a new template, or these values of one. Schedules made from it stay as they are."""
    is_new = template.pk is None
    unit = values.get("unit") or template.unit
    if not (is_new or can(by, Act.CHANGE, template)):
        raise OutOfReach(_("There is no such template."))
    if not can_in(by, Act.CREATE, MessageTemplate, unit):
        raise OutOfReach(_("You cannot keep templates for this unit."))
    before = {} if is_new else _kept(template)
    for name in COLUMNS:
        if name in values:
            setattr(template, name, values[name])
    _check(template, values)
    _store(template)
    _set_parts(template, values)
    verb = "created" if is_new else "updated"
    after = _kept(template)
    told = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
    others = sorted(values.keys() - before.keys())
    changes = told | ({"fields": others} if others or not told else {})
    now = database_now()
    history.record(verb, template, by=by, now=now, unit_path=unit.path, changes=changes)
    return template


@transaction.atomic
def delete_template(template: MessageTemplate, *, by: Any) -> None:
    """Remove a template; schedules made from it stay."""
    if not can(by, Act.DELETE, template):
        raise OutOfReach(_("There is no such template."))
    path = template.unit.path
    history.record("deleted", template, by=by, now=database_now(), unit_path=path)
    template.delete()


def _kept(template: MessageTemplate) -> dict[str, Any]:
    """What it fills in, as the history keeps it."""
    values = {name: getattr(template, name) for name in PREFILLED}
    return {
        name: value.isoformat() if isinstance(value, date | time) else value
        for name, value in values.items()
    }


def _check(template: MessageTemplate, values: Mapping[str, Any]) -> None:
    """Refuse half a timing; `clean` would leave details without a kind out, and not say so."""
    details = {name: values[name] for name in EMPTY if name in values}
    if not template.timing_kind and details != {name: EMPTY[name] for name in details}:
        message = _("Say how it repeats: these details belong to no kind.")
        raise Refused(message, {"timing_kind": [message]})
    try:
        template.clean()
    except ValidationError as error:
        message = _("The template’s defaults cannot be used as they are.")
        raise Refused(message, error.message_dict) from error


def _store(template: MessageTemplate) -> None:
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError as error:
        message = _("This unit has a template of this name already.")
        raise Refused(message, {"name": [message]}) from error


def _set_parts(template: MessageTemplate, values: Mapping[str, Any]) -> None:
    """Written anew: they have no identity of their own."""
    if "blocks" in values:
        template.blocks.all().delete()
        TemplateBlock.objects.bulk_create(
            TemplateBlock(template=template, position=position, **block)
            for position, block in enumerate(values["blocks"])
        )
    if "defaults" in values:
        template.defaults.all().delete()
        TemplateDefault.objects.bulk_create(
            TemplateDefault(template=template, name=name, value=value)
            for name, value in values["defaults"].items()
        )
    if "images" in values:
        template.template_images.all().delete()
        TemplateImage.objects.bulk_create(
            TemplateImage(template=template, image=image, position=position)
            for position, image in enumerate(values["images"])
        )


def _copy_images(template: MessageTemplate, draft: Schedule, by: Any) -> None:
    rows = template.template_images.select_related("image")
    ScheduleImage.objects.bulk_create(
        ScheduleImage(schedule=draft, image=_reachable(row.image, draft.unit, by), position=place)
        for place, row in enumerate(rows)
    )


def _reachable(image: Image, unit: Unit, by: Any) -> Image:
    """The image, or where it belongs to a unit above, one of the draft's unit with its files:
    they never change, and who edits the draft must see them."""
    mine = within(by, Image.objects.filter(sha256=image.sha256))
    found = mine.filter(pk=image.pk).first() or mine.filter(unit=unit).first()
    if found is None:
        found = copy(image)
        found.pk, found.unit, found.created_by, found.created_at = None, unit, by, database_now()
        found.save(force_insert=True)
    return found
