"""The day and the time with which a new draft starts, where the calendar has named them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

from orgs.models import validate_zone
from schedules.recurrence import Kind
from schedules.recurrence.moments import first_moment

YEARS = range(1971, 9998)


@dataclass(frozen=True)
class Wish:
    """A day, perhaps a time of it, on the clock of a zone ("": of the draft's own)."""

    day: date | None = None
    clock: time | None = None
    zone: str = ""

    @property
    def query(self) -> dict[str, str]:
        """As an address says it."""
        if self.day is None:
            return {}
        clock = {"time": self.clock.isoformat("minutes"), "zone": self.zone} if self.clock else {}
        return {"date": self.day.isoformat(), **clock}

    def values_in(self, zone: str) -> dict[str, Any]:
        """The columns of a draft of this zone."""
        if self.day is None:
            return {"zone": zone}
        day, clock = self.day, self.clock
        if clock and self.zone:
            moment = first_moment(datetime.combine(day, clock), ZoneInfo(self.zone)).due_at
            there = moment.astimezone(ZoneInfo(zone))
            day, clock = there.date(), there.time()
        return {"zone": zone, "timing_kind": Kind.ONCE.value, "date": day, "time": clock}


def wish_of(values: Mapping[str, str]) -> Wish:
    """What an address names; what cannot be read is left out."""
    try:
        day = date.fromisoformat(values.get("date", ""))
        if day.year not in YEARS:
            return Wish()
    except ValueError:
        return Wish()
    try:
        clock = time.fromisoformat(values.get("time", ""))
        zone = values.get("zone", "")
        validate_zone(zone)
    except (ValueError, ValidationError):
        return Wish(day)
    return Wish(day, clock.replace(tzinfo=None, microsecond=0), zone)
