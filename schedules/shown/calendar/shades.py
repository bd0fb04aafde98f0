"""What is shaded: quiet hours and public holidays; and how full the days of one room are."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orgs.models import Unit
from orgs.reach import member_of
from schedules.bookings.bounds import bounds_of, bounds_of_audience
from schedules.models import Delivery, HolidayException
from schedules.recurrence.public_holidays import public_holidays
from schedules.recurrence.quiet import Quiet
from schedules.shown.calendar.asked import Asked
from schedules.shown.calendar.entry import Entry, Shown
from schedules.shown.calendar.walks import FEW
from schedules.states import DeliveryState, RunState

# Where a zone has one country, its holidays are shown though no schedule keeps them.
COUNTRIES = {
    "Asia/Seoul": "KR", "Asia/Taipei": "TW", "Asia/Shanghai": "CN", "Asia/Hong_Kong": "HK",
    "Asia/Tokyo": "JP", "Asia/Singapore": "SG",
}  # fmt: skip
COUNTED = 10_000  # messages of one room in a range


@dataclass(frozen=True)
class Load:
    """Messages of one room on one day. `cap`: None where it bears any number. `is_least`: a
    schedule goes often on that day, and has been counted up to where it was told to."""

    count: int
    cap: int | None
    is_least: bool = False

    @property
    def is_full(self) -> bool:
        return self.cap is not None and self.count >= self.cap

    @property
    def words(self) -> str:
        facts = {"count": self.count, "cap": self.cap}
        if self.cap is None and self.is_least:
            return _("at least %(count)d messages") % facts
        if self.cap is None:
            return ngettext("%(count)d message", "%(count)d messages", self.count) % facts
        if self.is_least:
            return _("at least %(count)d of %(cap)d messages") % facts
        return _("%(count)d of %(cap)d messages") % facts

    @property
    def short(self) -> str:
        """“≥4/50”, where a phone has place for no words."""
        least, cap = "≥" if self.is_least else "", f"/{self.cap}" if self.cap else ""
        return f"{least}{self.count}{cap}"


def quiet_of(asked: Asked) -> Quiet | None:
    """The quiet hours of the room, of the unit, else of the reader's own unit."""
    if asked.room:
        return bounds_of([asked.room])[asked.room.pk].quiet
    unit = asked.unit or _own(asked.by)
    return bounds_of_audience(unit).quiet if unit else None


def holidays_of(asked: Asked, kept: Collection[str]) -> dict[date, list[str]]:
    """By day, the holidays of the zone's country and of those that schedules keep."""
    countries = sorted({*kept, *([COUNTRIES[asked.zone]] if asked.zone in COUNTRIES else [])})
    exceptions = HolidayException.tables(countries)
    found: dict[date, list[str]] = {}
    for day in asked.days:
        for country in countries:
            name = public_holidays(country, day.year).get(day)
            if exceptions.get((country, day), name is not None):
                found.setdefault(day, []).append(f"{country}: {name or _('holiday')}")
    return found


def loads_of(asked: Asked, shown: Shown) -> dict[date, Load]:
    """By day, what the chosen room has had, has, and is going to have; {} without a room."""
    if asked.room is None:
        return {}
    cap = bounds_of([asked.room])[asked.room.pk].cap or None
    zone = ZoneInfo(asked.zone)
    rows = Delivery.objects.filter(
        room=asked.room, due_at__gte=asked.begin, due_at__lt=asked.end
    ).exclude(state__in=(DeliveryState.SKIPPED, DeliveryState.CANCELLED))
    times = rows.order_by().values_list("slot_at", "due_at")[:COUNTED]
    count = Counter((slot or due).astimezone(zone).date() for slot, due in times)
    often = set()
    for entry in (entry for entry in shown.entries if _is_to_come(entry)):
        day = entry.due_at.astimezone(zone).date()
        count[day] += FEW + 1 if entry.is_often else 1
        often |= {day} if entry.is_often else set()
    return {day: Load(count[day], cap, day in often) for day in asked.days if count[day]}


def _is_to_come(entry: Entry) -> bool:
    return entry.run_id is None and entry.state != RunState.SKIPPED


def _own(user: Any) -> Unit | None:
    member = member_of(user)
    unit: Unit | None = member.unit if member else None
    return unit
