"""What a schedule says about when: one value, which can say what is wrong with it."""

import datetime
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _

from .cron import CronError, parse_cron
from .days import LAST_YEAR
from .public_holidays import countries

LAST_DAY = 32  # a day_of_month that means the last day of each month
MINUTES_OF_A_DAY = 1440
YEARS = range(1970, LAST_YEAR + 1)


class Kind(StrEnum):
    """How a timing repeats."""

    NOW = "now"
    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    INTERVAL = "interval"
    PEAK = "peak"
    CRON = "cron"


class ShortMonth(StrEnum):
    """What day 31 does in a month of 30 days."""

    LAST_DAY = "last_day"
    SKIP = "skip"


class TimingError(ValueError):
    """Occurrences were asked of a timing that has problems."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in problems.items()))
        self.problems = problems


@dataclass(frozen=True)
class Timing:
    """When a schedule is due, on the wall clock of its zone."""

    kind: Kind
    zone: str  # IANA
    date: datetime.date | None = None  # once
    time: datetime.time | None = None  # once, daily, weekly, monthly
    weekdays: frozenset[int] = frozenset()  # weekly; Monday is 0
    day_of_month: int | None = None  # monthly: 1 to 31, or LAST_DAY
    short_month: ShortMonth = ShortMonth.LAST_DAY
    every_minutes: int | None = None  # interval; for peak: outside the peak hours
    peak_minutes: int | None = None  # peak: within the peak hours
    peak_hours: frozenset[int] = frozenset()  # peak: hours 0 to 23 of the local clock
    cron: str = ""
    valid_from: datetime.datetime | None = None  # aware; nothing before it
    valid_until: datetime.datetime | None = None  # aware; nothing after this exact moment
    holiday_country: str = ""  # public holidays of this country are skipped
    skip_dates: frozenset[datetime.date] = frozenset()
    registered_at: datetime.datetime | None = None  # now: that moment

    def problems(self) -> dict[str, str]:
        """Field name → what makes the timing unusable. A time in the past is none of it."""
        if self.kind not in PROBLEMS_OF_A_KIND:
            return {"kind": _("There is no timing of this kind.")}
        own = PROBLEMS_OF_A_KIND[self.kind](self)
        found = {"zone": _zone_problem(self.zone)} | own | _limit_problems(self)
        return {field: problem for field, problem in found.items() if problem}


def _zone_problem(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return _("There is no time zone of this name.")
    return ""


def _limit_problems(timing: Timing) -> dict[str, str]:
    begin, end = timing.valid_from, timing.valid_until
    found = {
        "valid_from": _moment_problem(begin),
        "valid_until": _moment_problem(end),
    }
    if begin and end and not any(found.values()) and end.astimezone(UTC) < begin.astimezone(UTC):
        found["valid_until"] = _("The validity ends before it begins.")
    if timing.holiday_country and timing.holiday_country not in countries():
        found["holiday_country"] = _("The public holidays of this country are not known.")
    return found


def _moment_problem(moment: datetime.datetime | None) -> str:
    if moment and moment.utcoffset() is None:
        return _("A time zone is missing.")
    return _year_problem(moment)


def _year_problem(day: datetime.date | None) -> str:
    """Years at the ends of the calendar cannot be converted between time zones."""
    return _("Choose a year from 1970 to 9998.") if day and day.year not in YEARS else ""


def _now_problems(timing: Timing) -> dict[str, str]:
    registered_at = timing.registered_at
    return {"registered_at": _missing(registered_at) or _moment_problem(registered_at)}


def _once_problems(timing: Timing) -> dict[str, str]:
    day = timing.date
    return {"date": _missing(day) or _year_problem(day), "time": _missing(timing.time)}


def _daily_problems(timing: Timing) -> dict[str, str]:
    return {"time": _missing(timing.time)}


def _weekly_problems(timing: Timing) -> dict[str, str]:
    found = {"time": _missing(timing.time)}
    if not timing.weekdays:
        found["weekdays"] = _("Choose at least one weekday.")
    elif not timing.weekdays <= set(range(7)):
        found["weekdays"] = _("A weekday is a number from 0 (Monday) to 6 (Sunday).")
    return found


def _monthly_problems(timing: Timing) -> dict[str, str]:
    found = {"time": _missing(timing.time), "day_of_month": _missing(timing.day_of_month)}
    if timing.day_of_month is not None and not 1 <= timing.day_of_month <= LAST_DAY:
        found["day_of_month"] = _("Choose a day from 1 to 31, or the last day of the month.")
    return found


def _interval_problems(timing: Timing) -> dict[str, str]:
    return {"every_minutes": _minutes_problem(timing.every_minutes)}


def _peak_problems(timing: Timing) -> dict[str, str]:
    found = {
        "every_minutes": _minutes_problem(timing.every_minutes),
        "peak_minutes": _minutes_problem(timing.peak_minutes),
    }
    if not timing.peak_hours:
        found["peak_hours"] = _("Choose at least one peak hour.")
    elif not timing.peak_hours <= set(range(24)):
        found["peak_hours"] = _("An hour is a number from 0 to 23.")
    return found


def _cron_problems(timing: Timing) -> dict[str, str]:
    if not timing.cron.strip():
        return {"cron": _missing(None)}
    try:
        parse_cron(timing.cron)
    except CronError as error:
        return {"cron": str(error)}
    return {}


def _missing(value: object) -> str:
    return _("This is missing.") if value is None else ""


def _minutes_problem(minutes: int | None) -> str:
    if minutes is None:
        return _missing(minutes)
    if not 1 <= minutes <= MINUTES_OF_A_DAY:
        return _("Choose from 1 to 1440 minutes.")
    return ""


PROBLEMS_OF_A_KIND = {
    Kind.NOW: _now_problems,
    Kind.ONCE: _once_problems,
    Kind.DAILY: _daily_problems,
    Kind.WEEKLY: _weekly_problems,
    Kind.MONTHLY: _monthly_problems,
    Kind.INTERVAL: _interval_problems,
    Kind.PEAK: _peak_problems,
    Kind.CRON: _cron_problems,
}
