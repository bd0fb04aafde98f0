"""Exits with 0 while this container's worker (`loop`), or beat (`tick`), shows signs of life.

Loads nothing of Teiji: that would take seconds of every half minute. A worker is looked for in the
database, beat in the file that it touches (`config/beat.py`): its ticks reach the database through
broker and workers, and beat is not to be started anew because those are away.
"""

import os
import socket
import sys
import time
from pathlib import Path
from tempfile import gettempdir

import psycopg

BEAT = Path(gettempdir()) / "teiji-beat"
SILENT_SECONDS = 15
BEAT_SILENT_SECONDS = 60  # between two tries to reach its broker it waits for up to 30
LATEST = """
    SELECT max(at) > clock_timestamp() - make_interval(secs => %s)
    FROM schedules_heartbeat WHERE kind = 'loop' AND name LIKE %s
"""


def main(kind: str) -> bool:
    """Whether the part of this kind has gone round within the last seconds."""
    return beat_goes_round() if kind == "tick" else worker_goes_round()


def beat_goes_round() -> bool:
    return BEAT.exists() and time.time() - BEAT.stat().st_mtime < BEAT_SILENT_SECONDS


def worker_goes_round() -> bool:
    name = f"{socket.gethostname()}:%"
    with psycopg.connect(os.environ["TEIJI_DATABASE_URL"], connect_timeout=5) as database:
        row = database.execute(LATEST, (SILENT_SECONDS, name)).fetchone()
    return bool(row and row[0])


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1]))
