"""The history as a file, line by line: CSV for people, JSON for programs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, QuerySet, Subquery

from logs.admin.words import VERBS, changes_in, kinds
from logs.chain.digest import COLUMNS
from logs.models import History, Seal
from orgs.sheets import csv_lines

READ_AT_ONCE = 2_000
HEADING = ["at", "who", "through", "from", "did", "kind", "object_id", "object", "changes",
           "request", "entry", "seal", "digest"]  # fmt: skip


def as_csv(entries: QuerySet[History], zone: str) -> Iterator[str]:
    """In words, with times of this zone and their offset."""
    names = kinds()
    rows = _sealed(entries).iterator(READ_AT_ONCE)
    return csv_lines(HEADING, (_cells(entry, zone, names) for entry in rows))


def as_json(entries: QuerySet[History]) -> Iterator[str]:
    """One array, an entry a line: as stored, so that digests can be computed anew."""
    before = "["
    for values in _sealed(entries).values(*COLUMNS, "seal", "digest").iterator(READ_AT_ONCE):
        values["at"] = values["at"].astimezone(UTC).isoformat(timespec="microseconds")
        yield f"{before}\n{json.dumps(values, ensure_ascii=False)}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def _sealed(entries: QuerySet[History]) -> QuerySet[Any]:
    seal = Seal.objects.filter(entry_id=OuterRef("pk"))
    return entries.annotate(
        seal=Subquery(seal.values("number")), digest=Subquery(seal.values("digest"))
    )


def _cells(entry: Any, zone: str, names: dict[str, Any]) -> list[str]:
    at: datetime = entry.at.astimezone(ZoneInfo(zone))
    lines = (
        f"{name}: {after}" if before is None else f"{name}: {before} → {after}"
        for name, before, after in changes_in(entry, zone)
    )
    return [
        at.isoformat(sep=" ", timespec="milliseconds"),
        entry.actor or "Teiji",
        entry.via,
        entry.address,
        str(VERBS.get(entry.verb, entry.verb)),
        str(names.get(entry.kind, entry.kind)),
        entry.object_id,
        entry.object_name,
        "; ".join(lines),
        entry.request,
        str(entry.pk),
        str(entry.seal or ""),
        entry.digest or "",
    ]
