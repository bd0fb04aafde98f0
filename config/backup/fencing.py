"""The fence in a database that was put back: in plain SQL, since its tables may be of an earlier
version. History and log follow when they have been migrated."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from schedules.models import Installation
from schedules.models.installation import ONLY, YOUNG

TABLE = Installation._meta.db_table
# Also where no worker had looked when the backup was made: others may have sent from it since.
MADE = (
    f"INSERT INTO {TABLE} (id, uid, place, generation, reason, detail, lifted_by)"  # noqa: S608
    " VALUES (%s, %s, '{}', %s, '', '', '') ON CONFLICT DO NOTHING"
)
FENCED = f"UPDATE {TABLE} SET fenced_at = %s, reason = %s, detail = %s WHERE fenced_at IS NULL"  # noqa: S608


def put_up(
    execute: Callable[[str, Sequence[Any]], Any], now: datetime, detail: str, mark: str = "%s"
) -> None:
    """`execute` takes SQL with such marks for its values."""
    execute(MADE.replace("%s", mark), [ONLY, uuid4().hex, YOUNG + 1])
    stamp = now.strftime("%Y-%m-%d %H:%M:%S.%f+00:00")
    execute(FENCED.replace("%s", mark), [stamp, Installation.Reason.RESTORED, detail])
