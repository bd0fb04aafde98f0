"""The processes of an installation: their commands, and a set of them that is watched over."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from django.conf import settings

SIGN_IN = "/sign-in/"
READY = "/readyz"
STOP_SECONDS = 45.0  # a worker waits up to 40 s for what it has handed over
LIFE_PAUSE = 1.0  # seconds between two starts of the same process
PR_SET_PDEATHSIG = 1


def web(port: int, *, threads: int = 4) -> list[str]:
    """The command of the web server."""
    return [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
            "--port", str(port), "--workers", "1", "--blocking-threads", str(threads),
            "--no-ws", "--log-level", "warning", "config.wsgi:application"]  # fmt: skip


def worker(name: str = "worker") -> list[str]:
    """The command of a Celery worker, which carries the sender's loop beside it."""
    return [sys.executable, "-m", "celery", "-A", "config", "worker", "--pool", "threads",
            "--concurrency", "2", "--loglevel", "INFO", "--hostname", f"{name}@%h",
            "--without-gossip", "--without-mingle", "--without-heartbeat"]  # fmt: skip


def beat() -> list[str]:
    """The command of celery-beat, which sends the tick."""
    return [sys.executable, "-m", "celery", "-A", "config", "beat", "--loglevel", "INFO"]


@dataclass
class Child:
    """One process of a Family."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)


class Family:
    """Child processes that log to files, are started again when they die, and stop together."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self.environment = dict(environment)
        self.logs = logs
        self.children: dict[str, Child] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, command: Sequence[str]) -> Child:
        """Start a process; its log begins anew with the family."""
        mode = "ab" if name in self.children else "wb"
        with self.log_of(name).open(mode) as log:
            process = subprocess.Popen(  # noqa: S603
                command,
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A Ctrl-C of the terminal is for the parent, which stops them in order.
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  (this process has one thread here)
            )
        self.children[name] = Child(name, command, process)
        return self.children[name]

    def log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def revive(self) -> Iterator[str]:
        """Start again what has died; yields the name of each."""
        for child in list(self.children.values()):
            if child.process.poll() is None or time.monotonic() - child.started < LIFE_PAUSE:
                continue
            _end_group(child.process.pid, signal.SIGKILL)  # what it may have left behind
            self.start(child.name, child.command)
            yield child.name

    def stop(self, seconds: float = STOP_SECONDS) -> list[str]:
        """Ask all to end, wait, kill what did not. Returns the names of the killed."""
        for child in self.children.values():
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + seconds
        killed = []
        for child in self.children.values():
            try:
                child.process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                killed.append(child.name)
            _end_group(child.process.pid, signal.SIGKILL)
            child.process.wait()
        return killed


def is_free(port: int) -> bool:
    """Whether nobody listens on this port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def answers(url: str) -> bool:
    """Whether a GET of this address gives 200."""
    try:
        with urlopen(url, timeout=5) as response:  # noqa: S310  (an address of ours)
            return bool(response.status == 200)
    except OSError:  # of which urllib's own errors are a kind
        return False


def wait_for(what: Callable[[], bool], seconds: float, *, every: float = 0.1) -> bool:
    """Ask until it is so; False when it did not become so in time."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def _die_with_parent() -> None:
    """In the child: be asked to end when the parent is gone, where the system can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _end_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
