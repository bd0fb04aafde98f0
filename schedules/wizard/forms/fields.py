"""Fields that Django lacks: a wall-clock time, a list of dates, a choice of zones."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from schedules.recurrence.moments import first_moment
from schedules.recurrence.timing import YEARS

COMMON_ZONES = (
    "Asia/Seoul", "Asia/Taipei", "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Tokyo",
    "Asia/Singapore", "UTC",
)  # fmt: skip
MOST_DATES = 200

NO_DATE = _("This is not a date. Write it like 2026-02-17.")
NO_MOMENT = _("This is not a date and time. Write it like 2026-02-17 09:00.")
NO_YEAR = _("Choose a year from 1970 to 9998.")


class WallTime(forms.Field):
    """A date and time on the schedule's clock, without a zone."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> datetime | None:
        if not value:
            return None
        try:
            wall = datetime.fromisoformat(str(value).strip())
        except ValueError as error:
            raise ValidationError(NO_MOMENT) from error
        if wall.tzinfo is not None:
            raise ValidationError(NO_MOMENT)
        if wall.year not in YEARS:
            raise ValidationError(NO_YEAR)
        return wall


def on_the_clock(moment: datetime | None, zone: str) -> datetime | None:
    """What the clocks of the zone show at this moment."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if moment else None


def from_the_clock(wall: datetime | None, zone: str) -> datetime | None:
    """The moment at which the clocks of the zone show this."""
    return first_moment(wall, ZoneInfo(zone)).due_at if wall else None


class DatesInput(forms.Widget):
    """One date input for each date, and an empty one for the next."""

    template_name = "schedules/wizard/dates.html"

    def _render(self, template_name: str, context: Any, renderer: Any = None) -> SafeString:
        # Django's own renderer knows only the templates of apps, not the project's.
        return render_to_string(template_name, context)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return [value for value in data.getlist(name) if value]

    def format_value(self, value: Any) -> list[str]:
        return [str(day) for day in value or []]


class Dates(forms.Field):
    """A list of dates, read into sorted ISO texts as the column keeps them."""

    widget = DatesInput

    def to_python(self, value: Iterable[str] | None) -> list[str]:
        try:
            days = {date.fromisoformat(text.strip()) for text in value or []}
        except ValueError as error:
            raise ValidationError(NO_DATE) from error
        if len(days) > MOST_DATES:
            raise ValidationError(_("At most 200 dates."))
        return [day.isoformat() for day in sorted(days)]


@cache
def zone_choices() -> list[tuple[Any, Any]]:
    """The zones that our people live in, then all others."""
    others = sorted(zone for zone in available_timezones() if "/" in zone)
    return [
        (_("Common"), [(zone, zone) for zone in COMMON_ZONES]),
        (_("All"), [(zone, zone) for zone in others if zone not in COMMON_ZONES]),
    ]
