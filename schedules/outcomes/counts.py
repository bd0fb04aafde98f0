"""Counts of finished deliveries, straight from their rows."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncMinute

from schedules.models import Delivery
from schedules.models.quarter import Strategy
from schedules.states import OUTCOMES

QUARTER = timedelta(minutes=15)
OUTCOME_OF = {state: name for name, states in OUTCOMES.items() for state in states}


@dataclass
class Counts:
    """How many deliveries came to what."""

    sent: int = 0
    failed: int = 0
    unconfirmed: int = 0
    skipped: int = 0

    def add(self, other: "Counts") -> None:
        self.sent += other.sent
        self.failed += other.failed
        self.unconfirmed += other.unconfirmed
        self.skipped += other.skipped

    @property
    def tried(self) -> int:
        """What was skipped was not."""
        return self.sent + self.failed + self.unconfirmed

    @property
    def total(self) -> int:
        return self.tried + self.skipped

    @property
    def success(self) -> float | None:
        """The share of what was tried that was sent; None where nothing was."""
        return self.sent / self.tried if self.tried else None


class Cell(NamedTuple):
    """What is told apart."""

    unit_path: str
    at: datetime
    channel: str
    kind: str
    strategy: str


def quarter_of(at: datetime) -> datetime:
    """When the quarter of an hour began in which this moment lies."""
    at = at.astimezone(UTC)
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


def counted(rows: QuerySet[Delivery]) -> dict[Cell, Counts]:
    """Of these deliveries those that are finished and no tests, in the cells of their own unit."""
    finished = rows.filter(state__in=OUTCOME_OF, is_test=False).order_by()
    minutes = finished.annotate(minute=TruncMinute("due_at", tzinfo=UTC))
    names = ("unit_path", "minute", "channel", "run__kind", "state")
    found: dict[Cell, Counter[str]] = defaultdict(Counter)
    for path, minute, channel, kind, state, number in minutes.values_list(*names).annotate(
        Count("pk")
    ):
        cell = Cell(path, quarter_of(minute), channel, kind, Strategy.IMMEDIATE.value)
        found[cell][OUTCOME_OF[state]] += number
    return {cell: Counts(**numbers) for cell, numbers in found.items()}


def sums(pairs: Iterable[tuple[Any, Counts]]) -> dict[Any, Counts]:
    """By their keys."""
    found: dict[Any, Counts] = defaultdict(Counts)
    for key, counts in pairs:
        found[key].add(counts)
    return dict(found)
