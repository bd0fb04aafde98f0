"""What a run of a schedule will cost, and what it leaves, as far as the viewer may know."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache, partial
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from channels.models import Account, QuotaReading, Room
from orgs.clock import Month, month_around
from orgs.models import Unit
from orgs.reach import Act, lineage, within
from schedules.bookings.quota import Charge, of_accounts, of_units
from schedules.charges import Bearing, Days, Share, charges
from schedules.cost import Cost
from schedules.forecast import PEOPLE, coming, costs_of
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.shown.audience import Shown

RUNS = 1_000  # of a month that are counted
TIMES = 10_000  # among which these are looked for
LOOKED_AHEAD = timedelta(days=366)  # for its first time
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Line:
    """Of an account that bills, or of a budget; where a run leaves in two months, one for each.
    `left` before the run; None: as many as it likes, not told yet, or not for this viewer."""

    name: str
    billed: int
    runs: int  # of the month of the first one
    of_month: int  # what all of these are billed
    runs_are_least: bool = False  # there are more than were counted
    later_month: date | None = None  # where it is not the present one
    cost: Cost | None = None  # None: a budget's
    left: int | None = None
    is_hidden: bool = False  # that it does not fit is told, and no more

    @property
    def after(self) -> int | None:
        """What is left when it has gone once."""
        return None if self.left is None or self.short else self.left - self.billed

    @property
    def short(self) -> int:
        """How many messages one run lacks."""
        return 0 if self.left is None else max(self.billed - self.left, 0)

    @property
    def short_of_month(self) -> int:
        """How many messages the month lacks for all of them."""
        return 0 if self.left is None else max(self.of_month - self.left, 0)


class Part(NamedTuple):
    """What of a run leaves in one month."""

    month: Month
    leaves_at: datetime
    messages: int


class Course:
    """The coming times of a schedule that is billed in these shares: where the first of them is
    charged to, and what a month has."""

    def __init__(self, schedule: Schedule, shares: Sequence[Share], now: datetime) -> None:
        self.now, self._schedule, self._shares = now, schedule, shares
        self._table = HolidayException.table(schedule.holiday_country)
        self._changes = OccurrenceChange.of(schedule, now)
        some = islice(self._charged(now, now + LOOKED_AHEAD), RUNS)
        # Where no time is known, or quiet hours leave out all: as if it left now.
        at_once = {Charge(account_id, now): sum(share.messages for share in shares
                                                if share.account_id == account_id)
                   for account_id in {share.account_id for share in shares}}  # fmt: skip
        self._first = next(filter(None, some), at_once)

    def first(self, zone: str, account_id: int | None = None) -> list[Part]:
        """The first run by the months of this zone: all of it, or what one account bills."""
        parts: dict[Month, Part] = {}
        for charge, messages in sorted(self._first.items(), key=lambda item: item[0].leaves_at):
            if account_id in (None, charge.account_id):
                month = month_around(charge.leaves_at, zone)
                part = parts.get(month, Part(month, charge.leaves_at, 0))
                parts[month] = part._replace(messages=part.messages + messages)
        return list(parts.values())

    def all(self, part: Part, account_id: int | None = None) -> tuple[int, int, bool]:
        """How many runs its month still has, with what all of them are billed; and whether there
        are more than were counted."""
        month = part.month
        of_runs: list[int] = []
        are_least = False
        for number, charged in enumerate(self._charged(self._since(month), month.end)):
            if are_least := len(of_runs) == RUNS or number == TIMES:
                break
            if messages := [count for charge, count in charged.items()
                            if month.start <= charge.leaves_at < month.end
                            and account_id in (None, charge.account_id)]:  # fmt: skip
                of_runs.append(sum(messages))
        return (len(of_runs), sum(of_runs), are_least) if of_runs else (1, part.messages, False)

    def _since(self, month: Month) -> datetime:
        may_move = any(share.bounds.quiet for share in self._shares)
        earliest = month.start - DAY if may_move else month.start
        return max(self.now, earliest - timedelta.resolution)

    def _charged(self, after: datetime, until: datetime) -> Iterator[dict[Charge, int]]:
        tables, days = (self._table, self._changes), Days()
        for due_at, followed_at in coming(self._schedule, after, until, *tables):
            yield charges(self._schedule, self._shares, due_at, followed_at, days)


def cost_of(schedule: Schedule, *, by: Any, now: datetime, audience: Shown | None) -> list[Line]:
    """A line for each account that bills, then one for each budget from which it is taken; [] where
    nothing is billed. `audience`: as the page shows it, so that nobody is counted twice."""
    costs, accounts, rooms = _costs(schedule, by, audience)
    if not costs:
        return []
    bearing = Bearing(rooms, [schedule.unit] if schedule.audience_id else [])
    course = Course(schedule, bearing.shares(schedule, costs, rooms), now)
    readings = QuotaReading.objects.filter(account__in=costs).select_related("account")
    told = {reading.account_id: reading for reading in within(by, readings, Act.USE)}
    spent_around = cache(partial(of_accounts, told.values(), now=now))
    named = set(within(by, Account.objects.filter(pk__in=costs)).values_list("pk", flat=True))
    lines = []
    for account_id, cost in costs.items():
        account = accounts[account_id]
        label = str(account.adapter_class.label)
        limit = told[account_id].limit if account_id in told else None
        for part in course.first(account.quota_zone, account_id):
            line = _line(
                f"{label} · {account.name}" if account_id in named else label,
                part, account.quota_zone, course, account_id,
            )  # fmt: skip
            spent = 0 if limit is None else spent_around(part.leaves_at)[account_id].total
            left = None if limit is None else max(limit - spent, 0)
            people = part.messages // cost.requests if cost.requests else 0
            lines.append(replace(line, cost=replace(cost, people=people), left=left))
    return lines + _budgets(schedule, by, course)


def _line(name: str, part: Part, zone: str, course: Course, account_id: int | None = None) -> Line:
    runs, of_month, runs_are_least = course.all(part, account_id)
    is_later = part.month.start > course.now
    later_month = part.month.start.astimezone(ZoneInfo(zone)).date() if is_later else None
    return Line(name, part.messages, runs, of_month, runs_are_least, later_month)


def _costs(
    schedule: Schedule, by: Any, audience: Shown | None
) -> tuple[dict[int, Cost], Mapping[int, Account], list[Room]]:
    """What one run costs, by account; of rooms and audiences within reach."""
    if schedule.audience:
        if not audience:
            return {}, {}, []  # out of reach
        counted = {schedule.audience.pk: audience.count if audience.is_counted else PEOPLE + 1}
        account = schedule.audience.account
        return costs_of(schedule, [account.pk], counted), {account.pk: account}, []
    rooms: list[Room] = list(within(by, schedule.rooms.select_related("account")))
    accounts = {room.account_id: room.account for room in rooms}
    return costs_of(schedule, accounts, {}, rooms), accounts, rooms


def _budgets(schedule: Schedule, by: Any, course: Course) -> list[Line]:
    """Of one above the viewer's reach it is told that it does not suffice, and no more."""
    above = Unit.objects.filter(path__in=lineage(schedule.unit.path), monthly_budget__isnull=False)
    units = list(above.order_by("path"))
    if not units:
        return []
    visible = set(within(by, above).values_list("pk", flat=True))
    spent_around = cache(partial(of_units, units, now=course.now))
    lines = []
    for unit in units:
        for part in course.first(unit.zone):
            spent = spent_around(part.leaves_at)[unit.path].total
            left = max((unit.monthly_budget or 0) - spent, 0)
            line = replace(_line(unit.name, part, unit.zone, course), left=left)
            if unit.pk in visible:
                lines.append(line)
            elif line.short:
                lines.append(replace(line, name="", is_hidden=True))
    return lines
