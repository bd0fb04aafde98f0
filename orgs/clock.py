"""The one clock: the database's, so that every process agrees on what "now" is."""

import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection


class Month(NamedTuple):
    """A calendar month of some zone: from its first moment to that of the next, in UTC."""

    start: datetime
    end: datetime


def month_around(moment: datetime, zone: str) -> Month:
    """The month in which this moment lies in this zone."""
    first = moment.astimezone(ZoneInfo(zone)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0, fold=0
    )
    following = (first + timedelta(days=31)).replace(day=1)
    return Month(first.astimezone(UTC), following.astimezone(UTC))


def clock_offset() -> float:
    """By how many seconds this machine's clock is ahead of the database's; a round trip exact."""
    before = time.time()
    moment = database_now().timestamp()
    return (before + time.time()) / 2 - moment


def database_now() -> datetime:
    """The database server's present time, aware, UTC. One round trip on PostgreSQL.

    SQLite has no server: its clock is this machine's.
    """
    if connection.vendor != "postgresql":
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        # now() stands still inside a transaction; clock_timestamp() does not.
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment.astimezone(UTC)
