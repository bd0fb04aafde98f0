"""Every repeating timing in one form: wall-clock times on chosen days."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache, partial

from .cron import parse_cron
from .days import every_day, monthly, on_weekdays
from .timing import MINUTES_OF_A_DAY, Kind, ShortMonth, Timing


@dataclass(frozen=True)
class Rule:
    """`days` gives the dates from a date on, ascending; `times` ascend.

    `on_grid`: runs by the clock, so a repeated hour runs twice and a removed one not at all.
    Otherwise each time is an appointment: once a day, and never lost.
    """

    days: Callable[[date], Iterator[date]]
    times: tuple[time, ...]
    on_grid: bool

    def walls(self, since: datetime) -> Iterator[datetime]:
        """The wall-clock times (naive) from this one on, ascending."""
        first = bisect_left(self.times, since.time())
        for day in self.days(since.date()):
            times = self.times[first:] if day == since.date() else self.times
            for clock in times:
                yield datetime.combine(day, clock)

    def includes(self, wall: datetime) -> bool:
        """Whether this wall-clock time is one of the rule's own."""
        return next(self.walls(wall), None) == wall


def rule_of(timing: Timing) -> Rule:
    """The rule of a repeating timing without problems."""
    if timing.kind == Kind.CRON:
        cron = parse_cron(timing.cron)
        return Rule(cron.days, cron.times, cron.on_grid)
    if timing.kind == Kind.INTERVAL:
        assert timing.every_minutes
        return Rule(every_day, _grid(timing.every_minutes), on_grid=True)
    if timing.kind == Kind.PEAK:
        assert timing.every_minutes and timing.peak_minutes
        times = _peak_grid(timing.every_minutes, timing.peak_minutes, timing.peak_hours)
        return Rule(every_day, times, on_grid=True)
    assert timing.time is not None
    return Rule(_days_of(timing), (timing.time,), on_grid=False)


def _days_of(timing: Timing) -> Callable[[date], Iterator[date]]:
    if timing.kind == Kind.WEEKLY:
        return partial(on_weekdays, timing.weekdays)
    if timing.kind == Kind.MONTHLY:
        assert timing.day_of_month
        clamped = timing.day_of_month > 31 or timing.short_month == ShortMonth.LAST_DAY
        return partial(monthly, timing.day_of_month, clamped)
    return every_day


@lru_cache(maxsize=256)
def _grid(minutes: int) -> tuple[time, ...]:
    return tuple(_clock(minute) for minute in range(0, MINUTES_OF_A_DAY, minutes))


@lru_cache(maxsize=256)
def _peak_grid(outside: int, within: int, peak_hours: frozenset[int]) -> tuple[time, ...]:
    return tuple(
        _clock(minute)
        for minute in range(MINUTES_OF_A_DAY)
        if minute % (within if minute // 60 in peak_hours else outside) == 0
    )


def _clock(minute: int) -> time:
    return time(minute // 60, minute % 60)
