"""What a seal holds of an entry."""

import json
from datetime import UTC
from hashlib import sha256
from typing import Any

# Their order is part of the digest. A column that is added later must leave the digests of older
# entries as they are.
COLUMNS = ("id", "at", "actor_id", "actor", "via", "address", "verb", "kind", "object_id",
           "object_name", "unit_path", "changes", "request")  # fmt: skip

Entry = tuple[Any, ...]  # the values of COLUMNS, as the database gives them


def digest_of(previous: str, entry: Entry) -> str:
    """SHA-256, in hex, of the digest before and of this entry."""
    pk, at, *others = entry if entry[-1] else entry[:-1]  # older entries know of no request
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    # ASCII and sorted: jsonb and SQLite's text give the names of `changes` in other orders.
    text = json.dumps([previous, pk, moment, *others], sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
