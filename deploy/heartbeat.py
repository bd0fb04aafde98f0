"""Exits with 0 while this container's worker (`loop`), or beat (`tick`), shows signs of life.

Asks the database itself: loading Teiji for it would take seconds of every half minute.
"""

import os
import socket
import sys

import psycopg

SILENT_SECONDS = 15
LATEST = """
    SELECT max(at) > clock_timestamp() - make_interval(secs => %s)
    FROM schedules_heartbeat WHERE kind = %s AND name LIKE %s
"""


def main(kind: str) -> bool:
    """Whether the part of this kind has gone round within the last seconds."""
    name = "beat" if kind == "tick" else f"{socket.gethostname()}:%"
    with psycopg.connect(os.environ["TEIJI_DATABASE_URL"], connect_timeout=5) as database:
        row = database.execute(LATEST, (SILENT_SECONDS, kind, name)).fetchone()
    return bool(row and row[0])


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1]))
