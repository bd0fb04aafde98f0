"""Shares: which due deliveries come next, so that no account waits behind another's thousands.

Planned deliveries stand in queues, one for each account and priority. The index
`deliveries_to_claim` has them in that order, and its first row of a queue is the queue's
soonest: the queues are found by one probe each, however long they are.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models

from schedules.dispatch.frozen import Frozen
from schedules.models import Delivery

TABLE = Delivery._meta.db_table
NOTHING_FROZEN = Frozen()

QUEUES = f"""
    WITH RECURSIVE queue(account_id, priority, soonest) AS (
        SELECT account_id, priority, next_try_at FROM {TABLE} WHERE id = (
            SELECT id FROM {TABLE} WHERE state = 'planned'
            ORDER BY account_id, priority, next_try_at, id LIMIT 1)
        UNION ALL
        SELECT d.account_id, d.priority, d.next_try_at FROM queue, {TABLE} d WHERE d.id = (
            SELECT n.id FROM {TABLE} n WHERE n.state = 'planned'
            AND (n.account_id, n.priority) > (queue.account_id, queue.priority)
            ORDER BY n.account_id, n.priority, n.next_try_at, n.id LIMIT 1)
    ), waiting AS (SELECT account_id, priority FROM queue WHERE soonest <= %s
"""  # noqa: S608  (the table's name is our own)

# PostgreSQL passes over what another worker is just taking, without waiting for it.
LOCKED_SHARES = f"""
    ) SELECT due.id FROM share CROSS JOIN LATERAL (
        SELECT id, account_id, priority, next_try_at FROM {TABLE} d
        WHERE d.state = 'planned' AND d.account_id = share.account_id
        AND d.priority = share.priority AND d.next_try_at <= %s {{frozen}}
        ORDER BY d.next_try_at, d.id LIMIT share.size FOR UPDATE SKIP LOCKED) due
"""  # noqa: S608

# SQLite has one writer at a time, and no LATERAL.
SHARES = f"""
    ) SELECT due.id FROM share JOIN {TABLE} due ON due.id IN (
        SELECT d.id FROM {TABLE} d
        WHERE d.state = 'planned' AND d.account_id = share.account_id
        AND d.priority = share.priority AND d.next_try_at <= %s {{frozen}}
        ORDER BY d.next_try_at, d.id LIMIT (SELECT size FROM share LIMIT 1))
"""  # noqa: S608

IN_TURN = """
    ORDER BY row_number() OVER (
        PARTITION BY due.account_id ORDER BY due.priority DESC, due.next_try_at, due.id),
    due.next_try_at, due.id LIMIT %s
"""


def next_due(
    until: datetime,
    limit: int,
    *,
    full: Sequence[int] = (),
    frozen: Frozen = NOTHING_FROZEN,
    missed: datetime | None = None,
) -> list[int]:
    """The ids of up to `limit` deliveries due until then: of each account the same number,
    its higher priorities first. `full`: accounts that are passed over; so is what is `frozen`,
    but for what was due before `missed`. Locks what it returns; inside a transaction."""
    moment = _stored(until)
    held, held_values = _not_frozen(frozen, missed or until)
    passed_over = f" AND account_id NOT IN ({', '.join(['%s'] * len(full))})" if full else ""
    size = (
        "), share AS (SELECT account_id, priority, "
        "(%s - 1) / (SELECT count(DISTINCT account_id) FROM waiting) + 1 AS size FROM waiting"
    )
    shares = LOCKED_SHARES if connection.features.has_select_for_update_skip_locked else SHARES
    statement = QUEUES + passed_over + size + shares.format(frozen=held) + IN_TURN
    with connection.cursor() as cursor:
        cursor.execute(statement, [moment, *full, limit, moment, *held_values, limit])
        return [row[0] for row in cursor.fetchall()]


def _stored(moment: datetime) -> Any:
    return models.DateTimeField().get_db_prep_value(moment, connection)


def _not_frozen(frozen: Frozen, missed: datetime) -> tuple[str, list[Any]]:
    """A condition for rows, and its values; nothing while nothing is frozen."""
    if not frozen:
        return "", []
    # Paths hold no character that LIKE would take for another.
    conditions = [
        *["d.account_id = %s"] * len(frozen.accounts),
        *["d.run_id = %s"] * len(frozen.runs),
        *["d.unit_path LIKE %s"] * len(frozen.units),
    ]
    paths = [f"{path}%" for path in frozen.units]
    values = [_stored(missed), *frozen.accounts, *frozen.runs, *paths]
    return f"AND (d.next_try_at < %s OR NOT ({' OR '.join(conditions)}))", values
