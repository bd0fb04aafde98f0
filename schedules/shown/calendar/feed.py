"""A unit’s runs as an iCalendar, for the person whose feed it is: two weeks back, a month ahead."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from orgs.models import Unit
from orgs.reach import Act, can_anywhere, within
from schedules.models import CalendarFeed, Schedule
from schedules.shown import windows
from schedules.shown.calendar.asked import LONGEST, Asked
from schedules.shown.calendar.entries import entries_of
from schedules.shown.calendar.icalendar import calendar

BACK = timedelta(days=14)


def may_be_read(feed: CalendarFeed) -> bool:
    """Whether its person reaches the unit now."""
    reached = within(feed.user, Unit.objects.filter(pk=feed.unit_id))
    return can_anywhere(feed.user, Act.VIEW, Schedule) and reached.exists()


def language_of(feed: CalendarFeed) -> str:
    """Its person's, else that of the unit."""
    return feed.user.language or Unit.objects.languages([feed.unit.path])[feed.unit.path]


def written(feed: CalendarFeed, now: datetime) -> str:
    """The text of it now."""
    unit = feed.unit
    first = windows.today(unit.zone, now) - BACK
    asked = Asked(feed.user, first, first + timedelta(days=LONGEST), unit.zone, unit)
    with override(language_of(feed)):
        shown = entries_of(asked, now)
        is_whole = not (shown.full_days or shown.has_more_schedules or shown.until)
        note = "" if is_whole else _("There is more than a feed can show: look into the calendar.")
        return calendar(
            shown.entries,
            name=f"Teiji · {unit.name}",
            zone=unit.zone,
            host=urlsplit(settings.TEIJI_PUBLIC_URL).hostname or "teiji",
            now=now,
            link=settings.TEIJI_PUBLIC_URL if feed.shows_details else "",
            note=note,
        )
