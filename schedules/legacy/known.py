"""Which rows were taken before, by their ids there."""

import hashlib
from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid5

from schedules.models import LegacyRow

NAMESPACE = UUID("0f7e0d0e-6f0b-4a0e-9a40-6d0a3c1f5b27")
HELD = 500  # ids that one question names


def digest_of(row: Any) -> str:
    """The same as long as the row says the same, from whichever source it was read."""
    return hashlib.sha256(repr(row).encode()).hexdigest()


def uid_of(source: str, table: str, legacy_id: str) -> UUID:
    """The schedule's own id: the same at every import, also into another database."""
    return uuid5(NAMESPACE, f"{source}|{table}|{legacy_id}")


def known(source: str, table: str, ids: Collection[str]) -> dict[str, LegacyRow]:
    """Those of these rows that were taken."""
    asked = sorted(ids)
    mine = LegacyRow.objects.filter(source=source, table=table)
    pieces = (asked[start : start + HELD] for start in range(0, len(asked), HELD))
    return {row.legacy_id: row for piece in pieces for row in mine.filter(legacy_id__in=piece)}
