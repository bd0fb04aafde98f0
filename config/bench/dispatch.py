"""N rooms due at one second, through beat, workers and the database as in production."""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis, RedisError

from channels.http import CONNECTIONS_PER_ACCOUNT
from config import processes
from config.bench.compare import as_text, compared
from config.bench.contest import Work, check, compete
from config.bench.figures import machine, ratio
from config.bench.floor import READY as FLOOR_IS_READY
from config.bench.line import Line, is_there, line_server
from config.bench.peers.base import Peer
from config.bench.peers.registry import ALL, MODULES, load
from config.bench.phase import Use, arriving, figures, forget, patience, say, wait_until_ready
from config.bench.scratch import Scratch, scratch
from config.bench.teiji import installation

__all__ = ["HELP", "arguments", "as_text", "measure"]

HELP = "N rooms due at the same second."

TENANT = 0
MOST_LATENCY_MS = 60_000.0
BROKERS = ("redis://", "rediss://", "amqp://", "amqps://")
FLOOR_AHEAD = 3.0  # seconds until its processes have seen the gate


@dataclass(frozen=True)
class Task:
    """What is to be measured. `shape`: one schedule with all rooms, or many with one each."""

    rooms: int
    shape: str
    workers: int
    accounts: int
    latency_ms: float
    database_url: str = ""
    broker_url: str = ""
    peers: Sequence[Peer] = ()


def arguments(parser: ArgumentParser) -> None:
    """The options of `bench dispatch`."""
    add = parser.add_argument
    add("--rooms", type=int, default=1000)
    add("--shape", choices=["one", "many"], default="one",
        help="One schedule for all rooms, or one for each.")  # fmt: skip
    add("--accounts", type=int, default=1, help="LINE accounts over which the rooms are spread.")
    add("--peer", action="append", choices=[*MODULES, ALL], default=[],
        help="Let it do the same work, too; can be given several times.")  # fmt: skip
    server_arguments(parser)


def server_arguments(parser: ArgumentParser) -> None:
    """The options that other kinds have as well."""
    add = parser.add_argument
    add("--latency-ms", type=float, default=30.0, help="How long the fake LINE takes to answer.")
    add("--workers", type=int, default=2)
    add("--database", default="", help="URL of a PostgreSQL server; without it SQLite.")
    add("--broker", default="", help="URL of a Redis database that nobody uses.")


def measure(options: dict[str, Any]) -> dict[str, Any]:
    """Teiji, then the floor, then each peer, at the same fake; the figures of all."""
    task = _task(options)
    with scratch(task.database_url, task.broker_url) as place:
        fakes = processes.Family(place.environment, place.folder / "logs")
        with line_server(fakes, task.latency_ms) as line:
            sent = _send(task, place, line)
            floor = _floor(task, place, line)
            peers, failed = _contest(task, line)
    return {
        **sent,
        "floor": floor,
        "times_the_floor": ratio(sent["lateness_s"]["last"], floor["lateness_s"]["last"]),
        **compared(sent, peers),
        "failed_peers": failed,
        "shape": task.shape,
        "workers": task.workers,
        "accounts": task.accounts,
        "latency_ms": task.latency_ms,
        "limit_s": patience(task.rooms),
        "database": place.database,
        "broker": broker_in_words(task.broker_url),
        "machine": machine(),
    }


def broker_in_words(url: str) -> str:
    return url.partition(":")[0] or "filesystem"


def check_servers(options: Mapping[str, Any]) -> None:
    """Raises ValueError or RuntimeError where the fake or the broker cannot be used as asked."""
    if not is_there():
        raise RuntimeError("The fake LINE server is in tests/, which this copy has not.")
    if not 0 <= options["latency_ms"] < MOST_LATENCY_MS:  # not a number neither
        raise ValueError(f"--latency-ms lies between 0 and {MOST_LATENCY_MS}.")
    broker = options["broker"]
    if broker and not broker.startswith(BROKERS):
        raise ValueError(f"--broker begins with one of {', '.join(BROKERS)}.")
    if broker.startswith("redis"):
        try:
            with Redis.from_url(broker) as redis:
                redis.ping()
        except (RedisError, ValueError) as error:
            raise RuntimeError(f"The Redis of --broker does not answer: {error}") from error


def _task(options: dict[str, Any]) -> Task:
    check_servers(options)
    if min(options["rooms"], options["workers"], options["accounts"]) < 1:
        raise ValueError("At least one room, one worker and one account.")
    peers = load(options["peer"])
    for peer in peers:
        check(peer, options["database"])
    return Task(
        rooms=options["rooms"],
        shape=options["shape"],
        workers=options["workers"],
        accounts=options["accounts"],
        latency_ms=options["latency_ms"],
        database_url=options["database"],
        broker_url=options["broker"],
        peers=peers,
    )


def _send(task: Task, place: Scratch, line: Line) -> dict[str, Any]:
    with installation(place, line, task.workers) as teiji:
        teiji.plant(TENANT, task.rooms, task.accounts)
        use = Use(teiji.family)
        due_at = teiji.schedule(task.shape, TENANT)
        log = arriving(line, task.rooms, due_at, "Teiji")
        return figures(log, task.rooms, due_at, **use.figures())


def _floor(task: Task, place: Scratch, line: Line) -> dict[str, Any]:
    """As many processes as there were workers, each with its share."""
    shares = [task.rooms // task.workers] * task.workers
    shares[0] += task.rooms % task.workers
    family = processes.Family(place.environment, place.folder / "logs")
    gate = place.folder / "gate"
    try:
        for number, share in enumerate(shares):
            words = [line.url, share, CONNECTIONS_PER_ACCOUNT, gate]
            command = [sys.executable, "-m", "config.bench.floor", *map(str, words)]
            family.start(f"floor{number}", command)
        wait_until_ready(family, list(family.children), FLOOR_IS_READY)
        forget(line)
        use = Use(family)
        due_at = time.time() + FLOOR_AHEAD
        unfinished = gate.with_suffix(".unfinished")
        unfinished.write_text(str(due_at))
        unfinished.rename(gate)
        log = arriving(line, task.rooms, due_at, "floor")
        return figures(log, task.rooms, due_at, **use.figures())
    finally:
        family.stop()


def _contest(task: Task, line: Line) -> tuple[dict[str, Any], dict[str, str]]:
    """The figures of each peer; and why, where one could not run. The others still count."""
    work = Work(task.rooms, task.workers, task.database_url, task.broker_url)
    peers, failed = {}, {}
    for peer in task.peers:
        try:
            found = peers[peer.name] = compete(peer, work, line)
        except RuntimeError as error:
            failed[peer.name] = str(error)
            say(f"{peer.name} could not run: {error}")
        else:
            last = found["lateness_s"]["last"]
            say(f"{peer.name}: {found['arrived']:,} arrived, the last {last} s late")
    return peers, failed
