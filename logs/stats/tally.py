"""Counts the attempts into the days of their units, each once, however many workers do it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import get_default_timezone_name

from logs.models import Attempt, Punctuality, Tally
from logs.stats.billing import count_billed
from logs.stats.figures import Figures, read_back
from orgs.models import Unit
from orgs.reach import lineage

ROWS_A_TURN = 1000
SETTLED_AFTER = timedelta(seconds=60)  # no transaction that writes attempts lasts so long
EVERYWHERE = ""  # the path of the rows that count all units


class Counted(NamedTuple):
    """What of an attempt is counted."""

    id: int
    due_at: datetime
    unit_path: str
    channel: str
    lateness_ms: int


class Cell(NamedTuple):
    """Which row of Punctuality."""

    unit_path: str
    day: date
    channel: str


def roll_up(now: datetime) -> int:
    """Count what is settled and not counted yet, so much a turn; returns how many attempts."""
    tally = Tally.objects.only("counted_id", "seen_at").first()
    if tally is None:
        Tally.objects.get_or_create(pk=1, defaults={"seen_id": _last_id(), "seen_at": now})
    elif _is_ripe(tally, now):
        return _take_turn(now)
    return 0


def uncounted(tally: Tally | None) -> QuerySet[Attempt]:
    """The attempts with a lateness that the tally does not hold yet."""
    rows = Attempt.objects.filter(id__gt=tally.counted_id if tally else 0)
    return rows.filter(lateness_ms__isnull=False)


def counted(attempts: QuerySet[Attempt]) -> list[Counted]:
    """What of these is counted."""
    return [Counted(*row) for row in attempts.values_list(*Counted._fields)]


def zone_at(unit_zone: str | None) -> str:
    """The zone whose days are counted: the unit's, or for all units the installation's."""
    return unit_zone or get_default_timezone_name()


def _is_ripe(tally: Tally, now: datetime) -> bool:
    return abs(now - tally.seen_at) >= SETTLED_AFTER


@transaction.atomic
def _take_turn(now: datetime) -> int:
    """One worker at a time; who finds it locked leaves it to the other."""
    tally = Tally.objects.select_for_update(skip_locked=True).first()
    if tally is None or not _is_ripe(tally, now):
        return 0
    if tally.seen_at > now:
        tally.seen_at = now  # the clock was put back: wait anew
        tally.save()
        return 0
    settled = uncounted(tally).filter(id__lte=tally.seen_id).order_by("id")
    rows = counted(settled[:ROWS_A_TURN])
    _write(_by_cell(rows))
    _add_since_ever(tally, rows)
    is_done = len(rows) < ROWS_A_TURN
    before, tally.counted_id = tally.counted_id, tally.seen_id if is_done else rows[-1].id
    count_billed(before, tally.counted_id)
    if is_done:
        tally.seen_id, tally.seen_at = max(tally.seen_id, _last_id()), now
    tally.save()
    return len(rows)


def _by_cell(rows: Iterable[Counted]) -> dict[Cell, Figures]:
    """Each attempt in its unit, in every unit above it, and in the whole."""
    rows = list(rows)
    above = {path: [EVERYWHERE, *lineage(path)] for path in {row.unit_path for row in rows}}
    units = Unit.objects.filter(path__in={path for paths in above.values() for path in paths})
    zones = {path: ZoneInfo(zone) for path, zone in units.values_list("path", "zone")}
    default = ZoneInfo(zone_at(None))
    found: dict[Cell, Figures] = defaultdict(Figures)
    for row in rows:
        for path in above[row.unit_path]:
            day = row.due_at.astimezone(zones.get(path, default)).date()
            found[Cell(path, day, row.channel)].add(row.lateness_ms, row.id)
    return found


def _write(added: dict[Cell, Figures]) -> None:
    paths, days = {cell.unit_path for cell in added}, {cell.day for cell in added}
    present = Punctuality.objects.filter(unit_path__in=paths, day__in=days)
    for values in present.values():
        cell = Cell(values["unit_path"], values["day"], values["channel"])
        if cell in added:
            added[cell].merge(read_back(values))
    # The sums as they now are, not what is added: nobody else writes while the tally is locked.
    Punctuality.objects.bulk_create(
        [Punctuality(**cell._asdict(), **figures.stored()) for cell, figures in added.items()],
        update_conflicts=True,
        unique_fields=list(Cell._fields),
        update_fields=["count", "early", "total_ms", "counts", "worst"],
        batch_size=500,
    )


def _add_since_ever(tally: Tally, rows: Iterable[Counted]) -> None:
    added: dict[str, Figures] = defaultdict(Figures)
    for row in rows:
        added[row.channel].add(row.lateness_ms, row.id)
    for channel, figures in added.items():
        if channel in tally.since_ever:
            figures.merge(read_back(tally.since_ever[channel]))
        tally.since_ever[channel] = figures.stored()


def _last_id() -> int:
    return Attempt.objects.order_by("-id").values_list("id", flat=True).first() or 0
