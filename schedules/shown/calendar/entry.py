"""An entry of the calendar, and all that it shows of a range."""

from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

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
    full_days: set[date] = field(default_factory=set)  # which have more
    has_more_schedules: bool = False
    until: datetime | None = None  # coming times are told up to here
    countries: set[str] = field(default_factory=set)  # whose holidays schedules keep

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
