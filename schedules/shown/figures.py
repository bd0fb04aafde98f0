"""The figures of what was sent within a person's reach, each with the list that it counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from channels.adapters import registry
from config.scoped.times import zone_of
from schedules.models.quarter import Strategy
from schedules.models.run import KINDS
from schedules.outcomes.counts import Counts, sums
from schedules.outcomes.read import Sort, found_since
from schedules.shown import windows
from schedules.shown.narrowed import log_of

WEEKS = windows.DAYS["weeks"]  # days of the charts, today included
DAY = timedelta(days=1)
LEVELS = 5  # shades of the heat map
BUSIEST = 10  # hours that are named


@dataclass(frozen=True)
class Day:
    """One day of the charts, beside the same day of the weeks before."""

    day: date
    counts: Counts
    before: Counts


@dataclass(frozen=True)
class Hour:
    """One hour of a weekday: what was sent in it over all weeks of the chart."""

    name: str
    sent: int
    level: int  # 0: nothing, to LEVELS
    address: str


@dataclass(frozen=True)
class Line:
    """What was sent of one sort; `share` in percent of the largest."""

    name: str
    counts: Counts
    share: int
    address: str


class Figures:
    """Days and hours are those of the reader's zone."""

    def __init__(self, user: Any, now: datetime) -> None:
        self.zone = zone_of(user)
        self.today = windows.today(self.zone, now)
        since = windows.start_of("weeks", self.zone, now)
        earlier = windows.midnight(self.today - timedelta(days=2 * WEEKS - 1), self.zone)
        self._found = found_since(user, since, earlier)

    @cached_property
    def _by_day(self) -> Mapping[date, Counts]:
        zone = ZoneInfo(self.zone)
        quarters = self._found.quarters.items()
        return sums((at.astimezone(zone).date(), counts) for at, counts in quarters)

    def last(self, days: int) -> Counts:
        """Of so many days, today included."""
        return self._of(self.today - number * DAY for number in range(days))

    def _of(self, days: Iterable[date]) -> Counts:
        total = Counts()
        for day in days:
            total.add(self._by_day.get(day, Counts()))
        return total

    @cached_property
    def total(self) -> Counts:
        return self.last(WEEKS)

    @cached_property
    def before(self) -> Counts:
        """Of the weeks before."""
        first = self.today - WEEKS * DAY
        return self._of(first - number * DAY for number in range(WEEKS))

    @property
    def days(self) -> list[Day]:
        """The first of them first."""
        found = []
        for number in reversed(range(WEEKS)):
            day = self.today - number * DAY
            own, before = (self._by_day.get(d, Counts()) for d in (day, day - WEEKS * DAY))
            found.append(Day(day, own, before))
        return found

    @cached_property
    def week(self) -> list[tuple[str, list[Hour]]]:
        """The hours of each weekday, from Monday."""
        sent = self.sent_by_hour()
        most = max(sent.values(), default=0)
        log = log_of(appointed="weeks", outcome="sent")
        found = []
        for weekday in range(7):
            name = str(WEEKDAYS_ABBR[weekday])
            hours = [
                Hour(
                    f"{name} {hour:02d}:00–{(hour + 1) % 24:02d}:00",
                    number := sent.get((weekday, hour), 0),
                    -(-LEVELS * number // most) if most else 0,
                    f"{log}&hour={weekday}-{hour}" if number else "",
                )
                for hour in range(24)
            ]
            found.append((name, hours))
        return found

    @property
    def busiest(self) -> list[Hour]:
        """The busiest hours, as many as are named."""
        hours = [hour for _name, hours in self.week for hour in hours if hour.sent]
        return sorted(hours, key=lambda hour: -hour.sent)[:BUSIEST]

    def sent_by_hour(self) -> dict[tuple[int, int], int]:
        """By weekday and hour, what was sent over all weeks of the chart."""
        zone, first = ZoneInfo(self.zone), self.today - (WEEKS - 1) * DAY
        found: dict[tuple[int, int], int] = {}
        for at, counts in self._found.quarters.items():
            local = at.astimezone(zone)
            if local.date() >= first and counts.sent:
                key = local.weekday(), local.hour
                found[key] = found.get(key, 0) + counts.sent
        return found

    @property
    def sorts(self) -> list[tuple[str, list[Line]]]:
        """By channel, by type, by strategy."""
        names = {kind: str(adapter.label) for kind, adapter in registry().items()}
        kinds = {kind: str(label) for kind, label in KINDS} | {"": _("not noted")}
        strategies = {value: str(label) for value, label in Strategy.choices}
        return [
            (_("By channel"), self._lines("channel", names)),
            (_("By type"), self._lines("kind", kinds)),
            (_("By strategy"), self._lines("strategy", strategies)),
        ]

    def by(self, part: str) -> dict[str, Counts]:
        """By channel, kind or strategy."""
        return sums((_part(sort, part), counts) for sort, counts in self._found.sorts.items())

    def _lines(self, part: str, names: Mapping[str, str]) -> list[Line]:
        found = self.by(part)
        most = max((counts.sent for counts in found.values()), default=0)
        return [
            Line(
                names.get(key, key),
                counts,
                -(-100 * counts.sent // most) if most else 0,
                _sort_address(part, key),
            )
            for key, counts in sorted(found.items(), key=lambda item: -item[1].sent)
        ]


def _part(sort: Sort, part: str) -> str:
    return str(getattr(sort, part))


def _sort_address(part: str, key: str) -> str:
    """All go by one strategy: the log need not be narrowed to it."""
    own = {} if part == "strategy" else {part: key or "none"}
    return log_of(appointed="weeks", outcome="sent", **own)
