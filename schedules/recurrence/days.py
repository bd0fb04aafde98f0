"""The dates of a rule from a date on: ascending, lazily, up to the end of the calendar."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date

LAST_YEAR = 9998  # the year after it cannot be converted between time zones


def every_day(since: date) -> Iterator[date]:
    """Each date."""
    return map(date.fromordinal, range(since.toordinal(), date(LAST_YEAR + 1, 1, 1).toordinal()))


def on_weekdays(weekdays: frozenset[int], since: date) -> Iterator[date]:
    """The dates on these weekdays; Monday is 0."""
    return (day for day in every_day(since) if day.weekday() in weekdays)


def monthly(number: int, clamped: bool, since: date) -> Iterator[date]:
    """A day of each month; where a month has none so high, its last if `clamped`, or none."""
    for year, month in months(since):
        length = monthrange(year, month)[1]
        if number <= length or clamped:
            day = date(year, month, min(number, length))
            if day >= since:
                yield day


def months(since: date) -> Iterator[tuple[int, int]]:
    """Each (year, month) from that of a date on."""
    for index in range(since.year * 12 + since.month - 1, (LAST_YEAR + 1) * 12):
        yield index // 12, index % 12 + 1
