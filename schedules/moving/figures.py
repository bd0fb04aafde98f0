"""What the units above have counted of a unit that moves."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import connection
from django.db.models import Max

from logs.stats import carry as logged
from orgs.models import Unit
from schedules.archive.months import following, start_of
from schedules.models import ArchivedMonth, QuarterCount, QuartersCounted

TABLE = QuarterCount._meta.db_table
NUMBERS = ("sent", "failed", "unconfirmed", "skipped")
SORTS = ("at", "channel", "kind", "strategy")
ADD = (
    f"INSERT INTO {TABLE} AS own (unit_path, {', '.join((*SORTS, *NUMBERS))})"  # noqa: S608
    f" SELECT %s, {', '.join((*SORTS, *NUMBERS))} FROM {TABLE} WHERE unit_path = %s"
    f" ON CONFLICT (unit_path, {', '.join(SORTS)}) DO UPDATE SET "
    + ", ".join(f"{name} = own.{name} + excluded.{name}" for name in NUMBERS)
)
TAKE = (
    f"UPDATE {TABLE} SET "  # noqa: S608
    + ", ".join(
        f"{name} = CASE WHEN {TABLE}.{name} > part.{name} THEN {TABLE}.{name} - part.{name}"
        " ELSE 0 END"
        for name in NUMBERS
    )
    + f" FROM {TABLE} AS part WHERE part.unit_path = %s AND {TABLE}.unit_path = %s AND "
    + " AND ".join(f"part.{name} = {TABLE}.{name}" for name in SORTS)
)


def carry(unit: Unit, *, lost: Iterable[Unit], gained: Iterable[Unit]) -> None:
    """In the transaction of the move, before any path has changed."""
    lost, gained = list(lost), list(gained)
    logged.carry(unit, lost=lost, gained=gained, log_begins=_log_begins())
    known = QuartersCounted.objects.select_for_update().first()
    if known is None:
        return
    known.turn += 1  # who reads figures at this moment reads them again
    known.save(update_fields=["turn"])
    with connection.cursor() as cursor:
        cursor.executemany(TAKE, [(unit.path, above.path) for above in lost])
        cursor.executemany(ADD, [(above.path, unit.path) for above in gained])
    empty = dict.fromkeys(NUMBERS, 0)
    QuarterCount.objects.filter(unit_path__in=[above.path for above in lost], **empty).delete()


def _log_begins() -> datetime:
    """The moment from which on nothing was archived."""
    archived = ArchivedMonth.objects.filter(bytes__gt=0).aggregate(last=Max("month"))["last"]
    return start_of(following(archived)) if archived else datetime(1970, 1, 1, tzinfo=UTC)
