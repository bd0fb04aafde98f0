"""The tree as a whole: who changes its shape, one at a time."""

from django.db import connection

SHAPE = 3  # the first number of an advisory lock: 1 and 2 are those of schedules.actions.locked


def hold_tree() -> None:
    """Until the transaction ends nobody else plants or moves a unit. It is not rows that are held:
    who sends must not wait for that."""
    if connection.vendor != "postgresql":
        return  # SQLite has one write lock, and the transaction has taken it
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [SHAPE])
