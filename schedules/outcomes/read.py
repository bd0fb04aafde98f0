"""Reads what became of the deliveries within a person's reach, up to this moment."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet, Sum

from orgs.reach import member_of, within
from schedules.models import Delivery, QuarterCount, QuartersCounted, Recount
from schedules.outcomes.counts import QUARTER, Counts, counted
from schedules.outcomes.keep import EVERYWHERE

READ_AGAIN = 5  # times at most, when a worker counts while it is read
CHANGED = 20  # quarters that are read from their deliveries until they are counted again
NAMES = ("sent", "failed", "unconfirmed", "skipped")


class Sort(NamedTuple):
    """By what the counts of a span are broken down."""

    channel: str
    kind: str
    strategy: str


@dataclass
class Found:
    """Counts by quarter since `earlier`, and by sort since `since`."""

    quarters: dict[datetime, Counts] = field(default_factory=lambda: defaultdict(Counts))
    sorts: dict[Sort, Counts] = field(default_factory=lambda: defaultdict(Counts))


def found_since(user: Any, since: datetime, earlier: datetime) -> Found:
    """Both as they were at one moment: read again if a worker has counted in between."""
    for _number in range(READ_AGAIN):
        before = QuartersCounted.objects.first()
        found = _read(user, before, since, earlier)
        after = QuartersCounted.objects.first()
        if _turn(before) == _turn(after):
            break
    return found


def _turn(known: QuartersCounted | None) -> int:
    return known.turn if known else -1


def _read(user: Any, known: QuartersCounted | None, since: datetime, earlier: datetime) -> Found:
    until = known.until if known else earlier
    changed = _changed(earlier, until)
    found = Found()
    kept = _kept(user).filter(at__gte=earlier, at__lt=until).exclude(at__in=changed)
    for at, *numbers in _summed(kept, "at"):
        found.quarters[at].add(Counts(*numbers))
    for channel, kind, strategy, *numbers in _summed(kept.filter(at__gte=since), *Sort._fields):
        found.sorts[Sort(channel, kind, strategy)].add(Counts(*numbers))
    fresh = _fresh(max(until, earlier), changed)
    for cell, counts in counted(within(user, Delivery.objects.filter(fresh))).items():
        found.quarters[cell.at].add(counts)
        if cell.at >= since:
            found.sorts[Sort(cell.channel, cell.kind, cell.strategy)].add(counts)
    return found


def _kept(user: Any) -> QuerySet[QuarterCount]:
    """The rows of all that the reader reaches."""
    member = None if user.is_superuser else member_of(user)
    path = member.unit.path if member else EVERYWHERE
    return within(user, QuarterCount.objects.filter(unit_path=path))


def _summed(rows: QuerySet[QuarterCount], *by: str) -> Iterable[tuple[Any, ...]]:
    totals = {f"{name}_sum": Sum(name) for name in NAMES}
    return rows.order_by().values_list(*by).annotate(**totals)


def _changed(earlier: datetime, until: datetime) -> list[datetime]:
    rows = Recount.objects.filter(at__gte=earlier, at__lt=until)
    return list(rows.order_by("-at").values_list("at", flat=True).distinct()[:CHANGED])


def _fresh(until: datetime, changed: list[datetime]) -> Q:
    """What the kept counts do not hold."""
    found = Q(due_at__gte=until)
    for at in changed:
        found |= Q(due_at__gte=at, due_at__lt=at + QUARTER)
    return found
