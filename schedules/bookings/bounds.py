"""Bounds: what a room bears, by its own values, by those of the units above it, or as usual."""

from collections.abc import Collection, Iterable, Mapping
from datetime import time
from typing import Any, NamedTuple

from django.db.models import Q

from channels.models import Room
from channels.models.room import USUAL_DAILY_CAP, interval_in_force
from orgs.models import Unit
from orgs.reach import lineage
from schedules.bookings.slots import Bounds
from schedules.recurrence.quiet import Quiet


class Own(NamedTuple):
    """What a room says itself."""

    unit_id: int
    min_interval_seconds: int | None
    daily_cap: int | None
    quiet_from: time | None
    quiet_until: time | None
    never_quiet: bool


def bounds_held(room_ids: Collection[int]) -> dict[int, Bounds]:
    """What each of these rooms bears. Holds them until the transaction ends."""
    held = Room.objects.filter(id__among=sorted(room_ids)).order_by("id")
    rows = held.select_for_update(no_key=True).values_list("id", *Own._fields)
    return _bounds({room_id: Own(*own) for room_id, *own in rows})


def bounds_of(rooms: Iterable[Room]) -> dict[int, Bounds]:
    """What each of these rooms bears."""
    return _bounds({room.pk: Own(*(getattr(room, name) for name in Own._fields)) for room in rooms})


def bounds_of_audience(unit: Unit) -> Bounds:
    """What an audience of this unit bears: only its quiet hours hold anything back."""
    return bounds_of_audiences([unit])[unit.pk]


def bounds_of_audiences(units: Collection[Unit]) -> dict[int, Bounds]:
    """By unit, what its audiences bear."""
    above = _units_above(units)
    return {unit.pk: Bounds(unit.zone, quiet=_quiet_of(unit, above)) for unit in units}


def _bounds(rooms: Mapping[int, Own]) -> dict[int, Bounds]:
    """Rooms that bear the same share one value."""
    owns = set(rooms.values())
    units = Unit.objects.in_bulk({own.unit_id for own in owns})
    above = _units_above(units.values())
    quiet = {pk: _quiet_of(unit, above) for pk, unit in units.items()}
    each = {own: _bounds_of_one(own, units[own.unit_id], quiet) for own in owns}
    return {room_id: each[own] for room_id, own in rooms.items()}


def _bounds_of_one(own: Own, unit: Unit, quiet: Mapping[int, Quiet | None]) -> Bounds:
    quiet_here = None if own.never_quiet else _quiet(own, unit.zone) or quiet[unit.pk]
    return Bounds(
        unit.zone,
        interval=interval_in_force(own.min_interval_seconds),
        cap=USUAL_DAILY_CAP if own.daily_cap is None else own.daily_cap,
        quiet=quiet_here,
    )


def _units_above(units: Iterable[Unit]) -> dict[str, Unit]:
    """Those that say something of quiet hours among these and all above, by path."""
    paths = {path for unit in units for path in lineage(unit.path)}
    saying = Q(quiet_from__isnull=False) | Q(never_quiet=True)
    return {unit.path: unit for unit in Unit.objects.filter(saying, path__in=paths)}


def _quiet_of(unit: Unit, above: Mapping[str, Unit]) -> Quiet | None:
    """As the nearest unit that says something has it, on the clocks of this one."""
    nearest = max((path for path in lineage(unit.path) if path in above), key=len, default=None)
    return _quiet(above[nearest], unit.zone) if nearest else None


def _quiet(owner: Any, zone: str) -> Quiet | None:
    if owner.quiet_from is None or owner.quiet_until is None:  # a unit that is never quiet
        return None
    return Quiet(owner.quiet_from, owner.quiet_until, zone)
