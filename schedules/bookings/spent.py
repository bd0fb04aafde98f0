"""What was spent of a month, and what is promised: from the log, and from what is still to go."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet, Sum, Value

from logs.models import Attempt
from logs.stats.billing import billed_of_units
from orgs.clock import Month
from orgs.models import Unit
from orgs.reach import covers, under
from schedules.models import Delivery
from schedules.states import OPEN_DELIVERY

STILL_TO_GO = F("billed") * (F("parts") - F("part"))


class Spent(NamedTuple):
    """Billed messages: those that were accepted, and those that are planned or on their way."""

    accepted: int = 0
    reserved: int = 0

    @property
    def total(self) -> int:
        return self.accepted + self.reserved


def by_accounts(since: Mapping[int, datetime], month: Month, now: datetime) -> dict[int, Spent]:
    """Of each account what was accepted since its moment, and what is reserved of this month."""
    if not since:
        return {}
    open_ = _open(month, now).filter(account_id__in=list(since))
    accepted = Attempt.objects.filter(_since(since), billed__gt=0, answered_at__lt=month.end)
    # One statement: a delivery that is settled meanwhile would be missed on both sides.
    sums = [_sums(open_.filter(state=state), STILL_TO_GO, 1) for state in OPEN_DELIVERY]
    rows = _sums(accepted, F("billed"), 0).union(*sums, all=True)
    found: dict[int, list[int]] = {account_id: [0, 0] for account_id in since}
    for account_id, is_open, messages in rows:
        found[account_id][is_open] += messages
    return {account_id: Spent(*sums) for account_id, sums in found.items()}


def by_units(units: Iterable[Unit], month: Month, now: datetime) -> dict[str, Spent]:
    """By path, of each unit and all under it: what was accepted of its month, and is reserved.
    The units have one zone: it is their month."""
    units = list(units)
    if not units:
        return {}
    paths = [unit.path for unit in units]
    # First what is open: a delivery that is settled meanwhile counts twice, rather than never.
    reserved: dict[str, int] = defaultdict(int)
    for state in OPEN_DELIVERY:
        rows = _open(month, now).filter(state=state)
        below = reduce(or_, (under(unit, rows) for unit in units)).order_by()
        sums = below.values_list("unit_path").annotate(messages=Sum(STILL_TO_GO))
        for path, messages in sums:
            for above in paths:
                reserved[above] += messages if covers(above, path) else 0
    accepted = billed_of_units(paths, month, ZoneInfo(units[0].zone))
    return {path: Spent(accepted.get(path, 0), reserved[path]) for path in paths}


def _open(month: Month, now: datetime) -> QuerySet[Delivery]:
    """What is still to go and billed in this month. What is late goes now."""
    rows = Delivery.objects.filter(billed__gt=0, next_try_at__lt=month.end)
    return rows.filter(next_try_at__gte=month.start) if month.start > now else rows


def _since(since: Mapping[int, datetime]) -> Q:
    condition = Q()
    for account_id, moment in since.items():
        condition |= Q(account_id=account_id, answered_at__gte=moment)
    return condition


def _sums(rows: QuerySet[Any], messages: Any, is_open: int) -> QuerySet[Any, Any]:
    kind = rows.order_by().values_list("account_id").annotate(is_open=Value(is_open))
    return kind.annotate(messages=Sum(messages))
