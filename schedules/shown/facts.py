"""What is different between two states of what approvers are asked about, as people read it."""

from dataclasses import dataclass
from typing import Any

from channels.models import Room
from orgs.moments import WEEKDAYS
from orgs.reach import within
from schedules.clearance import Facts
from schedules.models import OccurrenceChange, Schedule

NOTHING = "–"


@dataclass(frozen=True)
class Difference:
    """One fact that has changed."""

    label: str
    before: str
    after: str


def differences(before: Facts, after: Facts, user: Any) -> list[Difference]:
    """In the order in which they stand. Rooms are named as far as `user` reaches."""
    old, new = _flat(before), _flat(after)
    names = _room_names([*before["rooms"], *after["rooms"]], user)
    return [
        Difference(_label(key), _told(key, old.get(key), names), _told(key, value, names))
        for key, value in new.items()
        if old.get(key, []) != value
    ]


def _flat(facts: Facts) -> Facts:
    return {key: value for key, value in facts.items() if key != "timing"} | facts["timing"]


def _label(key: str) -> str:
    if key == "changes":
        return str(OccurrenceChange._meta.verbose_name_plural)
    name = "text" if key == "values" else key
    field: Any = Schedule._meta.get_field(name)
    return str(field.verbose_name)


def _told(key: str, value: Any, rooms: dict[int, str]) -> str:
    if value in (None, "", [], {}):
        return NOTHING
    if key == "rooms":
        return ", ".join(rooms.get(pk, NOTHING) for pk in value)
    if key == "images":
        return ", ".join(name for name, _sha256 in value)
    if key == "values":
        pairs = {f"{{{name}}} = {one}" for each in value.values() for name, one in each.items()}
        return ", ".join(sorted(pairs))
    if key == "audience":
        return ", ".join(f"{one}" for one in value.values() if one not in (None, "", []))
    if key == "changes":
        return ", ".join(" ".join(filter(None, one)) for one in value)
    if key == "weekdays":
        return ", ".join(str(WEEKDAYS[day]) for day in value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    field: Any = Schedule._meta.get_field(key)
    return str(dict(field.flatchoices).get(value, value))


def _room_names(ids: list[int], user: Any) -> dict[int, str]:
    return dict(within(user, Room.objects.filter(pk__in=ids)).values_list("pk", "name"))
