"""Standing: what speaks against sending to a place, from the tables alone. Asked at the last
moment before the wire, and when a run is looked at before its time."""

from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NamedTuple

from orgs.models import Unit
from orgs.reach import covers, lineage
from schedules.models import Delivery


class Place(NamedTuple):
    """A room; or an audience, which nobody leaves."""

    unit_path: str
    is_active: bool
    left_at: datetime | None = None


def inactive_units() -> set[str]:
    """The paths of the units that are inactive themselves."""
    return set(Unit.objects.filter(is_active=False).values_list("path", flat=True))


def against(
    owner: str, place: Place, *, account_is_active: bool, inactive: AbstractSet[str]
) -> str | None:
    """The reason of a delivery that may not go there for the unit at the path `owner`; None where
    it may. `inactive`: as `inactive_units` gives them."""
    if not covers(owner, place.unit_path):
        return Delivery.Reason.REACH
    if place.left_at:
        return Delivery.Reason.LEFT
    is_open = place.is_active and account_is_active
    if not is_open or not inactive.isdisjoint(lineage(place.unit_path)):
        return Delivery.Reason.INACTIVE
    return None
