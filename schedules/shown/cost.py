"""What a run of a schedule will cost, and what it leaves, as far as the viewer may know."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from channels.models import Account, QuotaReading, Room
from orgs.clock import Month, month_around
from orgs.models import Unit
from orgs.reach import Act, lineage, within
from schedules.bookings.quota import of_accounts, of_units
from schedules.cost import Cost
from schedules.forecast import PEOPLE, coming, costs_of
from schedules.models import HolidayException, Schedule
from schedules.shown.audience import Shown

RUNS = 1_000  # of a month that are counted
LOOKED_AHEAD = timedelta(days=366)  # for its first time


@dataclass(frozen=True)
class Line:
    """Of an account that bills, or of a budget. `left` before the run; None: as many as it likes,
    not told yet, or not for this viewer."""

    name: str
    billed: int
    runs: int  # of the month of the first one
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
    def of_month(self) -> int:
        """What all its runs of the month are billed."""
        return self.billed * self.runs

    @property
    def short_of_month(self) -> int:
        """How many messages the month lacks for all of them."""
        return 0 if self.left is None else max(self.of_month - self.left, 0)


class When:
    """The coming times of a schedule: the first of them, and how many a month has."""

    def __init__(self, schedule: Schedule, now: datetime) -> None:
        self.now, self._schedule = now, schedule
        self._table = HolidayException.table(schedule.holiday_country)
        self.first = next(self._coming(now, now + LOOKED_AHEAD), now)

    def runs(self, month: Month) -> int:
        """How many of that month are still to come; one where none is known."""
        after = max(self.now, month.start - timedelta.resolution)
        return sum(1 for _time in islice(self._coming(after, month.end), RUNS)) or 1

    def _coming(self, after: datetime, until: datetime) -> Iterator[datetime]:
        return coming(self._schedule, after, until, self._table)


def cost_of(schedule: Schedule, *, by: Any, now: datetime, audience: Shown | None) -> list[Line]:
    """A line for each account that bills, then one for each budget from which it is taken; [] where
    nothing is billed. `audience`: as the page shows it, so that nobody is counted twice."""
    costs, accounts = _costs(schedule, by, audience)
    if not costs:
        return []
    when = When(schedule, now)
    readings = QuotaReading.objects.filter(account__in=costs).select_related("account")
    told = {reading.account_id: reading for reading in within(by, readings, Act.USE)}
    spent = of_accounts(told.values(), when.first, now)
    named = set(within(by, Account.objects.filter(pk__in=costs)).values_list("pk", flat=True))
    lines = []
    for account_id, cost in costs.items():
        account = accounts[account_id]
        channel = account.adapter_class
        month = month_around(when.first, account.quota_zone)
        limit = told[account_id].limit if account_id in told else None
        lines.append(
            Line(
                f"{channel.label} · {account.name}" if account_id in named else str(channel.label),
                cost.billed,
                runs=when.runs(month),
                cost=cost,
                left=None if limit is None else max(limit - spent[account_id].total, 0),
            )
        )
    return lines + _budgets(schedule, sum(cost.billed for cost in costs.values()), by, when)


def _costs(
    schedule: Schedule, by: Any, audience: Shown | None
) -> tuple[dict[int, Cost], Mapping[int, Account]]:
    """What one run costs, by account; of rooms and audiences within reach."""
    if schedule.audience:
        if not audience:
            return {}, {}  # out of reach
        counted = {schedule.audience.pk: audience.count if audience.is_counted else PEOPLE + 1}
        account = schedule.audience.account
        return costs_of(schedule, [account.pk], counted), {account.pk: account}
    rooms: list[Room] = list(within(by, schedule.rooms.select_related("account")))
    accounts = {room.account_id: room.account for room in rooms}
    return costs_of(schedule, accounts, {}, rooms), accounts


def _budgets(schedule: Schedule, billed: int, by: Any, when: When) -> list[Line]:
    """Of one above the viewer's reach it is told that it does not suffice, and no more."""
    above = Unit.objects.filter(path__in=lineage(schedule.unit.path), monthly_budget__isnull=False)
    units = list(above.order_by("path"))
    if not units:
        return []
    visible = set(within(by, above).values_list("pk", flat=True))
    spent = of_units(units, when.first, when.now)
    lines = []
    for unit in units:
        left = max((unit.monthly_budget or 0) - spent[unit.path].total, 0)
        runs = when.runs(month_around(when.first, unit.zone))
        if unit.pk in visible:
            lines.append(Line(unit.name, billed, runs=runs, left=left))
        elif billed > left:
            lines.append(Line("", billed, runs=runs, left=left, is_hidden=True))
    return lines
