"""APScheduler 3: one date job for each room in PostgreSQL, in one process.

More processes cannot share a job store. No limit to misfires (the usual one second drops most),
50 threads. The jobs are in the store before the process starts, as after any restart.
"""

from datetime import UTC, datetime
from typing import Any

from apscheduler.events import EVENT_SCHEDULER_STARTED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.blocking import BlockingScheduler

from .base import Peer, prepare, say_ready, told
from .message import address

__all__ = ["PEER", "prepare", "register"]

THREADS = 50

PEER = Peer(
    name="apscheduler",
    processes=lambda _count: {"scheduler": ["-m", "peers.apscheduler"]},
    needs_postgresql=True,
    is_registered_first=True,
)


def register(rooms: int, due_at: float) -> None:
    scheduler = BackgroundScheduler(**_options())
    scheduler.start(paused=True)
    at = datetime.fromtimestamp(due_at, UTC)
    for number in range(rooms):
        scheduler.add_job("peers.push:push", "date", run_date=at, args=[address(number)])
    scheduler.shutdown()


def run() -> None:
    """The one process."""
    scheduler = BlockingScheduler(**_options())
    scheduler.add_listener(lambda _event: say_ready(), EVENT_SCHEDULER_STARTED)
    scheduler.start()


def _options() -> dict[str, Any]:
    _scheme, _colon, place = told("DATABASE_URL").partition(":")
    return {
        "jobstores": {"default": SQLAlchemyJobStore(f"postgresql+psycopg:{place}")},
        "executors": {"default": ThreadPoolExecutor(THREADS)},
        "job_defaults": {"misfire_grace_time": None, "coalesce": False},
        "timezone": "UTC",
    }


if __name__ == "__main__":
    run()
