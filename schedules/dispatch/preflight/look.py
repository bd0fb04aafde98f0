"""Look: what the tables say of a run that is still to come, by the function that plans it."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from channels.adapters.base import Adapter
from channels.models import Account, Audience, Room
from orgs.reach import lineage
from schedules import content, rules
from schedules.bookings import quota
from schedules.charges import Bearing, charges
from schedules.dispatch.preflight.take import AHEAD
from schedules.dispatch.standing import Place, against, inactive_units
from schedules.findings import Finding, What, named
from schedules.forecast import costs_of
from schedules.models import Delivery, Preflight, Run, Schedule
from schedules.runs.freeze import freeze
from schedules.runs.frozen import Frozen
from schedules.runs.halted import halted
from schedules.states import ScheduleState

logger = logging.getLogger(__name__)

DATES = 20  # of which the first that is not left out is meant

Open = Callable[[Account], Adapter]


@dataclass
class Flight:
    """One run that is looked at. `rooms` and `accounts` are those of which nothing is known that
    would keep a message from them: their channels are asked."""

    row: Preflight
    due_at: datetime | None
    findings: list[Finding] = field(default_factory=list)
    frozen: Frozen | None = None
    rooms: list[Room] = field(default_factory=list)
    accounts: dict[int, Account] = field(default_factory=dict)
    member: str = ""  # of an audience one address

    @property
    def schedule(self) -> Schedule:
        found: Schedule = self.row.schedule
        return found

    def is_early(self, now: datetime) -> bool:
        """Whether a person has asked so far ahead that it will be looked at once more."""
        return self.due_at is not None and self.due_at - AHEAD > now

    def find(self, what: What, **facts: Any) -> None:
        """Add this, once."""
        self.add(Finding(what, facts))

    def add(self, finding: Finding) -> None:
        """The same, of what is a finding already."""
        if finding not in self.findings:
            self.findings.append(finding)


def look(rows: Sequence[Preflight], now: datetime) -> list[Flight]:
    """Look at each of these as if it were planned now. Nothing is written."""
    inactive = inactive_units()
    open_account = cache(Account.open)
    flights = [Flight(row, _due_at(row.schedule, now)) for row in rows]
    for flight in flights:
        try:
            _look_at(flight, inactive, open_account, now)
        except Exception as error:  # one that cannot be read must not hold up the others
            logger.exception("schedule %s could not be looked at", flight.row.pk)
            flight.find(What.UNSEEN, part="message", channel="Teiji", why=type(error).__name__)
    _fit([flight for flight in flights if flight.accounts], now)
    return flights


def _due_at(schedule: Schedule, now: datetime) -> datetime | None:
    if schedule.state == ScheduleState.ACTIVE:
        return schedule.next_due_at
    if schedule.state != ScheduleState.DRAFT:
        return None
    coming = rules.preview(schedule, now, DATES)
    return next((found.due_at for found in coming if not found.skipped), None)


def _look_at(flight: Flight, inactive: AbstractSet[str], open_account: Open, now: datetime) -> None:
    schedule = flight.schedule
    if not inactive.isdisjoint(lineage(schedule.unit.path)):
        flight.find(What.UNIT_OFF)
    flight.frozen = freeze(schedule, flight.due_at or now, now=now, open_account=open_account)
    run = flight.frozen.run
    if run.reason == Run.Reason.NO_ROOM:
        flight.find(What.NO_ROOM)
    elif run.reason and not flight.frozen.deliveries:
        flight.find(What.CONTENT, why=run.detail)
    _look_at_targets(flight, inactive)
    _look_at_accounts(flight)
    if flight.frozen.deliveries or not run.reason:
        _look_at_content(flight, open_account)


def _look_at_targets(flight: Flight, inactive: AbstractSet[str]) -> None:
    """Rooms that are left, inactive or elsewhere by now, and an audience."""
    owner, found = flight.schedule.unit.path, defaultdict(list)
    for room in flight.schedule.rooms.all():
        place = Place(room.unit.path, room.is_active, room.left_at)
        reason = against(owner, place, account_is_active=True, inactive=inactive)
        found[reason].append(room.name)
        if reason is None:
            flight.rooms.append(room)
    if names := found[Delivery.Reason.LEFT]:
        flight.find(What.LEFT, **named(names))
    if names := found[Delivery.Reason.INACTIVE]:
        flight.find(What.ROOM_OFF, **named(names))
    moved = len(found[Delivery.Reason.REACH])
    if audience := flight.schedule.audience:
        moved += _look_at_audience(flight, audience, inactive)
    if moved:  # not by their names: those are another unit's
        flight.find(What.REACH, count=moved)


def _look_at_audience(flight: Flight, audience: Audience, inactive: AbstractSet[str]) -> bool:
    """Returns whether it belongs to another unit."""
    owner, place = flight.schedule.unit.path, Place(audience.unit.path, audience.is_active)
    reason = against(owner, place, account_is_active=True, inactive=inactive)
    if reason == Delivery.Reason.INACTIVE:
        flight.find(What.AUDIENCE_OFF)
    elif reason is None:
        first = next(audience.selection.people(), None)
        flight.member = first.address if first else ""
        if first is None:
            flight.find(What.NOBODY)
    return reason == Delivery.Reason.REACH


def _look_at_accounts(flight: Flight) -> None:
    targets: list[Room | Audience] = [*flight.rooms]
    if flight.member and flight.schedule.audience:
        targets = [flight.schedule.audience]
    for account in {target.account_id: target.account for target in targets}.values():
        if finding := halted(account):
            flight.find(finding.what, **finding.facts)
        else:
            flight.accounts[account.pk] = account


def _look_at_content(flight: Flight, open_account: Open) -> None:
    adapters = [open_account(account) for account in flight.accounts.values()]
    for messages in content.problems(flight.schedule.content, adapters).values():
        for message in messages:
            flight.find(What.CONTENT, why=message)
    assert flight.frozen is not None, "it was frozen before"
    unfilled: dict[str, list[str]] = defaultdict(list)
    for delivery in flight.frozen.deliveries:
        if delivery.reason == Delivery.Reason.UNFILLED:
            unfilled[delivery.error].append(delivery.room_name)
    for why, names in unfilled.items():
        flight.find(What.UNFILLED, **named(names), why=why)


def _fit(flights: Sequence[Flight], now: datetime) -> None:
    """Whether all of these fit into the months of their accounts and into the budgets, in the
    order in which they go."""
    counted: dict[int, int] = {}
    wanted: list[tuple[Flight, Run, dict[quota.Charge, int]]] = []
    bearing = Bearing(
        {room.pk: room for flight in flights for room in flight.rooms}.values(),
        [flight.schedule.unit for flight in flights if flight.schedule.audience_id],
    )
    for flight in flights:
        costs = costs_of(flight.schedule, flight.accounts, counted, flight.rooms)
        if costs and flight.frozen:
            run = flight.frozen.run
            shares = bearing.shares(flight.schedule, costs, flight.rooms)
            wanted.append((flight, run, charges(flight.schedule, shares, run.due_at, None)))
    purse = quota.open_purse(((run, billed) for _flight, run, billed in wanted), hold=False)
    for flight, run, billed in sorted(wanted, key=lambda one: (one[1].due_at, -one[1].priority)):
        if short := purse.take(run, billed):
            facts = {"needs": f"{short.needs:,}", "month": short.later_month}
            facts |= {"is_above": "yes"} if short.is_above else {"left": f"{short.left:,}"}
            what = What.BUDGET if short.reason == Run.Reason.BUDGET else What.QUOTA
            flight.find(what, channel=short.channel, **facts)
