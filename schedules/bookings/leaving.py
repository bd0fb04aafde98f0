"""Leaving: which messages of so many rooms leave within a time, by a probe of an index for each.

Written so that no statistics can change that: to a database that thinks that few messages are due
it seems cheaper to read all of them, and to look for the room of each among ten thousand.
"""

import json
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models

from schedules.models import Delivery

TABLE = Delivery._meta.db_table

# As the indexes one_message_per_room_and_time and held_by_rooms have it.
COUNTS = "NOT (state IN ('skipped', 'cancelled')) AND (state <> 'failed' OR part > 0)"
WITHIN = "{at} >= %s AND {at} < %s AND ({at} >= %s OR parts > 1)"
PLAIN = f"{COUNTS} AND slot_at IS NULL AND {WITHIN.format(at='due_at')}"
HELD = f"{COUNTS} AND {WITHIN.format(at='slot_at')}"

LONGEST = timedelta(hours=11)  # from the first part of a message to its last

INNER = f"SELECT id, room_id FROM {TABLE} WHERE room_id = room.id AND {{}} OFFSET 0"  # noqa: S608

# Of a room and what leaves it. PostgreSQL would pull the inner question up, but for the OFFSET.
EACH = {
    "postgresql": f"unnest(%s::bigint[]) AS room(id) CROSS JOIN LATERAL ({INNER}) AS d",
    "sqlite": f"json_each(%s) AS room CROSS JOIN {TABLE} AS d ON d.room_id = room.value AND {{}}",
}


def ids_leaving(room_ids: Collection[int], since: datetime, until: datetime) -> list[int]:
    """What leaves these rooms from `since` to before `until`, or has left, or should have; and
    what consists of several parts of which some may leave then."""
    rows = _answers(_leaving("d.id"), room_ids, (since - LONGEST, until, since))
    return [id_ for (id_,) in rows]


def counts_leaving(
    room_ids: Collection[int], since: datetime, until: datetime, *, least: int
) -> list[tuple[int, int]]:
    """By room, how many leave it within this time, where these are at least so many."""
    statement = (
        f"SELECT room_id, count(*) FROM ({_leaving('d.room_id')}) AS leaving"  # noqa: S608
        " GROUP BY room_id HAVING count(*) >= %s"
    )
    return _answers(statement, room_ids, (since, until, since), least)


def _leaving(column: str) -> str:
    plain, held = (EACH[connection.vendor].format(which) for which in (PLAIN, HELD))
    return f"SELECT {column} FROM {plain} UNION ALL SELECT {column} FROM {held}"  # noqa: S608


def _answers(
    statement: str, room_ids: Collection[int], times: Iterable[datetime], *more: Any
) -> list[Any]:
    which = [_array(room_ids), *map(_stored, times)]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*which, *which, *more])
        return list(cursor.fetchall())


def _array(ids: Collection[int]) -> Any:
    return list(ids) if connection.vendor == "postgresql" else json.dumps(list(ids))


def _stored(moment: datetime) -> Any:
    return models.DateTimeField().get_db_prep_value(moment, connection)
