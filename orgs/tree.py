"""The tree as a whole: who changes its shape, one at a time."""

from collections.abc import Iterable

from django.db import connection

from orgs.models import Move
from orgs.reach import covers

SHAPE = 3  # the first number of an advisory lock: 1 and 2 are those of schedules.actions.locked


def hold_tree() -> None:
    """Until the transaction ends nobody else plants or moves a unit. It is not rows that are held:
    who sends must not wait for that."""
    if connection.vendor != "postgresql":
        return  # SQLite has one write lock, and the transaction has taken it
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [SHAPE])


def present_paths(paths: Iterable[str]) -> dict[str, str]:
    """Where what once stood at each of these paths stands now. One query."""
    moves = list(Move.objects.order_by("id").values_list("old_path", "new_path"))
    found = {}
    for path in set(paths):
        found[path] = path
        for old, new in moves:  # in their order: a path is given once, and left once
            if covers(old, found[path]):
                found[path] = new + found[path][len(old) :]
    return found
