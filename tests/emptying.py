"""How tests that commit leave their PostgreSQL empty.

TRUNCATE makes a new file for each of the eighty tables and takes a second; most of them had no
row. Those that have some are emptied by DELETE, with the triggers off: some refuse it.
"""

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql.operations import DatabaseOperations

_truncating = DatabaseOperations.sql_flush


def delete_what_there_is() -> None:
    """From now on, for every connection of this process that may switch triggers off."""
    DatabaseOperations.sql_flush = _sql_flush  # type: ignore[method-assign]


def _sql_flush(
    self: DatabaseOperations, style: Any, tables: Sequence[str], **options: Any
) -> list[str]:
    if options.get("reset_sequences") or not _is_superuser(self.connection):
        return _truncating(self, style, tables, **options)
    steps = (
        f"IF EXISTS (SELECT FROM {name}) THEN DELETE FROM {name}; END IF;"
        for name in map(self.quote_name, tables)
    )
    return [
        "SET LOCAL session_replication_role = replica",
        f"DO $$ BEGIN {' '.join(steps)} END $$",
    ]


def _is_superuser(connection: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT usesuper FROM pg_user WHERE usename = current_user")
        return cursor.fetchone() == (True,)
