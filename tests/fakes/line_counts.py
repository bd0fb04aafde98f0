"""What LINE counts of what it accepted: by day and endpoint, and by aggregation unit."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

UNIT = re.compile(r"[A-Za-z0-9_]{1,30}")
UNITS_A_MONTH = 1000
FEW = 20  # of fewer people nothing is told
MOST_DAYS = 30  # after the first day of a period
TOKYO = timezone(timedelta(hours=9))


def problem_with(units: Any) -> str:
    """What is wrong with the units of one message, or ""."""
    if units is None or units == []:
        return ""
    if not isinstance(units, list) or len(units) > 1:
        return "Size must be between 0 and 1"
    is_good = isinstance(units[0], str) and UNIT.fullmatch(units[0])
    return "" if is_good else "The value is invalid."


def day_of(moment: float) -> date:
    return datetime.fromtimestamp(moment, UTC).astimezone(TOKYO).date()


@dataclass(frozen=True)
class _Counted:
    day: date
    endpoint: str
    people: frozenset[str]
    number: int
    unit: str


@dataclass
class LineCounts:
    """Attributes are its settings; a test may change any of them at any time."""

    lag: int = 1  # days until a day's number is there
    opens: float = 0.5  # which part of the people opens a message, and a tenth of them a link
    blocked: set[str] = field(default_factory=set)  # users that are not counted as delivered
    out_of_service: set[date] = field(default_factory=set)
    _counted: list[_Counted] = field(default_factory=list)
    _units: dict[tuple[int, int], list[str]] = field(default_factory=dict)  # by year and month

    def accept(self, path: str, to: str | list[str], cost: int, units: Any, at: float) -> None:
        """Count a message that was accepted. One name too many in a month: uncounted, unsaid."""
        day, name = day_of(at), units[0] if units else ""
        used = self._units.setdefault((day.year, day.month), [])
        if name and name not in used and len(used) < UNITS_A_MONTH:
            used.append(name)
        members = [to] if isinstance(to, str) else to
        # Who is in a group, LINE alone knows: any names will do.
        people = frozenset(members if cost == len(members) else (f"{to}-{n}" for n in range(cost)))
        delivered = people - self.blocked
        unit = name if name in used else ""
        endpoint = path.rpartition("/")[2]
        self._counted.append(_Counted(day, endpoint, delivered, len(delivered), unit))

    def of_day(self, endpoint: str, date_asked: str, now: float) -> dict[str, Any] | None:
        """The answer about a day; None: the date cannot be read."""
        day = _day(date_asked)
        if day is None:
            return None
        if day in self.out_of_service:
            return {"status": "out_of_service"}
        if day + timedelta(days=self.lag) > day_of(now):
            return {"status": "unready"}
        of_it = [c.number for c in self._counted if (c.day, c.endpoint) == (day, endpoint)]
        return {"status": "ready", "success": sum(of_it)}

    def used_units(self, now: float) -> list[str]:
        day = day_of(now)
        return self._units.get((day.year, day.month), [])

    def of_unit(self, query: dict[str, str]) -> dict[str, Any] | None:
        """The answer about a unit; None: the period cannot be used."""
        first, last = _day(query.get("from", "")), _day(query.get("to", ""))
        if not first or not last or not timedelta(0) <= last - first <= timedelta(MOST_DAYS):
            return None
        unit = query.get("customAggregationUnit", "")
        of_it = [c for c in self._counted if c.unit == unit and first <= c.day <= last]
        people: frozenset[str] = frozenset().union(*(c.people for c in of_it))
        opened = round(len(people) * self.opens)
        overview = {
            "uniqueImpression": _unless_few(opened),
            "uniqueClick": _unless_few(opened // 10),
            "uniqueMediaPlayed": None,
            "uniqueMediaPlayed100Percent": None,
        }
        return {"overview": overview, "messages": [], "clicks": []}


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=TOKYO).date()
    except ValueError:
        return None


def _unless_few(people: int) -> int | None:
    return people if people >= FEW else None
