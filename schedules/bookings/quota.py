"""Quota: a run that does not fit into what is left of a month is stopped whole, before its first
message: into the month of each of its accounts, and into the budgets of its unit and those above.

What is planned and not yet counted by the channel is used up as well. All is decided while the
readings and the units with a budget are held, so that two plans cannot spend the same twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from channels.models import QuotaReading
from orgs.clock import Month, month_around
from orgs.models import Unit
from orgs.reach import lineage
from schedules.bookings.spent import Spent, by_accounts, by_units
from schedules.models import Run

Runs = Sequence[tuple[Run, set[int]]]  # each with the ids of the accounts that bill for it


class Shortfall(NamedTuple):
    """What stops a run: how much it needs, and how much is left."""

    reason: str
    channel: str
    needs: int
    left: int

    @property
    def words(self) -> str:
        """As the run's detail says it. Names no account: who sends need not know which it is."""
        facts = {"channel": self.channel, "needs": f"{self.needs:,}", "left": f"{self.left:,}",
                 "short": f"{self.needs - self.left:,}"}  # fmt: skip
        if self.reason == Run.Reason.BUDGET:
            return _("needs %(needs)s; %(left)s left this month; %(short)s short") % facts
        return _("%(channel)s: needs %(needs)s; %(left)s left this month; %(short)s short") % facts


class DoesNotFit(Exception):  # noqa: N818 - it is an answer, not a fault
    """A run that was being written needs more than is left."""

    def __init__(self, shortfall: Shortfall) -> None:
        super().__init__(shortfall.words)
        self.shortfall = shortfall


@dataclass
class Pot:
    """What is left of one month of an account or of a budget."""

    reason: str
    channel: str
    left: int


@dataclass
class Purse:
    """What the runs of one transaction may still spend. Empty: as much as they like."""

    accounts: dict[tuple[int, datetime], Pot] = field(default_factory=dict)  # by account, due
    units: dict[tuple[str, datetime], Pot] = field(default_factory=dict)  # by path, due

    def take(self, run: Run, messages: Mapping[int, int]) -> Shortfall | None:
        """Spend what this run needs, by account; or nothing, where it does not fit."""
        needed = self._pots(run, messages)
        for pot, count in needed:
            if count > pot.left:
                return Shortfall(pot.reason, pot.channel, count, max(pot.left, 0))
        for pot, count in needed:
            pot.left -= count
        return None

    def give_back(self, run: Run, messages: Mapping[int, int]) -> None:
        """It was not spent after all."""
        for pot, count in self._pots(run, messages):
            pot.left += count

    def _pots(self, run: Run, messages: Mapping[int, int]) -> list[tuple[Pot, int]]:
        """From which a run's messages are taken, and how many from each."""
        if not (self.accounts or self.units):
            return []
        pots = [(self.accounts.get((pk, run.due_at)), count) for pk, count in messages.items()]
        total = sum(messages.values())
        pots += [(self.units.get((path, run.due_at)), total) for path in lineage(run.unit_path)]
        return [(pot, count) for pot, count in pots if pot is not None and count]


def open_purse(wanted: Iterable[tuple[Run, Iterable[int]]], *, hold: bool = True) -> Purse:
    """What is left for these runs, each with the ids of the accounts that bill for it. Holds
    what it has read until the transaction ends, unless it is only to be looked into."""
    runs = [(run, set(accounts)) for run, accounts in wanted]
    if not any(accounts for _run, accounts in runs):
        return Purse()
    # Accounts before units, each by id: nobody waits in a circle.
    readings = QuotaReading.objects.filter(
        account_id__in=set().union(*(accounts for _run, accounts in runs)), limit__isnull=False
    ).select_related("account")
    readings = readings.order_by("account_id")
    if hold:
        readings = readings.select_for_update(of=("self",), no_key=True)
    by_account = {reading.account_id: reading for reading in readings}
    paths = {path for run, accounts in runs if accounts for path in lineage(run.unit_path)}
    units = Unit.objects.filter(path__in=paths, monthly_budget__isnull=False).order_by("id")
    budgets = {
        unit.path: unit for unit in (units.select_for_update(no_key=True) if hold else units)
    }
    purse = Purse()
    _fill_accounts(purse, runs, by_account)
    _fill_units(purse, runs, budgets)
    return purse


def of_accounts(
    readings: Iterable[QuotaReading], moment: datetime, now: datetime
) -> dict[int, Spent]:
    """By account, what is spent of its channel's month around this moment: what the channel
    told, with what it cannot know yet. As many questions as there are zones in which months turn.
    """
    by_month: dict[Month, list[QuotaReading]] = defaultdict(list)
    for reading in readings:
        by_month[reading.month(moment)].append(reading)
    found: dict[int, Spent] = {}
    for month, together in by_month.items():
        told = {reading.account_id: reading.used_of(month) for reading in together}
        since = {account_id: at for account_id, (_used, at) in told.items()}
        for account_id, (accepted, reserved) in by_accounts(since, month, now).items():
            found[account_id] = Spent(told[account_id][0] + accepted, reserved)
    return found


def of_units(units: Iterable[Unit], moment: datetime, now: datetime) -> dict[str, Spent]:
    """By path, what is spent of each unit's own month around this moment, by it and all below."""
    by_zone: dict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        by_zone[unit.zone].append(unit)
    found: dict[str, Spent] = {}
    for zone, together in by_zone.items():
        found |= by_units(together, month_around(moment, zone), now)
    return found


def _moment(run: Run) -> datetime:
    """When it is billed: what is late goes now."""
    return max(run.due_at, run.planned_at)


def _fill_accounts(purse: Purse, runs: Runs, readings: Mapping[int, QuotaReading]) -> None:
    pots: dict[tuple[int, Month], Pot] = {}
    for run, accounts in runs:
        for account_id in accounts & readings.keys():
            key = account_id, readings[account_id].month(_moment(run))
            if key not in pots:
                _add_account_pots(pots, readings, run)
            purse.accounts[account_id, run.due_at] = pots[key]


def _add_account_pots(
    pots: dict[tuple[int, Month], Pot], readings: Mapping[int, QuotaReading], run: Run
) -> None:
    moment = _moment(run)
    for account_id, used in of_accounts(readings.values(), moment, run.planned_at).items():
        reading = readings[account_id]
        assert reading.limit is not None, "only those with a limit are held"
        channel = str(reading.account.adapter_class.label)
        pot = Pot(Run.Reason.QUOTA, channel, reading.limit - used.total)
        pots.setdefault((account_id, reading.month(moment)), pot)


def _fill_units(purse: Purse, runs: Runs, budgets: Mapping[str, Unit]) -> None:
    pots: dict[tuple[str, Month], Pot] = {}
    for run, accounts in runs:
        for path in lineage(run.unit_path) if accounts else ():
            if path in budgets:
                key = path, month_around(_moment(run), budgets[path].zone)
                if key not in pots:
                    _add_unit_pots(pots, budgets, run)
                purse.units[path, run.due_at] = pots[key]


def _add_unit_pots(
    pots: dict[tuple[str, Month], Pot], budgets: Mapping[str, Unit], run: Run
) -> None:
    moment = _moment(run)
    for path, used in of_units(budgets.values(), moment, run.planned_at).items():
        left = (budgets[path].monthly_budget or 0) - used.total
        key = path, month_around(moment, budgets[path].zone)
        pots.setdefault(key, Pot(Run.Reason.BUDGET, "", left))
