"""procrastinate: one job for each room with `schedule_at`, in PostgreSQL.

As many workers as Teiji has, each with 200 jobs at once as coroutines on aiohttp with one
session, told of new jobs and polling every 0.2 s; jobs that succeed are deleted. The workers share
40 connections to the database; the jobs are written in bulk.
"""

import asyncio
import logging
import sys
from datetime import UTC, datetime

import aiohttp
from procrastinate import App, PsycopgConnector
from procrastinate.types import JSONDict

from .base import Peer, say_ready, told
from .message import PATH, address, body, headers

AT_ONCE = 200
CONNECTIONS = 40  # of all workers together: PostgreSQL gives a hundred by default
POLL_SECONDS = 0.2
JOBS_A_STATEMENT = 1000


def _processes(count: int) -> dict[str, list[str]]:
    command = ["-m", "peers.procrastinate", str(max(CONNECTIONS // count, 2))]
    return {f"worker{number + 1}": command for number in range(count)}


def _connector(connections: int) -> PsycopgConnector:
    return PsycopgConnector(conninfo=told("DATABASE_URL"), min_size=1, max_size=connections)


PEER = Peer(
    name="procrastinate",
    processes=_processes,
    needs_postgresql=True,
    jobs_a_second=1000,
)

logging.getLogger("procrastinate").setLevel(logging.WARNING)  # not a line for each job
app = App(connector=_connector(2))
sessions: list[aiohttp.ClientSession] = []


@app.task(name="push")
async def push(room: str) -> None:
    async with sessions[0].post(
        told("LINE_URL") + PATH, data=body(room), headers=headers()
    ) as answer:
        await answer.read()
        answer.raise_for_status()


def prepare() -> None:
    with app.open():
        app.schema_manager.apply_schema()


def register(rooms: int, due_at: float) -> None:
    job = push.configure(schedule_at=datetime.fromtimestamp(due_at, UTC))
    with app.open():
        for first in range(0, rooms, JOBS_A_STATEMENT):
            numbers = range(first, min(first + JOBS_A_STATEMENT, rooms))
            jobs: list[JSONDict] = [{"room": address(number)} for number in numbers]
            job.batch_defer(*jobs)


async def run(connections: int) -> None:
    """One worker."""
    http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE))
    with app.replace_connector(_connector(connections)):
        async with http as session, app.open_async():
            sessions.append(session)
            say_ready()
            await app.run_worker_async(
                concurrency=AT_ONCE,
                fetch_job_polling_interval=POLL_SECONDS,
                delete_jobs="successful",
            )


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1])))
