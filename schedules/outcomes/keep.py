"""Keeps the counts of quarters: each is counted once it is over, and again when something in it
has changed since. However many workers do it, a quarter's counts are those of its deliveries."""

from collections.abc import Collection, Iterable
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Min

from orgs.bulk import insert
from orgs.reach import lineage
from schedules.models import ArchivedRun, Delivery, QuarterCount, QuartersCounted, Recount
from schedules.outcomes.counts import QUARTER, Cell, Counts, counted, quarter_of, sums

OPEN_FOR = timedelta(minutes=15)  # after its end, while most of a quarter's deliveries end
# So long before it may be counted, changes are noted: no transaction lasts so long.
NOTED_BEFORE = timedelta(minutes=5)
ROWS_A_TURN = 20_000  # deliveries, or little more than that
QUARTERS_A_TURN = 200
AGAIN_EVERY = timedelta(seconds=10)  # what was counted is not counted again at each change
AGAIN_A_TURN = 10  # quarters
EVERYWHERE = ""  # the path of the rows that count all units


def note_changes(due_times: Iterable[datetime], now: datetime) -> None:
    """Deliveries with these appointed times have changed. In the transaction of the change, or
    after it."""
    quarters = {quarter_of(due_at) for due_at in due_times if _may_be_counted(due_at, now)}
    insert([Recount(at=at) for at in sorted(quarters)])


def keep_up(now: datetime) -> int:
    """Count what is over and not counted yet, and what has changed, so much a turn. Returns how
    many quarters."""
    known = QuartersCounted.objects.annotate(has_changes=Exists(Recount.objects.all())).first()
    if known is None:
        QuartersCounted.objects.get_or_create(
            pk=1, defaults={"until": _first(now), "turned_at": now}
        )
        return 0
    is_due = known.has_changes and abs(now - known.turned_at) >= AGAIN_EVERY
    return _take_turn(now) if is_due or known.until != _closed(now) else 0


def _may_be_counted(due_at: datetime, now: datetime) -> bool:
    return quarter_of(due_at) < _closed(now + NOTED_BEFORE)


def _closed(now: datetime) -> datetime:
    """The quarters before this one are over for long enough."""
    return quarter_of(now - OPEN_FOR)


def _first(now: datetime) -> datetime:
    first = Delivery.objects.aggregate(at=Min("due_at"))["at"]
    return min(quarter_of(first), _closed(now)) if first else _closed(now)


@transaction.atomic
def _take_turn(now: datetime) -> int:
    """One worker at a time; who finds it locked leaves it to the other."""
    known = QuartersCounted.objects.select_for_update(skip_locked=True).first()
    if known is None:
        return 0
    closed = _closed(now)
    if known.until > closed:  # the clock was put back: what lies ahead is open again
        QuarterCount.objects.filter(at__gte=closed).delete()
        known.until = closed
    turned, rows = _count_changed(known.until), 0
    while known.until < closed and rows < ROWS_A_TURN and turned < QUARTERS_A_TURN:
        at = _next(known.until, closed)
        if at < closed:
            rows, turned = rows + _count(at), turned + 1
        known.until = min(at + QUARTER, closed)
    known.turn, known.turned_at = known.turn + 1, now
    known.save()
    return turned


def _next(until: datetime, closed: datetime) -> datetime:
    """The next quarter with a delivery; in between may lie months."""
    rows = Delivery.objects.filter(due_at__gte=until, due_at__lt=closed)
    first = rows.aggregate(at=Min("due_at"))["at"]
    return quarter_of(first) if first else closed


def _count_changed(until: datetime) -> int:
    changes = list(Recount.objects.order_by("id")[:1000].values_list("id", "at"))
    quarters = sorted({at for _pk, at in changes}, reverse=True)[:AGAIN_A_TURN]
    for at in quarters:
        # What is archived can no longer be counted: the figures stay what they were by then.
        if at < until and not _is_archived(at):
            _count(at)
    Recount.objects.filter(pk__in=[pk for pk, at in changes if at in quarters]).delete()
    return len(quarters)


def _is_archived(at: datetime) -> bool:
    return ArchivedRun.objects.filter(due_at__gte=at, due_at__lt=at + QUARTER).exists()


def _count(at: datetime) -> int:
    """All units of this quarter anew; returns how many deliveries."""
    found = counted(Delivery.objects.filter(due_at__gte=at, due_at__lt=at + QUARTER))
    QuarterCount.objects.filter(at=at).delete()
    insert([QuarterCount(**cell._asdict(), **asdict(c)) for cell, c in _with_above(found)])
    return sum(counts.total for counts in found.values())


def _with_above(found: dict[Cell, Counts]) -> Collection[tuple[Cell, Counts]]:
    """Each in its unit, in every unit above it, and in the whole."""
    return sums(
        (cell._replace(unit_path=path), counts)
        for cell, counts in found.items()
        for path in (EVERYWHERE, *lineage(cell.unit_path))
    ).items()
