"""What every source gives: rows as text."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


class Unusable(ValueError):  # noqa: N818  (it names what the person gave, not a fault of ours)
    """A source that cannot be read; its text says where and what to do."""


@dataclass(frozen=True)
class Record:
    """One row. `place` says where it stands: “line 12”; "" in a database."""

    values: dict[str, str | None]
    place: str = ""


class Source(Protocol):
    """Where rows come from. Each may be read several times."""

    def tables(self) -> set[str]:
        """The names of the tables that are there."""
        ...

    def count(self, table: str) -> int | None:
        """How many rows it has; None where that is as much work as reading them."""
        ...

    def rows(self, table: str) -> Iterator[Record]:
        """All rows, a few at a time in memory. Raises Unusable."""
        ...
