"""Facts: the one door through which others are told what happened. Nothing is told here."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.models.fact import Fact, FactKind
from orgs.bulk import insert

KEPT = timedelta(days=30)


def note(
    kind: FactKind, unit_path: str, data: dict[str, Any], now: datetime, *, owner: int | None = None
) -> None:
    """To be called in the transaction in which it happened: then both are written, or neither."""
    note_all([Fact(kind=kind, unit_path=unit_path, data=data, at=now, owner_id=owner)])


def note_all(facts: Iterable[Fact]) -> None:
    insert(list(facts))


def written(at: datetime | None) -> str | None:
    """A moment as facts and bodies have it: in UTC, with milliseconds."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def forget_old(now: datetime) -> int:
    """Remove those that are no longer kept, with the log of whom they were told. Returns how many
    rows went."""
    return Fact.objects.filter(at__lt=now - KEPT).delete()[0]
