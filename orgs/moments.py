"""How a moment is written for people: the one formatter, for every layer; it names the zone."""

import re
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

# Django writes them out in Korean and Chinese; our catalogues have them short, for Django too.
WEEKDAYS = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
WRITTEN_DAY = re.compile(r"(\d{4}-\d\d-\d\d) \([^()]{1,12}\)(?= \d\d:\d\d:\d\d)")


def written(at: datetime, zone: str) -> str:
    """“2026-11-23 (Mon) 09:00:05 Asia/Seoul”."""
    return f"{day(at, zone)} {clock(at, zone)} {zone}"


def exact(at: datetime, zone: str) -> str:
    """“2026-11-23 (Mon) 09:00:05.120 Asia/Seoul”."""
    return f"{day(at, zone)} {_local(at, zone).time().isoformat('milliseconds')} {zone}"


def day(at: datetime, zone: str) -> str:
    """“2026-11-23 (Mon)”; for where the zone stands beside it."""
    local = _local(at, zone)
    return f"{local.date()} ({WEEKDAYS[local.weekday()]})"


def clock(at: datetime, zone: str) -> str:
    """“09:00:05”; for where the zone stands beside it."""
    return _local(at, zone).time().isoformat("seconds")


def time_of_day(at: time) -> str:
    """“09:00”, of what recurs each day."""
    return at.isoformat("minutes")


def reread(text: str) -> str:
    """What was written in one language, with its weekdays in that of who reads it."""
    return WRITTEN_DAY.sub(_weekday_again, text)


def _weekday_again(found: re.Match[str]) -> str:
    try:
        weekday = date.fromisoformat(found[1]).weekday()
    except ValueError:  # somebody wrote it, and there is no such day
        return found[0]
    return f"{found[1]} ({WEEKDAYS[weekday]})"


def _local(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone))
