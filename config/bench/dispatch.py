"""N rooms due at one second, through beat, workers and the database as in production."""

import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from config import memory, processes
from config.bench.figures import Arrivals, arrivals, as_json, machine
from config.bench.line import Line, is_there, line_server
from config.bench.scratch import Scratch, scratch

HELP = "N rooms due at the same second."

AHEAD = 15.0  # seconds from the registration to the appointed time: planning is part of it
WORKER_SECONDS = 60.0  # for the workers to start
MOST_SECONDS = 120.0  # after the appointed time, for the last to arrive
STRAGGLERS = 1.0  # seconds in which a duplicate would show
LOOK_EVERY = 0.25


@dataclass(frozen=True)
class Task:
    """What is to be measured. `shape`: one schedule with all rooms, or many with one each."""

    rooms: int
    shape: str
    workers: int
    latency_ms: float
    database_url: str = ""
    broker_url: str = ""


def arguments(parser: ArgumentParser) -> None:
    """The options of `bench dispatch`."""
    add = parser.add_argument
    add("--rooms", type=int, default=1000)
    add("--shape", choices=["one", "many"], default="one",
        help="One schedule for all rooms, or one for each.")  # fmt: skip
    add("--latency-ms", type=float, default=30.0, help="How long the fake LINE takes to answer.")
    add("--workers", type=int, default=1)
    add("--database", default="", help="URL of a PostgreSQL server; without it SQLite.")
    add("--broker", default="", help="URL of a Redis database that nobody uses.")


def measure(options: dict[str, Any]) -> dict[str, Any]:
    """Send once, then the floor, to the same fake; the figures of both."""
    task = _task(options)
    with scratch(task.database_url, task.broker_url) as place:
        fakes = processes.Family(place.environment, place.folder / "logs")
        with line_server(fakes, task.latency_ms) as line:
            sent = _send(task, place, line)
            floor = _floor(task, place, line)
    last = sent["lateness_s"]["last"]
    return {
        **sent,
        "floor": as_json(floor),
        "times_the_floor": round(last / floor.lateness_s.last, 2) if floor.arrived else None,
        "shape": task.shape,
        "workers": task.workers,
        "latency_ms": task.latency_ms,
        "database": place.database,
        "broker": task.broker_url.partition(":")[0] or "filesystem",
        "machine": machine(),
    }


def _task(options: dict[str, Any]) -> Task:
    if not is_there():
        raise RuntimeError("The fake LINE server is in tests/, which this copy has not.")
    if options["rooms"] < 1 or options["workers"] < 1:
        raise ValueError("At least one room and one worker.")
    return Task(
        rooms=options["rooms"],
        shape=options["shape"],
        workers=options["workers"],
        latency_ms=options["latency_ms"],
        database_url=options["database"],
        broker_url=options["broker"],
    )


def _send(task: Task, place: Scratch, line: Line) -> dict[str, Any]:
    environment = place.environment | {"TEIJI_LINE_API_HOST": line.url}
    _run(environment, "manage.py", "migrate", "--verbosity", "0")
    family = processes.Family(environment, place.folder / "logs")
    try:
        names = [f"worker{number + 1}" for number in range(task.workers)]
        for name in names:
            family.start(name, processes.worker(name))
        family.start("beat", processes.beat())
        _wait_for_workers(family, names)
        before = _processor_seconds(family)
        said = _run(environment, "-m", "config.bench.world",
                    str(task.rooms), task.shape, str(AHEAD))  # fmt: skip
        due_at = float(said)
        _wait_for_last(line, task.rooms, due_at)
        cpu_s = round(_processor_seconds(family) - before, 2)
        peak_mb = memory.peak_megabytes(_running(family))
    finally:
        family.stop()
    found = arrivals(line.arrivals(), due_at)
    return as_json(found, rooms=task.rooms, cpu_s=cpu_s, peak_mb=peak_mb)


def _floor(task: Task, place: Scratch, line: Line) -> Arrivals:
    """As many processes as there were workers, each with its share."""
    start = time.time() + 3.0
    shares = [task.rooms // task.workers] * task.workers
    shares[0] += task.rooms % task.workers
    family = processes.Family(place.environment, place.folder / "logs")
    in_flight = str(settings.TEIJI_IN_FLIGHT)
    try:
        for number, share in enumerate(shares):
            command = [sys.executable, "-m", "config.bench.floor", line.url]
            family.start(f"floor{number}", [*command, str(share), in_flight, str(start)])
        _wait_for_last(line, task.rooms, start)
    finally:
        family.stop()
    return arrivals(line.arrivals(), start)


def _wait_for_workers(family: processes.Family, names: Sequence[str]) -> None:
    def ready() -> bool:
        return all("ready." in family.log_of(name).read_text() for name in names)

    if not processes.wait_for(ready, WORKER_SECONDS):
        raise RuntimeError(f"The workers do not start:\n{family.log_of(names[0]).read_text()}")


def _wait_for_last(line: Line, rooms: int, due_at: float) -> None:
    """Nothing is asked before the time is over: it would cost what is measured."""
    time.sleep(max(due_at + LOOK_EVERY - time.time(), 0))
    processes.wait_for(lambda: line.accepted() >= rooms, MOST_SECONDS, every=LOOK_EVERY)
    time.sleep(STRAGGLERS)


def _running(family: processes.Family) -> list[memory.Process]:
    roots = [child.process.pid for child in family.children.values()]
    return [process for root in roots for process in memory.tree(root)]


def _processor_seconds(family: processes.Family) -> float:
    return sum(process.seconds for process in _running(family))


def _run(environment: Mapping[str, str], *arguments: str) -> str:
    """What a Python process of the scratch installation prints."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout
