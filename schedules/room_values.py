"""What the placeholders of a content stand for in each room: asked by those who check it, who
show it and who plan it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from channels.models import Audience
from orgs.models import Unit
from orgs.reach import covers
from schedules.content import Content
from schedules.models import PlaceholderValue
from schedules.placeholders import BUILT_IN, built_in, spoken

Values = dict[str, str]


def values_of(
    content: Content, targets: Sequence[Any], owner: Unit, due_at: datetime
) -> dict[int, Values]:
    """By the id of each room (or audience): the template's defaults, over them the values of its
    unit and those above, the nearest first, over them what every room has. Three queries. One that
    left the schedule's unit, its `owner`, is left out: its values are another unit's. The name of
    an audience is no value: people are not to read what a unit calls them."""
    units = Unit.objects.in_bulk({target.unit_id for target in targets})
    paths = {unit.path for unit in units.values()}
    inherited = PlaceholderValue.objects.inherited(paths)
    languages = Unit.objects.languages(paths)
    found = {}
    for target in targets:
        unit = units[target.unit_id]
        if not covers(owner.path, unit.path):
            continue
        of_itself = built_in(
            room=target.name,
            unit=unit.name,
            at=due_at.astimezone(ZoneInfo(unit.zone)),
            language=target.language or languages[unit.path],
        )
        if isinstance(target, Audience):
            del of_itself["room"]
        found[target.pk] = dict(content.defaults) | inherited[unit.path] | of_itself
    return found


def names_for(
    unit: Unit, content: Content, *, language: str = "", is_audience: bool = False
) -> list[str]:
    """The placeholders that have a value in this unit, those of every room first, as people of
    this language write them."""
    inherited = PlaceholderValue.objects.inherited([unit.path])[unit.path]
    given = [name for name in BUILT_IN if name != "room" or not is_audience]
    own = [spoken(name, language) for name in given]
    return [*own, *sorted(inherited.keys() | dict(content.defaults).keys())]
