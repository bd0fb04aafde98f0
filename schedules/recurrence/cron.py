"""Cron expressions: cronsim reads them, and only reads them.

cronsim's own iteration is not used: it names moments that do not exist where daylight saving
takes midnight away, and steps over full hours where it shifts by half an hour.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import lru_cache

from cronsim import CronSim, CronSimError
from django.utils.translation import gettext as _

from .days import months

LONGEST = 250  # characters; far more than any sensible expression, far less than a slow one
PATIENCE = 50  # years without a match; 29 February on a chosen weekday takes up to 40


class CronError(ValueError):
    """The expression cannot be used; the message says why, in the reader's language."""


@dataclass(frozen=True)
class Cron:
    """An expression that was understood.

    `on_grid` is Debian cron's distinction: a minute or hour field that begins with a star runs
    by the clock (also in a repeated hour), all else names fixed times.
    """

    fields: CronSim
    times: tuple[time, ...]
    on_grid: bool
    numbers_of_shape: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict)

    def days(self, since: date) -> Iterator[date]:
        """The dates from this one on, ascending; ends where none comes for 50 years."""
        last_match = since.year
        for year, month in months(since):
            if year > last_match + PATIENCE:
                return
            if month not in self.fields.months:
                continue
            for number in self._numbers(year, month):
                day = date(year, month, number)
                if day >= since:
                    last_match = year
                    yield day

    def _numbers(self, year: int, month: int) -> tuple[int, ...]:
        # Which days match depends on the shape of a month alone, and there are 28 shapes.
        shape = monthrange(year, month)
        if shape not in self.numbers_of_shape:
            days = (date(year, month, number) for number in range(1, shape[1] + 1))
            matching = tuple(day.day for day in days if self.fields.match_day(day))
            self.numbers_of_shape[shape] = matching
        return self.numbers_of_shape[shape]


@lru_cache(maxsize=256)
def parse_cron(expression: str) -> Cron:
    """Read an expression of five fields. Raises CronError."""
    parts = expression.split()
    if len(parts) != 5:
        raise CronError(_("A cron expression has five fields, this one has %d.") % len(parts))
    if len(expression) > LONGEST:
        raise CronError(_("This cron expression is too long."))
    try:
        fields = CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise CronError(_reason(str(error), parts)) from error
    cron = Cron(
        fields=fields,
        times=tuple(time(h, m) for h in sorted(fields.hours) for m in sorted(fields.minutes)),
        on_grid=parts[0].startswith("*") or parts[1].startswith("*"),
    )
    if next(cron.days(date(2000, 1, 1)), None) is None:
        raise CronError(_never())
    return cron


def _never() -> str:
    return _("No date ever matches this cron expression.")


def _reason(error: str, parts: list[str]) -> str:
    # cronsim calls 30 February a bad day: the day is right, that month only never has it.
    if error == "Bad day-of-month" and _is_right(" ".join([*parts[:3], "*", parts[4]])):
        return _never()
    reasons = {
        "minute": _("The first field, the minute, is not right (0 to 59)."),
        "hour": _("The second field, the hour, is not right (0 to 23)."),
        "day-of-month": _("The third field, the day of the month, is not right (1 to 31, or L)."),
        "month": _("The fourth field, the month, is not right (1 to 12, or JAN to DEC)."),
        "day-of-week": _("The fifth field, the weekday, is not right (0 to 7, or SUN to SAT)."),
    }
    return reasons.get(error.removeprefix("Bad "), error)


def _is_right(expression: str) -> bool:
    try:
        CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError:
        return False
    return True
