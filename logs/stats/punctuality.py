"""Reads how punctual the deliveries within a person's reach were, up to this moment."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from logs.models import Attempt, Punctuality, Tally
from logs.stats.figures import WORST_KEPT, Figures, read_back, sum_of
from logs.stats.tally import EVERYWHERE, Counted, counted, uncounted, zone_at
from orgs.reach import member_of, within

DAYS = 30
READ_AGAIN = 5  # times at most, when a worker counts while it is read


@dataclass(frozen=True)
class Report:
    """The last days of all that one person reaches, the first of them first."""

    zone: str
    days: dict[date, Figures]
    channels: dict[str, Figures]

    @property
    def today(self) -> Figures:
        return self.days[max(self.days)]

    @property
    def total(self) -> Figures:
        return sum_of(self.channels.values())


def report(user: Any, now: datetime) -> Report:
    """The last 30 days, today included, in the zone of the person's unit."""
    member = None if user.is_superuser else member_of(user)
    path, zone = (member.unit.path, member.unit.zone) if member else (EVERYWHERE, zone_at(None))
    today = now.astimezone(ZoneInfo(zone)).date()
    first = today - timedelta(days=DAYS - 1)
    stored = within(user, Punctuality.objects.filter(unit_path=path, day__gte=first))
    days = {first + timedelta(days=number): Figures() for number in range(DAYS)}
    channels: dict[str, Figures] = defaultdict(Figures)
    for (day, channel), figures in _read(user, stored, ZoneInfo(zone)).items():
        if day in days:
            days[day].merge(figures)
            channels[channel].merge(figures)
    return Report(zone, days, dict(sorted(channels.items())))


def worst_of(user: Any, figures: Figures) -> list[Attempt]:
    """The attempts of the deliveries that were latest, the worst first."""
    ids = [attempt_id for late, attempt_id in figures.worst[:WORST_KEPT] if late]
    rows = within(user, Attempt.objects.filter(id__in=ids)).in_bulk()
    return [rows[attempt_id] for attempt_id in ids if attempt_id in rows]


def since_ever() -> dict[str, Figures]:
    """By channel, over all units: sums that only grow. For machines that watch, not for people."""
    tally = Tally.objects.first()
    found: dict[str, Figures] = defaultdict(Figures)
    for channel, values in (tally.since_ever if tally else {}).items():
        found[channel] = read_back(values)
    for row in counted(uncounted(tally)):
        found[row.channel].add(row.lateness_ms, row.id)
    return dict(sorted(found.items()))


def _read(
    user: Any, stored: QuerySet[Punctuality], zone: ZoneInfo
) -> dict[tuple[date, str], Figures]:
    """What is counted, and what is not yet, by day and channel."""
    found: dict[tuple[date, str], Figures] = defaultdict(Figures)
    rows, fresh = _as_one(user, stored)
    for values in rows:
        found[values["day"], values["channel"]].merge(read_back(values))
    for row in fresh:
        day = row.due_at.astimezone(zone).date()
        found[day, row.channel].add(row.lateness_ms, row.id)
    return found


def _as_one(
    user: Any, stored: QuerySet[Punctuality]
) -> tuple[Sequence[Mapping[str, Any]], list[Counted]]:
    """Both as they were at one moment: read again if a worker has counted in between."""
    for _number in range(READ_AGAIN):
        before = Tally.objects.first()
        rows, fresh = list(stored.values()), counted(within(user, uncounted(before)))
        after = Tally.objects.first()
        if _counted_id(before) == _counted_id(after):
            break
    return rows, fresh


def _counted_id(tally: Tally | None) -> int:
    return tally.counted_id if tally else 0
