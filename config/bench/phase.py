"""One phase of a measurement: processes that send, and what arrives of it."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from config import memory
from config.bench.figures import arrivals
from config.bench.line import Line
from config.processes import Family, wait_for

BEGAN = time.monotonic()
LOOK_EVERY = 0.25
SAY_EVERY = 2.0
START_SECONDS = 90.0  # for processes to be ready
STRAGGLERS = 1.0  # seconds in which a duplicate would show
LEAST_PATIENCE = 60.0
ROOMS_A_SECOND = 100.0  # who is slower is cut off


def say(text: str) -> None:
    """Tell who waits at the screen what goes on."""
    sys.stderr.write(f"{time.monotonic() - BEGAN:6.1f} s  {text}\n")
    sys.stderr.flush()


def patience(rooms: int) -> float:
    """Seconds after the appointed time for which is waited."""
    return LEAST_PATIENCE + rooms / ROOMS_A_SECOND


def wait_until_ready(family: Family, names: Sequence[str], sign: str) -> None:
    """Return when each of these has written the sign to its log."""

    def lacking() -> list[str]:
        return [name for name in names if sign not in family.log_of(name).read_text()]

    def has_died() -> bool:
        return any(family.children[name].process.poll() is not None for name in names)

    wait_for(lambda: not lacking() or has_died(), START_SECONDS)
    for name in lacking():
        raise RuntimeError(f"{name} does not start:\n{family.log_of(name).read_text()}")


def python(environment: Mapping[str, str], *arguments: str) -> str:
    """What a Python process of this environment prints."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}:\n{done.stderr}")
    return done.stdout


def forget(line: Line) -> None:
    """What came after the phase before was cut off belongs to nobody."""
    line.arrivals()


class Use:
    """The processor time of a family from here on, and the memory it needed at most."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._before = self._seconds()

    def figures(self) -> dict[str, Any]:
        return {
            "cpu_s": round(self._seconds() - self._before, 2),
            "peak_mb": memory.peak_megabytes(self._running()),
        }

    def _seconds(self) -> float:
        return sum(process.seconds for process in self._running())

    def _running(self) -> list[memory.Process]:
        roots = [child.process.pid for child in self._family.children.values()]
        return [process for root in roots for process in memory.tree(root)]


def arriving(
    line: Line, rooms: int, due_at: float, name: str, *, waiting: float = 0.0
) -> list[dict[str, Any]]:
    """What arrived until each room had its message, or until patience (or `waiting`, in
    seconds) ended.

    Nothing is asked before the time is over: it would cost what is measured.
    """
    deadline = due_at + (waiting or patience(rooms))
    say(f"{name}: {rooms:,} rooms are due in {due_at - time.time():.0f} s")
    time.sleep(max(due_at + LOOK_EVERY - time.time(), 0))
    log: list[dict[str, Any]] = []
    said, said_at = 0, time.time()
    while len({entry["to"] for entry in log}) < rooms:
        arrived = len(log) + line.accepted()
        if arrived >= rooms:
            log += line.arrivals()
        now = time.time()
        if now > deadline:
            say(f"{name}: cut off with {arrived:,} arrived for {rooms:,} rooms")
            break
        if arrived != said and now > said_at + SAY_EVERY:
            said, said_at = arrived, now
            say(f"{name}: {arrived:,} arrived for {rooms:,} rooms after {now - due_at:.0f} s")
        time.sleep(LOOK_EVERY)
    time.sleep(STRAGGLERS)
    return log + line.arrivals()


def figures(
    log: Sequence[dict[str, Any]], rooms: int, due_at: float, *, waited: float = 0.0, **more: Any
) -> dict[str, Any]:
    """Of what `arriving` gave, as JSON."""
    found = arrivals(log, due_at, rooms=rooms, waited=waited or patience(rooms))
    return {"rooms": rooms, **found.as_json(), **more}
