"""Moves the times of a timing by days and minutes of its wall clock. Pure."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from .timing import Kind, Timing

DAY = timedelta(days=1)
SOME_DAY = date(2000, 1, 3)  # a Monday
SURE_DAYS = range(1, 29)  # of a month: those that every month has


class NoShiftError(ValueError):
    """This timing cannot be moved so; the message says why."""


def shifted(timing: Timing, by: timedelta) -> Timing:
    """The timing, so much later or earlier on its wall clock. Raises NoShiftError."""
    if timing.kind == Kind.ONCE:
        return _once(timing, by)
    if timing.kind not in (Kind.DAILY, Kind.WEEKLY, Kind.MONTHLY):
        raise NoShiftError(_("What repeats by minutes or by an expression has no time to shift."))
    if timing.kind == Kind.DAILY and abs(by) >= DAY:
        raise NoShiftError(_("What goes every day cannot be shifted by days."))
    assert timing.time is not None
    moved = datetime.combine(SOME_DAY, timing.time) + by
    days = (moved.date() - SOME_DAY).days
    timing = replace(timing, time=moved.time())
    if timing.kind == Kind.MONTHLY:
        return _monthly(timing, days)
    return replace(timing, weekdays=frozenset((day + days) % 7 for day in timing.weekdays))


def _once(timing: Timing, by: timedelta) -> Timing:
    assert timing.date is not None and timing.time is not None
    try:
        moved = datetime.combine(timing.date, timing.time) + by
    except OverflowError as error:
        raise NoShiftError(_("There is no such day.")) from error
    return replace(timing, date=moved.date(), time=moved.time())


def _monthly(timing: Timing, days: int) -> Timing:
    if not days:
        return timing
    day = timing.day_of_month or 0
    if day not in SURE_DAYS or day + days not in SURE_DAYS:
        raise NoShiftError(
            _("What goes every month can be shifted by days within the 1st to the 28th only.")
        )
    return replace(timing, day_of_month=day + days)
