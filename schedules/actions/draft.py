"""Fills in a draft: a step saves what it can, images come, go and change places."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils.translation import gettext as _

from channels.models import Audience, Image, Room
from orgs.reach import Act, can_in, within
from schedules import rules
from schedules.actions.edit import change
from schedules.actions.locked import lock, lock_edited
from schedules.actions.refusal import OutOfReach, Refused
from schedules.actions.register import register
from schedules.actions.run_now import UNDO
from schedules.content import MOST_IMAGES
from schedules.models import Schedule, ScheduleImage
from schedules.states import ScheduleState

COLUMN_OF = {"unit": "unit_id", "audience": "audience_id"}


class Stale(Refused):
    """The draft was changed in between; `row` is how it now stands."""

    def __init__(self, row: Schedule) -> None:
        super().__init__(_("This was changed in another window."))
        self.row = row


@transaction.atomic
def save_draft(
    draft: Schedule,
    *,
    by: Any,
    step: str,
    revision: int,
    seen: str,
    values: dict[str, Any],
    rooms: Sequence[Room] | None = None,
) -> Schedule:
    """Store these columns of one step. `revision` and `seen` (step_digest) are those that the
    person's page was made from. Raises Stale if the step has changed since; saving what is
    there already is never stale."""
    row = _lock_draft(draft, by=by)
    unit = values.get("unit", row.unit)
    if not can_in(by, Act.CREATE, Schedule, unit):
        raise OutOfReach(_("You cannot register schedules for this unit."))
    if rooms is not None:
        _check_rooms(rooms, row, by=by)
    _check_audience(values.get("audience"), row, by=by)
    chosen = None if rooms is None else {room.pk for room in rooms}
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if chosen == set(row.rooms.values_list("pk", flat=True)):
        chosen = None
    if not changed and chosen is None:
        return row
    if row.revision != revision and step_digest(row, step) != seen:
        raise Stale(row)
    for name, value in changed.items():
        setattr(row, name, value)
    if chosen is not None:
        row.rooms.set(chosen)
    return _saved(row)


def step_digest(row: Schedule, step: str) -> str:
    """The same as long as the fields of this step are the same."""
    names = [name for name in rules.STEPS[step] if name not in ("rooms", "images")]
    facts: list[Any] = [getattr(row, COLUMN_OF.get(name, name)) for name in names]
    if "rooms" in rules.STEPS[step]:
        facts.append(sorted(row.rooms.values_list("pk", flat=True)))
    text = json.dumps(facts, cls=DjangoJSONEncoder)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@transaction.atomic
def register_reviewed(draft: Schedule, *, by: Any, revision: int) -> Schedule:
    """Register the draft, or save the working copy, as it was when it was looked at. What goes
    "now" leaves when it can no longer be taken back.
    Raises Stale if it has changed since, Refused with the problems by field."""
    lock_edited(draft, by=by)
    row = lock(draft, by=by, act=Act.CHANGE)
    if row.state != ScheduleState.DRAFT:
        return row
    if row.revision != revision:
        raise Stale(row)
    return change(row, by=by) if row.edits_id else register(row, by=by, after=UNDO)


def check_room_for_image(draft: Schedule) -> None:
    """Refuse one image more than there may be: asked before the work of rendering it."""
    if draft.schedule_images.count() >= MOST_IMAGES:
        message = _("At most %(most)d images can be sent.") % {"most": MOST_IMAGES}
        raise Refused(message, {"images": [message]})


@transaction.atomic
def add_image(draft: Schedule, image: Image, *, by: Any) -> Schedule:
    """Put an image behind the others. Raises Refused when there are as many as there may be."""
    row = _lock_draft(draft, by=by)
    check_room_for_image(row)
    last = row.schedule_images.order_by("-position").values_list("position", flat=True).first()
    position = 0 if last is None else last + 1
    ScheduleImage.objects.create(schedule=row, image=image, position=position)
    return _saved(row)


@transaction.atomic
def order_images(draft: Schedule, image_ids: Iterable[int], *, by: Any) -> Schedule:
    """Put the images into this order. One that is not named (another window has just added
    it) keeps its place behind them, one that is not there is passed over."""
    row = _lock_draft(draft, by=by)
    before = list(row.schedule_images.order_by("position").values_list("image_id", flat=True))
    wished = [image_id for image_id in dict.fromkeys(image_ids) if image_id in before]
    after = wished + [image_id for image_id in before if image_id not in wished]
    if after == before:
        return row
    _place(row, after)
    return _saved(row)


@transaction.atomic
def remove_image(draft: Schedule, image_id: int, *, by: Any) -> Schedule:
    """Take an image out of the draft; one that is gone already stays gone."""
    row = _lock_draft(draft, by=by)
    rest = list(row.schedule_images.order_by("position").values_list("image_id", flat=True))
    if image_id not in rest:
        return row
    rest.remove(image_id)
    _place(row, rest)
    return _saved(row)


def _lock_draft(draft: Schedule, *, by: Any) -> Schedule:
    row = lock(draft, by=by, act=Act.CHANGE)
    if row.state != ScheduleState.DRAFT:
        raise Refused(_("This schedule is registered already."))
    return row


def _check_rooms(rooms: Sequence[Room], row: Schedule, *, by: Any) -> None:
    """A room that is in the draft already may stay: the rules name it as a problem."""
    new = {room.pk for room in rooms} - set(row.rooms.values_list("pk", flat=True))
    if within(by, Room.objects.filter(pk__in=new), Act.USE).count() != len(new):
        raise OutOfReach(_("A chosen room does not belong to the schedule’s unit."))


def _check_audience(audience: Audience | None, row: Schedule, *, by: Any) -> None:
    if audience is None or audience.pk == row.audience_id:
        return
    if not within(by, Audience.objects.filter(pk=audience.pk), Act.USE).exists():
        raise OutOfReach(_("The chosen audience does not belong to the schedule’s unit."))


def _place(row: Schedule, image_ids: Iterable[int]) -> None:
    # Written anew: moving rows one by one would put two of them on one place for a moment.
    row.schedule_images.all().delete()
    ScheduleImage.objects.bulk_create(
        ScheduleImage(schedule=row, image_id=image_id, position=position)
        for position, image_id in enumerate(image_ids)
    )


def _saved(row: Schedule) -> Schedule:
    row.revision += 1
    row.save()
    return row
