"""What placeholders stand for in a unit, and whose values they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from orgs.models import Unit
from orgs.reach import lineage
from schedules.models import PlaceholderValue
from schedules.placeholders import BUILT_IN, meaning


@dataclass(frozen=True)
class Held:
    """One placeholder as it is written. `value` is None where nothing holds."""

    name: str
    value: str | None
    source: str = ""


def held_in(unit: Unit, names: Iterable[str], defaults: Mapping[str, str]) -> list[Held]:
    """Each of these placeholders in this unit: as the planner would fill it in. One query."""
    rows = _nearest(unit)
    return [_held(unit, name, rows.get(meaning(name)), defaults) for name in names]


def from_above(unit: Unit) -> list[Held]:
    """The values of units above that hold in this one. One query."""
    rows = [row for row in _nearest(unit).values() if row.unit_id != unit.pk]
    return [Held(row.name, row.value, row.unit.name) for row in rows]


def holding_in(unit: Unit) -> list[Any]:
    """The rows that hold there, by name: its own, else those of the nearest unit above. One
    query."""
    return list(_nearest(unit).values())


def _nearest(unit: Unit) -> dict[str, Any]:
    """The rows that hold there, by name: its own, else those of the nearest unit above."""
    rows = PlaceholderValue.objects.filter(unit__path__in=lineage(unit.path))
    ordered = rows.select_related("unit").order_by("unit__path", "name")
    found = {row.name: row for row in ordered}  # a longer path is nearer, and comes later
    return dict(sorted(found.items()))


def _held(unit: Unit, name: str, row: Any, defaults: Mapping[str, str]) -> Held:
    if meaning(name) in BUILT_IN:
        return Held(name, "", _("of each room"))
    if row is not None:
        return Held(name, row.value, row.unit.name)
    if (default := defaults.get(meaning(name))) is not None:
        return Held(name, default, _("the template’s default"))
    return Held(name, None)
