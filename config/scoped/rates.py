"""How many requests a token may make, counted in the database: over all web processes."""

from typing import Any

from django.db import connection
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from config.models import RequestCount
from config.scoped.holder import holder_of
from orgs.clock import database_now

MOST = 600  # a minute
SECONDS = 60


class TokenRate(BaseThrottle):
    """So many requests a minute; the request remembers what its answer has to say of it."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return True  # nobody's share: what follows refuses it
        minute, second = divmod(int(database_now().timestamp()), SECONDS)
        self.left = SECONDS - second
        count = _count(holder_of(request), minute)
        vars(request)["rate"] = {
            "RateLimit-Limit": str(MOST),
            "RateLimit-Remaining": str(max(MOST - count, 0)),
            "RateLimit-Reset": str(self.left),
            "RateLimit-Policy": f"{MOST};w={SECONDS}",
        }
        return count <= MOST

    def wait(self) -> float:
        """Seconds until the next minute: Retry-After."""
        return self.left


def _count(holder: str, minute: int) -> int:
    """Count one more request; returns how many there were in this minute."""
    table = RequestCount._meta.db_table
    # One statement: read first and written later, two would be counted as one.
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (holder, minute, count) VALUES (%s, %s, 1) "  # noqa: S608
            "ON CONFLICT (holder) DO UPDATE SET minute = excluded.minute, count = "
            f"CASE WHEN {table}.minute = excluded.minute THEN {table}.count + 1 ELSE 1 END "
            "RETURNING count",
            [holder, minute],
        )
        return int(cursor.fetchone()[0])
