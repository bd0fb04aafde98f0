"""What is asked of the calendar: which days, on whose clock, narrowed by what."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.utils.formats import get_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels.models import Room
from config.scoped.choices import is_id
from config.scoped.times import zone_of
from orgs.models import Unit
from orgs.reach import under, within
from schedules.models.run import KINDS
from schedules.shown import windows
from schedules.states import RunState, ScheduleState

VIEWS = {
    "month": _("Month"),
    "week": _("Week"),
    "day": pgettext_lazy("a view of the calendar", "Day"),
    "list": _("List"),
}
STATES = [*RunState.choices, (ScheduleState.WAITING.value, ScheduleState.WAITING.label)]
LONGEST = 45  # days
OFFERED = 200  # choices of one filter
DAY = timedelta(days=1)
YEARS = range(1971, 9998)

Choices = list[tuple[str, Any]]


@dataclass(frozen=True)
class Asked:
    """The days from `first` to before `last`, on the clock of `zone`; rows of `unit` and all under
    it, of `room`, in this state, of this kind. What is not within reach narrows to nothing."""

    by: Any
    first: date
    last: date
    zone: str
    unit: Unit | None = None
    room: Room | None = None
    state: str = ""
    kind: str = ""
    is_void: bool = False

    @property
    def begin(self) -> datetime:
        return windows.midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        return windows.midnight(self.last, self.zone)

    @property
    def days(self) -> list[date]:
        return [self.first + DAY * number for number in range((self.last - self.first).days)]


class Narrowing:
    """The filters of an address, and what each offers."""

    def __init__(self, values: Mapping[str, str], *, by: Any) -> None:
        self._by = by
        self.unit_id, self.room_id = values.get("unit", ""), values.get("room", "")
        self.state = values.get("state", "")
        self.kind = values.get("kind", "")

    @cached_property
    def unit(self) -> Unit | None:
        rows = within(self._by, Unit.objects.all())
        return (
            rows.filter(pk=int(self.unit_id)).first()
            if self.unit_id and is_id(self.unit_id)
            else None
        )

    @cached_property
    def room(self) -> Room | None:
        rows = within(self._by, Room.objects.select_related("unit"))
        return (
            rows.filter(pk=int(self.room_id)).first()
            if self.room_id and is_id(self.room_id)
            else None
        )

    @property
    def zone(self) -> str:
        """That of the room, of the unit, else of the reader."""
        if self.room:
            return self.room.unit.zone
        return self.unit.zone if self.unit else zone_of(self._by)

    @property
    def is_narrowed(self) -> bool:
        return any((self.unit_id, self.room_id, self.state, self.kind))

    @cached_property
    def units(self) -> list[tuple[str, str]]:
        rows = within(self._by, Unit.objects.order_by("path"))[:OFFERED]
        return [(str(row.pk), "\u2007\u2007" * (row.depth - 1) + row.name) for row in rows]

    @cached_property
    def rooms(self) -> list[tuple[str, str]]:
        """Of the unit that is chosen; the chosen one among them."""
        rows = within(self._by, Room.objects.order_by("name", "id"))
        if self.unit:
            rows = under(self.unit, rows)
        found = {str(pk): name for pk, name in rows.values_list("pk", "name")[:OFFERED]}
        if self.room:
            found.setdefault(str(self.room.pk), self.room.name)
        return list(found.items())

    @property
    def states(self) -> Choices:
        return list(STATES)

    @property
    def kinds(self) -> Choices:
        return list(KINDS)

    @property
    def query(self) -> dict[str, str]:
        """As an address says it."""
        values = {"unit": self.unit_id, "room": self.room_id, "state": self.state}
        return {name: value for name, value in {**values, "kind": self.kind}.items() if value}

    def asked(self, first: date, last: date, *, longest: int = LONGEST) -> Asked:
        """With these days. Raises ValueError where they are too many, or none."""
        if not DAY <= last - first <= longest * DAY or not {first.year, last.year} <= set(YEARS):
            raise ValueError("The range is too long, or ends before it begins.")
        is_void = (
            bool(self.unit_id and not self.unit)
            or bool(self.room_id and not self.room)
            or bool(self.state and self.state not in dict(STATES))
            or bool(self.kind and self.kind not in dict(KINDS))
        )
        return Asked(
            self._by, first, last, self.zone, self.unit, self.room, self.state, self.kind, is_void
        )


@dataclass(frozen=True)
class Place:
    """Where in the calendar one stands: a view around a day."""

    view: str
    day: date

    @classmethod
    def of(cls, values: Mapping[str, str], today: date) -> "Place":
        view = values.get("view", "")
        try:
            day = date.fromisoformat(values.get("date", "")[:10])
        except ValueError:
            day = today
        return cls(view if view in VIEWS else "month", day if day.year in YEARS else today)

    @property
    def first_weekday(self) -> int:
        """Of a week where the reader lives; Sunday is 0."""
        return int(get_format("FIRST_DAY_OF_WEEK"))

    @property
    def first(self) -> date:
        """As the calendar draws it: a month begins with its first week."""
        if self.view == "day":
            return self.day
        day = self.day.replace(day=1) if self.view == "month" else self.day
        return day - DAY * ((day.isoweekday() - self.first_weekday) % 7)

    @property
    def last(self) -> date:
        return self.first + DAY * {"month": 42, "day": 1}.get(self.view, 7)

    def moved(self, by: int) -> "Place":
        """The one before (-1) or after (1)."""
        if self.view == "month":
            length = monthrange(self.day.year, self.day.month)[1]
            first = self.day.replace(day=1)
            return Place(
                self.view, first + DAY * length if by > 0 else (first - DAY).replace(day=1)
            )
        return Place(self.view, self.day + DAY * by * (1 if self.view == "day" else 7))

    def query(self, narrowing: Narrowing) -> str:
        return urlencode({"view": self.view, "date": self.day.isoformat(), **narrowing.query})


def _one_of(rows: Any, pk: str) -> Any:
    return rows.filter(pk=int(pk)).first() if pk and is_id(pk) else None
