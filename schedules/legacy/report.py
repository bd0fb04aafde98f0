"""What an import took, and what it did not, and why."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

NAMED = 8  # ids that a line names


@dataclass(frozen=True)
class Finding:
    """Something a person must know about one row."""

    table: str
    row: str
    column: str
    why: str
    place: str = ""  # of a file: “line 12”


@dataclass
class Report:
    """Counts by table and outcome, and the findings."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    not_taken: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    rooms_added: int = 0
    images_stored: int = 0

    def count(self, table: str, outcome: str, by: int = 1) -> None:
        """One more of “taken”, “known”, “changed”, “not taken” or “without a time”."""
        self.counts[table][outcome] += by

    def refuse(self, finding: Finding) -> None:
        """A row that was not taken."""
        self.count(finding.table, "not taken")
        self.not_taken.append(finding)

    def as_json(self) -> dict[str, Any]:
        """Everything, row by row."""
        return {
            "tables": {table: dict(counts) for table, counts in self.counts.items()},
            "rooms_added": self.rooms_added,
            "images_stored": self.images_stored,
            "not_taken": [asdict(finding) for finding in self.not_taken],
            "notes": [asdict(finding) for finding in self.notes],
        }

    def lines(self) -> Iterator[str]:
        """For a person: the counts, then what was found, what is alike in one line."""
        for table, counts in self.counts.items():
            listed = ", ".join(f"{counts[name]} {name}" for name in counts)
            yield f"{table}: {listed or 'nothing'}."
        yield f"Rooms added: {self.rooms_added}; images stored: {self.images_stored}."
        yield from _grouped("Not taken:", self.not_taken)
        yield from _grouped("To look at:", self.notes)


def _grouped(title: str, findings: list[Finding]) -> Iterator[str]:
    alike: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        alike[finding.table, finding.column, finding.why].append(finding)
    if alike:
        yield f"\n{title}"
    for (table, column, why), rows in alike.items():
        named = ", ".join(_named(row) for row in rows[:NAMED])
        more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
        yield f"  {table} {named}{more}: {f'{column}: ' if column else ''}{why}."


def _named(finding: Finding) -> str:
    return f"{finding.row or '?'} ({finding.place})" if finding.place else finding.row or "?"
