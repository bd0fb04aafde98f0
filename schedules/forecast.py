"""Forecast: what the schedules will bill until a month ends, and when it runs out: that of an
account, or a unit's budget."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from heapq import merge
from itertools import chain, islice, pairwise, takewhile
from operator import or_
from typing import Any, NamedTuple

from django.db.models import Prefetch, Q, QuerySet

from channels.models import Account, Audience, QuotaReading, Room
from orgs.clock import month_around
from orgs.models import Unit
from orgs.reach import lineage, under
from schedules.bookings.quota import of_accounts, of_units
from schedules.bookings.spent import Spent
from schedules.charges import Bearing, Days, Share, charges
from schedules.cost import Cost, requests_for
from schedules.models import HolidayException, OccurrenceChange, Schedule
from schedules.recurrence import NO_CHANGES, Change, Changes, Exceptions, Kind, changed_occurrences
from schedules.states import ScheduleState

SCHEDULES = 2_000  # that are looked at
OCCURRENCES = 5_000  # that are counted, of all accounts together
PEOPLE = 20_000  # of an audience that are counted
DAY = timedelta(days=1)


class Known(NamedTuple):
    """What else decides upon coming times: holidays by country, and changes by schedule."""

    exceptions: Mapping[str, Exceptions]
    changes: Mapping[int, Changes]


@dataclass
class Item:
    """What one schedule adds: so many runs, each billed so many messages, those of the last day
    fewer where quiet hours move some into the next month."""

    schedule: Schedule
    shares: list[Share]
    runs: int = 0
    messages: int = 0
    days: Days = field(default_factory=Days, repr=False)

    @property
    def each(self) -> int:
        return sum(share.messages for share in self.shares)


@dataclass(kw_only=True)
class Outlook:
    """Of one month. `limit`: None where nothing bounds it. `is_least`: there is more than was
    counted."""

    limit: int | None
    spent: Spent
    ends_at: datetime
    coming: int = 0
    runs_out_at: datetime | None = None  # the first run that does not fit
    items: list[Item] = field(default_factory=list)  # the dearest first
    is_least: bool = False

    @property
    def left(self) -> int | None:
        """Before what is still to be planned; None: as many as it likes."""
        return None if self.limit is None else max(self.limit - self.spent.total, 0)


@dataclass(kw_only=True)
class Forecast(Outlook):
    """Of one account's month."""

    reading: QuotaReading


def standing(readings: Sequence[QuotaReading], now: datetime) -> dict[int, Forecast]:
    """By account, as things stand; what comes is not looked at. Each reading brings its account."""
    spent = of_accounts(readings, now, now)
    return {
        reading.account_id: Forecast(
            reading=reading,
            limit=reading.limit,
            spent=spent[reading.account_id],
            ends_at=reading.month(now).end,
        )
        for reading in readings
    }


def forecasts(readings: Sequence[QuotaReading], now: datetime) -> dict[int, Forecast]:
    """By account, with all that comes. The questions do not grow with the accounts."""
    found = standing(readings, now)
    if not found:
        return {}
    schedules = _schedules(found, _last_end(found.values()))
    people: dict[int, int] = {}  # of an audience, counted once
    bearing = _bearing(schedules)
    by_account: dict[int, list[Item]] = defaultdict(list)
    for schedule in schedules:
        for account_id, cost in costs_of(schedule, found.keys(), people).items():
            shares = bearing.shares(schedule, {account_id: cost}, schedule.rooms.all())
            by_account[account_id].append(Item(schedule, shares))
    _add_up(found, by_account, schedules)
    return found


def of_budgets(units: Sequence[Unit], now: datetime) -> dict[str, Outlook]:
    """By path, of units with a budget, with all that comes for them and those under them. The
    questions do not grow with the units."""
    if not units:
        return {}
    spent = of_units(units, now, now)
    found = {
        unit.path: Outlook(
            limit=unit.monthly_budget,
            spent=spent[unit.path],
            ends_at=month_around(now, unit.zone).end,
        )
        for unit in units
    }
    billing = set(Account.objects.metering().values_list("pk", flat=True))
    below = reduce(or_, (under(unit, Schedule.objects.present()) for unit in units))
    schedules = _schedules(billing, _last_end(found.values()), below) if billing else []
    people: dict[int, int] = {}
    bearing = _bearing(schedules)
    by_unit: dict[str, list[Item]] = defaultdict(list)
    for schedule in schedules:
        costs = costs_of(schedule, billing, people)
        shares = bearing.shares(schedule, costs, schedule.rooms.all())
        for path in found.keys() & lineage(schedule.unit.path):
            by_unit[path].append(Item(schedule, shares))
    _add_up(found, by_unit, schedules)
    return found


def costs_of(
    schedule: Schedule,
    account_ids: Iterable[int],
    counted: dict[int, int],
    rooms: Iterable[Room] | None = None,
) -> dict[int, Cost]:
    """By account, of those that bill and stand in `account_ids`, what one run costs. Whoever asks
    about many keeps in `counted` how many people an audience has."""
    by_account: dict[int, tuple[Account, int, bool]] = {}
    if audience := schedule.audience:
        if audience.account_id in account_ids:
            by_account[audience.account_id] = (
                audience.account,
                _people(schedule, audience, counted),
                False,
            )
    else:
        for room in schedule.rooms.all() if rooms is None else rooms:
            if room.account_id in account_ids:
                _account, people, is_estimate = by_account.get(room.account_id, (None, 0, False))
                is_estimate |= is_guessed(room)
                by_account[room.account_id] = room.account, people + room.people, is_estimate
    content = schedule.content
    messages = content.sends_text + len(content.sent_images)
    return {
        account_id: Cost(
            requests_for(
                messages,
                account.adapter_class.limits.messages_per_part,
                spaced=content.interval > 0,
            ),
            people,
            messages,
            is_estimate=is_estimate,
            is_least=counted.get(schedule.audience_id or 0, 0) > PEOPLE,
        )
        for account_id, (account, people, is_estimate) in by_account.items()
        if account.meters
    }


