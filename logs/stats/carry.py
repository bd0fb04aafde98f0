"""A unit moves: what the units above have counted of it is taken from the old ones, and given to
the new ones."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Greatest, TruncMinute

from logs.models import Attempt, Billing, Punctuality, Tally
from logs.stats.figures import Figures, read_back
from logs.stats.tally import counted
from orgs.models import Unit
from orgs.reach import under

Lateness = dict[tuple[date, str], Figures]  # by day and channel
Billed = dict[date, int]


class Share(NamedTuple):
    """What was counted of a unit and all under it, in the days of some zone."""

    lateness: Lateness
    billed: Billed


def carry(
    unit: Unit, *, lost: Iterable[Unit], gained: Iterable[Unit], log_begins: datetime
) -> None:
    """In the transaction of the move, before any path has changed. Nobody counts meanwhile.

    Days are those of the zone of each unit. In another zone they are counted anew from the log,
    which holds all from `log_begins` on; what is older goes from day to day of the same date.
    """
    tally = Tally.objects.select_for_update().first()
    until = tally.counted_id if tally else 0
    share_in = cache(lambda zone: _share(unit, zone, until, log_begins))
    for above in lost:
        _take_lateness(above.path, share_in(above.zone).lateness)
        _take_billed(above.path, share_in(above.zone).billed)
    for above in gained:
        _add_lateness(above.path, share_in(above.zone).lateness)
        _add_billed(above.path, share_in(above.zone).billed)


def _share(unit: Unit, zone: str, until: int, log_begins: datetime) -> Share:
    stored = Punctuality.objects.filter(unit_path=unit.path)
    billings = Billing.objects.filter(unit_path=unit.path)
    attempts = Attempt.objects.none()
    if zone != unit.zone:
        first = log_begins.astimezone(ZoneInfo(unit.zone)).date()
        stored, billings = stored.filter(day__lt=first), billings.filter(day__lt=first)
        attempts = under(unit, Attempt.objects.filter(id__lte=until))
    return Share(
        _lateness(stored, attempts.filter(due_at__gte=log_begins), ZoneInfo(zone)),
        _billed(billings, attempts.filter(answered_at__gte=log_begins), ZoneInfo(zone)),
    )


def _lateness(
    stored: QuerySet[Punctuality], attempts: QuerySet[Attempt], zone: ZoneInfo
) -> Lateness:
    found: Lateness = defaultdict(Figures)
    for values in stored.values():
        found[values["day"], values["channel"]].merge(read_back(values))
    for row in counted(attempts.filter(lateness_ms__isnull=False)):
        day = row.due_at.astimezone(zone).date()
        found[day, row.channel].add(row.lateness_ms, row.id)
    return found


def _billed(billings: QuerySet[Billing], attempts: QuerySet[Attempt], zone: ZoneInfo) -> Billed:
    found: Billed = defaultdict(int)
    for day, messages in billings.values_list("day", "messages"):
        found[day] += messages
    minute = TruncMinute("answered_at", tzinfo=UTC)  # no zone's day begins within one
    sums = attempts.filter(billed__gt=0).order_by().values_list(minute).annotate(Sum("billed"))
    for answered_at, messages in sums:
        found[answered_at.astimezone(zone).date()] += messages
    return found


def _take_lateness(path: str, share: Lateness) -> None:
    _write_lateness(path, share, Figures.take_away)
    Punctuality.objects.filter(unit_path=path, count=0).delete()


def _add_lateness(path: str, share: Lateness) -> None:
    _write_lateness(path, share, Figures.merge)


def _write_lateness(path: str, share: Lateness, change: Callable[[Figures, Figures], None]) -> None:
    present: Lateness = defaultdict(Figures)
    for values in Punctuality.objects.filter(
        unit_path=path, day__in={d for d, _c in share}
    ).values():
        present[values["day"], values["channel"]] = read_back(values)
    rows = []
    for (day, channel), part in share.items():
        change(present[day, channel], part)
        cell = {"unit_path": path, "day": day, "channel": channel}
        rows.append(Punctuality(**cell, **present[day, channel].stored()))
    Punctuality.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["unit_path", "day", "channel"],
        update_fields=["count", "early", "total_ms", "counts", "worst"],
        batch_size=500,
    )


def _take_billed(path: str, share: Billed) -> None:
    for day, messages in share.items():
        rows = Billing.objects.filter(unit_path=path, day=day)
        rows.update(messages=Greatest(F("messages"), messages) - messages)


def _add_billed(path: str, share: Billed) -> None:
    days = [Billing(unit_path=path, day=day, messages=0) for day in share]
    Billing.objects.bulk_create(days, ignore_conflicts=True)
    for day, messages in share.items():
        rows = Billing.objects.filter(unit_path=path, day=day)
        rows.update(messages=F("messages") + messages)
