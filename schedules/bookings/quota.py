"""Quota: a run that does not fit into what is left of a month is stopped whole, before its first
message: into the month of each of its accounts, and into the budgets of its unit and those above.

A message belongs to the month in which it leaves: quiet hours may move it into the next one. What
is planned and not yet counted by the channel is used up as well. All is decided while the
readings and the units with a budget are held, so that two plans cannot spend the same twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from channels.models import QuotaReading
from orgs.clock import Month, month_around
from orgs.models import Unit
from orgs.reach import lineage
from schedules.bookings.spent import Spent, by_accounts, by_units
from schedules.models import Run


class Charge(NamedTuple):
    """Whose month bears a message: that of the account which bills it, as it is when it leaves."""

    account_id: int
    leaves_at: datetime


Runs = Sequence[tuple[Run, set[Charge]]]


class Shortfall(NamedTuple):
    """What stops a run: how much it needs, and how much is left."""

    reason: str
    channel: str
    needs: int
    left: int
    later_month: str = ""  # "2027-04", where it is not the present one
    is_above: bool = False  # of a unit above the run's: its figures are none of the run's readers'

    @property
    def words(self) -> str:
        """As the run's detail says it. Names no account: who sends need not know which it is."""
        if self.is_above:
            return _("needs %(needs)s; a budget above its unit leaves less") % {
                "needs": f"{self.needs:,}"
            }
        facts = {"needs": f"{self.needs:,}", "left": f"{self.left:,}",
                 "short": f"{self.needs - self.left:,}", "month": self.later_month}  # fmt: skip
        if self.later_month:
            words = _("needs %(needs)s; %(left)s left in %(month)s; %(short)s short") % facts
        else:
            words = _("needs %(needs)s; %(left)s left this month; %(short)s short") % facts
        return f"{self.channel}: {words}" if self.channel else words


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
    later_month: str
    path: str = ""  # of the unit whose budget it is


@dataclass
class Purse:
    """What the runs of one transaction may still spend. Empty: as much as they like."""

    accounts: dict[Charge, Pot] = field(default_factory=dict)
    units: dict[tuple[str, datetime], Pot] = field(default_factory=dict)  # by path, leaving

    def take(self, run: Run, messages: Mapping[Charge, int]) -> Shortfall | None:
        """Spend what this run needs; or nothing, where it does not fit."""
        needed = self._pots(run, messages)
        for pot, count in needed:
            if count > pot.left:
                left, is_above = max(pot.left, 0), pot.path not in ("", run.unit_path)
                return Shortfall(pot.reason, pot.channel, count, left, pot.later_month, is_above)
        for pot, count in needed:
            pot.left -= count
        return None

    def limits(self, run: Run, charges: Iterable[Charge]) -> bool:
        """Whether anything bounds what this run may spend there."""
        return bool(self._pots(run, dict.fromkeys(charges, 1)))

    def give_back(self, run: Run, messages: Mapping[Charge, int]) -> None:
        """It was not spent after all."""
        for pot, count in self._pots(run, messages):
            pot.left += count

    def _pots(self, run: Run, messages: Mapping[Charge, int]) -> list[tuple[Pot, int]]:
        """From which a run's messages are taken, and how many from each."""
        if not (self.accounts or self.units):
            return []
        found: list[tuple[Pot | None, int]] = []
        for charge, count in messages.items():
            found.append((self.accounts.get(charge), count))
        for path in lineage(run.unit_path):
            for charge, count in messages.items():
                found.append((self.units.get((path, charge.leaves_at)), count))
        sums: dict[int, tuple[Pot, int]] = {}
        for pot, count in found:
            if pot is not None and count:
                sums[id(pot)] = pot, sums.get(id(pot), (pot, 0))[1] + count
        return list(sums.values())


def open_purse(wanted: Iterable[tuple[Run, Iterable[Charge]]], *, hold: bool = True) -> Purse:
    """What is left for these runs, each with what it is charged to. Holds what it has read until
    the transaction ends, unless it is only to be looked into."""
    runs = [(run, set(charges)) for run, charges in wanted]
    accounts = {charge.account_id for _run, charges in runs for charge in charges}
    if not accounts:
        return Purse()
    # Accounts before units, each by id: nobody waits in a circle.
    readings = QuotaReading.objects.filter(account_id__in=accounts, limit__isnull=False)
    readings = readings.select_related("account")
    readings = readings.order_by("account_id")
    if hold:
        readings = readings.select_for_update(of=("self",), no_key=True)
    by_account = {reading.account_id: reading for reading in readings}
    paths = {path for run, charges in runs if charges for path in lineage(run.unit_path)}
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


def _fill_accounts(purse: Purse, runs: Runs, readings: Mapping[int, QuotaReading]) -> None:
    pots: dict[tuple[int, Month], Pot] = {}
    for run, charges in runs:
        for charge in charges:
            reading = readings.get(charge.account_id)
            if reading and charge not in purse.accounts:
                key = charge.account_id, reading.month(charge.leaves_at)
                if key not in pots:
                    _add_account_pots(pots, readings, charge.leaves_at, run.planned_at)
                purse.accounts[charge] = pots[key]


def _add_account_pots(
    pots: dict[tuple[int, Month], Pot],
    readings: Mapping[int, QuotaReading],
    moment: datetime,
    now: datetime,
) -> None:
    for account_id, used in of_accounts(readings.values(), moment, now).items():
        reading = readings[account_id]
        assert reading.limit is not None, "only those with a limit are held"
        month, zone = reading.month(moment), reading.account.quota_zone
        channel = str(reading.account.adapter_class.label)
        later = _later_month(month, zone, now)
        pot = Pot(Run.Reason.QUOTA, channel, reading.limit - used.total, later)
        pots.setdefault((account_id, month), pot)


def _fill_units(purse: Purse, runs: Runs, budgets: Mapping[str, Unit]) -> None:
    pots: dict[tuple[str, Month], Pot] = {}
    for run, charges in runs:
        moments = {charge.leaves_at for charge in charges}
        for path in budgets.keys() & lineage(run.unit_path):
            for moment in moments:
                key = path, month_around(moment, budgets[path].zone)
                if key not in pots:
                    _add_unit_pots(pots, budgets, moment, run.planned_at)
                purse.units[path, moment] = pots[key]


def _add_unit_pots(
    pots: dict[tuple[str, Month], Pot],
    budgets: Mapping[str, Unit],
    moment: datetime,
    now: datetime,
) -> None:
    for path, used in of_units(budgets.values(), moment, now).items():
        zone = budgets[path].zone
        left = (budgets[path].monthly_budget or 0) - used.total
        month = month_around(moment, zone)
        pot = Pot(Run.Reason.BUDGET, "", left, _later_month(month, zone, now), path)
        pots.setdefault((path, month), pot)


def _later_month(month: Month, zone: str, now: datetime) -> str:
    """Its name, where it has not begun yet."""
    return f"{month.start.astimezone(ZoneInfo(zone)):%Y-%m}" if month.start > now else ""
