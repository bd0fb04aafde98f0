"""What a backup holds: its last part, so that all before it can be written as it is read."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

FORMAT = 1


@dataclass
class Part:
    """A file within the backup."""

    sha256: str
    size: int


@dataclass
class Manifest:
    """Read before anything is put back."""

    created_at: str
    engine: str
    migrations: list[list[str]]  # [app, name], in the order in which they were applied
    keys: list[str]  # traces of the keys that its secrets are sealed with
    tables: dict[str, int] = field(default_factory=dict)  # rows
    sequences: dict[str, int] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    format: int = FORMAT

    def as_bytes(self) -> bytes:
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def read(cls, data: bytes) -> "Manifest":
        values: dict[str, Any] = json.loads(data)
        parts = {name: Part(**part) for name, part in values.pop("parts").items()}
        return cls(**values, parts=parts)


def begin(now: str) -> Manifest:
    """Of the database in use."""
    return Manifest(now, connection.vendor, applied(), traces())


def applied() -> list[list[str]]:
    """The migrations of the database in use."""
    recorder = MigrationRecorder(connection)
    if not recorder.has_table():
        return []
    rows = recorder.migration_qs.order_by("id").values_list("app", "name")
    return [list(row) for row in rows]


def traces() -> list[str]:
    """Tell whether a key is the same, and nothing else of it."""
    return [hashlib.sha256(b"backup" + key).hexdigest()[:12] for key in map(_bytes, _keys())]


def _keys() -> list[Any]:
    return list(settings.TEIJI_SECRET_KEYS)


def _bytes(key: Any) -> bytes:
    return key if isinstance(key, bytes) else str(key).encode()
