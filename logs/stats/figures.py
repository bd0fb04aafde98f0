"""Counts of lateness, and what is read from them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Any

from logs.stats.lateness import PROMISE, bucket_of

WORST_KEPT = 10

# Lateness in milliseconds and the id of the attempt: of equals, the latest is the worse.
Late = tuple[int, int]


@dataclass
class Figures:
    """How late some deliveries were. An early one counts as early, and as late by nothing."""

    count: int = 0
    early: int = 0
    total_ms: int = 0
    counts: dict[int, int] = field(default_factory=dict)  # upper edge of a bucket → deliveries
    worst: list[Late] = field(default_factory=list)  # the worst first

    def add(self, milliseconds: int, attempt_id: int) -> None:
        """Count one delivery."""
        late = max(milliseconds, 0)
        edge = bucket_of(late)
        self.count += 1
        self.early += milliseconds < 0
        self.total_ms += late
        self.counts[edge] = self.counts.get(edge, 0) + 1
        if len(self.worst) < WORST_KEPT or (late, attempt_id) > self.worst[-1]:
            self.worst = nlargest(WORST_KEPT, [*self.worst, (late, attempt_id)])

    def merge(self, other: "Figures") -> None:
        """Count all that the other has counted."""
        self.count += other.count
        self.early += other.early
        self.total_ms += other.total_ms
        for edge, number in other.counts.items():
            self.counts[edge] = self.counts.get(edge, 0) + number
        self.worst = nlargest(WORST_KEPT, [*self.worst, *other.worst])

    def take_away(self, part: "Figures") -> None:
        """Count no more what this part of it has counted. Of the worst those stay that are none of
        the part's; where none is left, the bucket of the latest stands for them."""
        self.count = max(self.count - part.count, 0)
        self.early = max(self.early - part.early, 0)
        self.total_ms = max(self.total_ms - part.total_ms, 0)
        left = {edge: number - part.counts.get(edge, 0) for edge, number in self.counts.items()}
        self.counts = {edge: number for edge, number in left.items() if number > 0}
        self.worst = [late for late in self.worst if late not in part.worst]
        if self.counts and not self.worst:
            self.worst = [(max(self.counts), 0)]

    @property
    def p50(self) -> int | None:
        return self.quantile(50)

    @property
    def p99(self) -> int | None:
        return self.quantile(99)

    @property
    def worst_ms(self) -> int | None:
        """Exact, unlike the quantiles."""
        return self.worst[0][0] if self.worst else None

    def quantile(self, percent: int) -> int | None:
        """The lateness in milliseconds that so many percent did not exceed, at most 2 % too
        high and never too low; None where nothing was counted."""
        wanted, seen = -(-percent * self.count // 100), 0
        for edge in sorted(self.counts):
            seen += self.counts[edge]
            if seen >= wanted:
                return min(edge, self.worst[0][0])
        return None

    @property
    def keeps_p50(self) -> bool:
        return (self.p50 or 0) <= PROMISE.p50

    @property
    def keeps_p99(self) -> bool:
        return (self.p99 or 0) <= PROMISE.p99

    @property
    def keeps_never_early(self) -> bool:
        return not self.early

    def up_to(self, milliseconds: int) -> int:
        """How many were at most so late; exact for 1, 2 and 5 of every power of ten."""
        return sum(number for edge, number in self.counts.items() if edge <= milliseconds)

    def stored(self) -> dict[str, Any]:
        """As columns, or inside JSON."""
        return {
            "count": self.count,
            "early": self.early,
            "total_ms": self.total_ms,
            "counts": {str(edge): number for edge, number in sorted(self.counts.items())},
            "worst": [list(late) for late in self.worst],
        }


def read_back(values: Mapping[str, Any]) -> Figures:
    """The figures that `stored` gave."""
    return Figures(
        count=values["count"],
        early=values["early"],
        total_ms=values["total_ms"],
        counts={int(edge): number for edge, number in values["counts"].items()},
        worst=[(late, attempt_id) for late, attempt_id in values["worst"]],
    )


def sum_of(parts: Iterable[Figures]) -> Figures:
    """All of them together."""
    total = Figures()
    for part in parts:
        total.merge(part)
    return total
