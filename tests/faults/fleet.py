"""The workers and beats of one test: started, killed, stopped, resumed."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from schedules.models import Heartbeat
from tests.faults import failpoints
from tests.processes.machine import ROOT, wait_until

START = 60.0  # seconds that a worker may need to start on a busy machine
# Short, so that a lease runs out within a test; each fits the others as in production.
QUICK = {
    "TEIJI_POLL_SECONDS": 0.2,
    "TEIJI_LEAD_SECONDS": 1.0,
    "TEIJI_HORIZON_SECONDS": 3.0,
    "TEIJI_LEASE_SECONDS": 1.0,
    "TEIJI_WIRE_SECONDS": 4.0,
    "TEIJI_RETRY_DELAYS": [1.0, 1.0, 2.0],
    "TEIJI_CONFIRM_SECONDS": 1.0,
}
QUICK_TIMEOUT = 1.5  # seconds in which a channel must answer, below the wire's lease
WORKER = ["worker", "--pool", "threads", "--concurrency", "2", "--without-mingle",
          "--without-gossip", "--without-heartbeat", "--loglevel", "INFO"]  # fmt: skip
BEAT = ["beat", "--pidfile=", "--max-interval=1", "--loglevel", "INFO"]


class Nursery:
    """The handle of the process that forks (nursery.py)."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._ids = itertools.count(1)
        self._pids: dict[int, int] = {}
        self._ended: dict[int, int] = {}
        self._heard = threading.Condition()
        self.is_ready = False
        self.environment = environment
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=ROOT,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def order(self, **order: Any) -> int:
        """Start a process; gives its pid."""
        number = next(self._ids)
        with self._heard:
            assert self._heard.wait_for(lambda: self.is_ready, START), "no nursery"
            assert self.process.stdin
            self.process.stdin.write(json.dumps(order | {"id": number}).encode() + b"\n")
            self.process.stdin.flush()
            assert self._heard.wait_for(lambda: number in self._pids, START), "no process"
            return self._pids[number]

    def ended(self, pid: int) -> int | None:
        """Its exit status, negative for a signal; None while it lives."""
        with self._heard:
            return self._ended.get(pid)

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(20)
        self._listener.join(5)

    def _listen(self) -> None:
        assert self.process.stdout
        with self.process.stdout as said:
            for line in said:
                self._hear(json.loads(line))

    def _hear(self, words: dict[str, Any]) -> None:
        with self._heard:
            match words:
                case {"ready": True}:
                    self.is_ready = True
                case {"id": number, "pid": pid}:
                    self._ended.pop(pid, None)
                    self._pids[number] = pid
                case {"pid": pid, "ended": status}:
                    self._ended[pid] = status
            self._heard.notify_all()


@dataclass
class Member:
    """One worker or beat."""

    pid: int
    name: str
    fleet: "Fleet"
    process: subprocess.Popen[bytes] | None = None  # where it is no fork of the nursery's

    @property
    def ended(self) -> int | None:
        if self.process is not None:
            return self.process.poll()
        return self.fleet.nursery.ended(self.pid)

    @property
    def is_stopped(self) -> bool:
        with suppress(psutil.NoSuchProcess):
            return bool(psutil.Process(self.pid).status() == psutil.STATUS_STOPPED)
        return False

    @property
    def has_fired(self) -> bool:
        """Whether its failpoint has acted."""
        return failpoints.fired(self.fleet.folder, self.pid)

    def wait_for_the_failpoint(self, seconds: float = 40.0) -> None:
        """The failpoint has acted: the process is dead or stands still."""
        what = f"the failpoint of {self.name}"
        wait_until(lambda: self.has_fired, seconds, what)
        wait_until(lambda: self.ended == -signal.SIGKILL or self.is_stopped, seconds, what)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        wait_until(lambda: self.ended is not None, 20, f"the end of {self.name}")

    def stop(self) -> None:
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        self.send(signal.SIGCONT)

    def terminate(self, seconds: float = 60.0) -> int | None:
        """Ask it to end; gives its exit status."""
        self.send(signal.SIGTERM)
        wait_until(lambda: self.ended is not None, seconds, f"the orderly end of {self.name}")
        return self.ended

    def send(self, number: signal.Signals) -> None:
        if self.ended is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