def coming(
    schedule: Schedule,
    after: datetime,
    until: datetime,
    exceptions: Exceptions,
    changes: Changes,
) -> Iterator[tuple[datetime, datetime | None]]:
    """The times at which it goes until then, by the function that the planner uses; each with the
    next that goes."""
    if schedule.timing_kind == Kind.NOW or schedule.timing.problems():
        return
    found = changed_occurrences(schedule.timing, after, exceptions=exceptions, changes=changes)
    near = takewhile(lambda occurrence: occurrence.due_at < until + DAY, found)
    going = (occurrence.due_at for occurrence in near if not occurrence.skipped)
    for due_at, followed_at in pairwise(chain(going, [None])):
        if due_at is None or due_at >= until:
            return
        yield due_at, followed_at


def is_guessed(room: Room) -> bool:
    """Whether nobody told how many people it has: one person is one, a group is more."""
    if room.members_count is not None or not room.account.meters:
        return False
    return room.account.adapter_class(config=None).recipient_problem(room.address) is not None


def _bearing(schedules: Sequence[Schedule]) -> Bearing:
    rooms = {room.pk: room for schedule in schedules for room in schedule.rooms.all()}
    units = {row.unit_id: row.unit for row in schedules if row.audience_id}
    return Bearing(rooms.values(), units.values())


def _people(schedule: Schedule, audience: Audience, counted: dict[int, int]) -> int:
    if audience.pk in counted:
        return counted[audience.pk]
    if schedule.expected is None:
        counted[audience.pk] = audience.count(up_to=PEOPLE + 1)
        return counted[audience.pk]
    return schedule.expected  # as it was when it was registered: a page need not read them all


def _last_end(outlooks: Iterable[Outlook]) -> datetime:
    return max(outlook.ends_at for outlook in outlooks)


def _schedules(
    account_ids: Iterable[int], until: datetime, among: QuerySet[Schedule] | None = None
) -> list[Schedule]:
    ids = list(account_ids)
    rooms = Room.objects.filter(account_id__in=ids).select_related("account")
    rows = (Schedule.objects.present() if among is None else among).filter(
        Q(rooms__account_id__in=ids) | Q(audience__account_id__in=ids),
        state=ScheduleState.ACTIVE,
        next_due_at__lt=until,
    )
    found = rows.select_related("unit", "audience__account").distinct().order_by("next_due_at")
    return list(found.prefetch_related(Prefetch("rooms", rooms), "schedule_images")[:SCHEDULES])


def _add_up(
    found: Mapping[Any, Outlook], by_key: Mapping[Any, list[Item]], schedules: Sequence[Schedule]
) -> None:
    """Add what comes to each outlook; the runs that are counted are shared among them."""
    exceptions = {country: HolidayException.table(country)
                  for country in {schedule.holiday_country for schedule in schedules}}  # fmt: skip
    known = Known(exceptions, _changes_of(schedules))
    for key, items in by_key.items():
        _go_through(found[key], items, known, OCCURRENCES // len(by_key))
        found[key].is_least |= len(schedules) == SCHEDULES


def _changes_of(schedules: Sequence[Schedule]) -> dict[int, dict[datetime, Change]]:
    times = [schedule.next_due_at for schedule in schedules if schedule.next_due_at]
    if not times:
        return {}
    return OccurrenceChange.of_all([row.pk for row in schedules], min(times) - timedelta.resolution)


def _go_through(outlook: Outlook, items: Sequence[Item], known: Known, most: int) -> None:
    """What comes, in the order of its times."""
    times = (_times(item, outlook.ends_at, known) for item in items)
    left = outlook.left
    for due_at, _place, item, followed_at in islice(merge(*times), most):
        most -= 1
        charged = charges(item.schedule, item.shares, due_at, followed_at, item.days).items()
        billed = sum(count for charge, count in charged if charge.leaves_at < outlook.ends_at)
        if item.each and not billed:
            continue  # in the next month, one too many for its day, or not at all
        item.runs += 1
        item.messages += billed
        outlook.coming += billed
        if left is not None and not outlook.runs_out_at:
            left -= billed
            outlook.runs_out_at = due_at if left < 0 else None
    outlook.is_least = not most
    counted = [item for item in items if item.messages]
    outlook.items = sorted(counted, key=lambda item: -item.messages)


def _times(
    item: Item, until: datetime, known: Known
) -> Iterator[tuple[datetime, int, Any, datetime | None]]:
    schedule = item.schedule
    assert schedule.next_due_at is not None, "only those with a next time are asked for"
    after = schedule.next_due_at - timedelta(microseconds=1)
    tables = known.exceptions[schedule.holiday_country], known.changes.get(schedule.pk, NO_CHANGES)
    # The place tells two of one time apart: an item cannot be compared.
    return ((at, schedule.pk, item, following)
            for at, following in coming(schedule, after, until, *tables))  # fmt: skip
