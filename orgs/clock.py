"""The one clock: the database's, so that every process agrees on what "now" is."""

from datetime import UTC, datetime

from django.db import connection


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