@dataclass
class Fleet:
    """Starts members; `settings` and `timeout` (a channel's, to answer) are given to each."""

    nursery: Nursery
    folder: Path
    settings: dict[str, Any] = field(default_factory=lambda: dict(QUICK))
    timeout: float = QUICK_TIMEOUT
    members: list[Member] = field(default_factory=list)

    def worker(
        self,
        failpoint: str = "",
        naive: tuple[str, ...] = (),
        minutes_ahead: float = 0,
        **settings: Any,
    ) -> Member:
        """A worker that is starting. `settings` go over the fleet's own; its machine's clock is
        so much ahead; behind, if negative."""
        more = {"failpoint": failpoint, "naive": naive, "minutes_ahead": minutes_ahead}
        return self._start("worker", WORKER, **more, settings=settings)

    def forking_worker(self) -> Member:
        """One whose tasks run in children, as Celery does it where nobody says otherwise."""
        return self._start("worker", [*WORKER, "--pool", "prefork"])

    def worker_that_is_up(self, failpoint: str = "", **more: Any) -> Member:
        member = self.worker(failpoint, **more)
        self.wait_until_up(member)
        return member

    def worker_under(self, environment: dict[str, str]) -> Member:
        """A worker that begins in an environment of its own, which takes it longer."""
        name = f"worker-{len(self.members)}"
        order = {"command": [*WORKER, "--hostname", f"{name}@%h"], "folder": str(self.folder),
                 "settings": self.settings, "timeout": self.timeout}  # fmt: skip
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.nursery", "--one", json.dumps(order)],
                cwd=ROOT,
                env=os.environ | self.nursery.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.members.append(Member(process.pid, name, self, process))
        return self.members[-1]

    def beat(self, minutes_ahead: float = 0) -> Member:
        return self._start(
            "beat", [*BEAT, "-s", str(self.folder / "beat")], minutes_ahead=minutes_ahead
        )

    def wait_until_up(self, *members: Member) -> None:
        """Their loops go round."""
        for member in members:
            loops = Heartbeat.objects.filter(kind="loop", name__endswith=f":{member.pid}")
            wait_until(loops.exists, START, f"{member.name}: a sign of life")

    def living(self) -> list[Member]:
        return [member for member in self.members if member.ended is None]

    def end(self) -> None:
        """Kill what is left: all that matters was settled before."""
        for member in self.living():
            member.send(signal.SIGKILL)
        for member in self.members:
            wait_until(lambda m=member: m.ended is not None, 20, f"the end of {member.name}")

    def log(self) -> str:
        """What they all said and where they stand, for a test that fails."""
        for member in self.living():
            member.send(signal.SIGUSR1)
        time.sleep(0.5)
        return "\n".join(
            f"== {path.name}\n{path.read_text()[-6000:]}"
            for path in sorted(self.folder.glob("*.log"))
        )

    def _start(self, name: str, command: list[str], **more: Any) -> Member:
        name = f"{name}-{len(self.members)}"
        if command[0] == "worker":
            command = [*command, "--hostname", f"{name}@%h"]
        settings = self.settings | more.pop("settings", {})
        pid = self.nursery.order(
            command=command,
            log=str(self.folder / f"{name}.log"),
            folder=str(self.folder),
            timeout=self.timeout,
            settings=settings,
            **more,
        )
        self.members.append(Member(pid, name, self))
        return self.members[-1]


@contextmanager
def fleet(nursery: Nursery, folder: Path) -> Iterator[Fleet]:
    """A fleet that ends with the test."""
    running = Fleet(nursery, folder)
    try:
        yield running
    finally:
        running.end()
