"""One peer at the same work as Teiji: registered, waited for, cut off where it takes too long."""

import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis

from config.bench.line import Line
from config.bench.peers.base import READY, Peer
from config.bench.peers.registry import MODULES
from config.bench.phase import Use, arriving, figures, forget, python, say, wait_until_ready
from config.bench.scratch import Scratch, scratch
from config.processes import Family

MARGIN = 8.0  # seconds for the processes to take what was registered last
STOP_SECONDS = 10.0  # what a peer still holds then is lost with its scratch database
LOG_END = 2000  # characters of the log of a process that has died
TRIES = 3  # each with three times as long for the registration


@dataclass(frozen=True)
class Work:
    """What each peer has to do, and with which servers."""

    rooms: int
    workers: int
    database_url: str
    broker_url: str


class TooLateError(Exception):
    """The appointed time had come before all was registered."""


def check(peer: Peer, database_url: str) -> None:
    """Raises ValueError or RuntimeError for what the peer lacks."""
    if peer.needs_postgresql and not database_url:
        raise ValueError(
            f"The peer {peer.name} keeps its jobs in PostgreSQL: give its URL with --database."
        )


def compete(peer: Peer, work: Work, line: Line) -> dict[str, Any]:
    """The figures of this peer."""
    for number in range(TRIES):
        with scratch(work.database_url, work.broker_url) as place, _keys(work, peer) as prefix:
            environment = _environment(peer, work, line, place, prefix)
            seconds = MARGIN + 3**number * work.rooms / peer.jobs_a_second
            try:
                return _run(peer, work, line, environment, seconds)
            except TooLateError:
                say(f"{peer.name}: registering took longer than {seconds:.0f} s; once more")
    raise RuntimeError(f"{peer.name}: {work.rooms} rooms cannot be registered in time.")


def _run(
    peer: Peer, work: Work, line: Line, environment: dict[str, str], seconds: float
) -> dict[str, Any]:
    module = MODULES[peer.name]
    family = Family(environment, Path(environment["BENCH_FOLDER"]) / "logs")
    try:
        say(f"{peer.name}: starting")
        forget(line)
        python(environment, "-m", "peers", module, "prepare")
        if not peer.is_registered_first:
            _start(peer, family, work.workers)
        due_at = float(math.ceil(time.time() + seconds))
        use = Use(family)
        python(environment, "-m", "peers", module, "register", str(work.rooms), str(due_at))
        if peer.is_registered_first:
            _start(peer, family, work.workers)
            use = Use(family)
        if time.time() > due_at - MARGIN / 2:
            raise TooLateError
        log = arriving(line, work.rooms, due_at, peer.name)
        _say_who_died(peer, family)
        return figures(log, work.rooms, due_at, **use.figures())
    finally:
        family.stop(STOP_SECONDS)


def _start(peer: Peer, family: Family, workers: int) -> None:
    commands = peer.processes(workers)
    for name, arguments in commands.items():
        family.start(name, [sys.executable, *arguments])
    wait_until_ready(family, list(commands), READY)


def _say_who_died(peer: Peer, family: Family) -> None:
    for child in family.children.values():
        if child.process.poll() is not None:
            say(f"{peer.name}: {child.name} has ended by itself:")
            say(family.log_of(child.name).read_text()[-LOG_END:])


def _environment(peer: Peer, work: Work, line: Line, place: Scratch, prefix: str) -> dict[str, str]:
    """Nothing of Teiji's own; the peers are found as a package of their own."""
    common = {
        name: value
        for name, value in place.environment.items()
        if not name.startswith(("TEIJI_", "DJANGO_"))
    }
    return common | {
        "PYTHONPATH": str(Path(__file__).parent),
        "BENCH_LINE_URL": line.url,
        "BENCH_DATABASE_URL": place.database_url,
        "BENCH_BROKER_URL": work.broker_url or "filesystem://",
        "BENCH_KEY_PREFIX": prefix,
        "BENCH_FOLDER": str(place.folder),
        **peer.environment,
    }


@contextmanager
def _keys(work: Work, peer: Peer) -> Iterator[str]:
    """The prefix of the peer's keys in Redis, which are removed at the end."""
    prefix = f"teiji-bench-{os.getpid()}-{peer.name}:"
    try:
        yield prefix
    finally:
        if work.broker_url.startswith("redis"):
            with Redis.from_url(work.broker_url) as redis:
                for key in redis.scan_iter(f"{prefix}*", count=1000):
                    redis.delete(key)
