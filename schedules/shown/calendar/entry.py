"""An entry of the calendar, and all that it shows of a range."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from schedules.shown.calendar.asked import Asked
from schedules.states import RunState, ScheduleState


@dataclass(frozen=True)
class Entry:
    """One thing in the calendar. `state` is that of a run, or "waiting" for approval."""

    schedule_id: int
    title: str
    unit: str
    due_at: datetime
    appointed_at: datetime
    state: str
    kind: str
    why: str = ""  # it does not go, or did not
    run_id: int | None = None
    revision: int = 0
    is_often: bool = False  # the first of many of that day
    is_moved: bool = False
    may_move: bool = False

    @property
    def label(self) -> str:
        return label_of(self.state)

    @property
    def message(self) -> tuple[int, datetime]:
        """What clashes are told of: schedule, and when it goes."""
        return self.schedule_id, self.due_at

    @property
    def key(self) -> str:
        """By which it is chosen together with others: schedule, appointed time, revision."""
        return f"{self.schedule_id}@{self.appointed_at.isoformat()}@{self.revision}"


def label_of(state: str) -> str:
    known = ScheduleState if state == ScheduleState.WAITING else RunState
    return str(known(state).label)


@dataclass
class Shown:
    """The entries in the order of their times, and what is not among them."""

    entries: list[Entry] = field(default_factory=list)
    full_days: set[date] = field(default_factory=set)  # which have more runs
    # What comes and is not among them: by day, how much in each state.
    more: defaultdict[date, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    least_from: date | None = None  # from this day on there is at least so much more
    has_more_schedules: bool = False
    until: datetime | None = None  # coming times are told one by one up to here
    countries: set[str] = field(default_factory=set)  # whose holidays schedules keep

    def has_at_least(self, since: date) -> None:
        """From this day on not all is counted."""
        self.least_from = min(since, self.least_from or since)

    def more_in_words(self, day: date) -> tuple[str, str]:
        """How much of this day is not shown, and how much of that in each state; or nothing."""
        counts = self.more.get(day)
        is_least = self.least_from is not None and day >= self.least_from
        if not counts:
            return (_("More may come"), "") if is_least else ("", "")
        n = counts.total()
        words = (
            ngettext("at least %(n)d not shown", "at least %(n)d not shown", n)
            if is_least
            else ngettext("%(n)d not shown", "%(n)d not shown", n)
        )
        by_state = (f"{label_of(state)}: {count}" for state, count in sorted(counts.items()))
        return words % {"n": n}, " · ".join(by_state)

    @property
    def labels(self) -> dict[str, str]:
        """Of all states that there are: a range has many entries of few."""
        return {state: label_of(state) for state in {entry.state for entry in self.entries}}

    def by_day(self, asked: Asked) -> dict[date, list[Entry]]:
        """Every day of the range, on the reader's clock."""
        found: dict[date, list[Entry]] = {day: [] for day in asked.days}
        zone = ZoneInfo(asked.zone)
        for entry in self.entries:
            found[entry.due_at.astimezone(zone).date()].append(entry)
        return found
