"""The machine as in production: real workers and a real beat, each a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


def wait_until(question: Callable[[], object], seconds: float, what: str) -> None:
    """Ask until the answer is true; fail naming `what`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if question():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def database_url() -> str:
    """The test's own database, as a URL for other processes."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    host = values["HOST"].replace("/", "%2F")
    port = f":{values['PORT']}" if values["PORT"] else ""
    password = f":{values['PASSWORD']}" if values["PASSWORD"] else ""
    return f"postgres://{values['USER']}{password}@{host}{port}/{values['NAME']}"


@dataclass
class Machine:
    """Starts, kills and stops workers and beats. `environment` is added to each."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def worker(self, **environment: str) -> subprocess.Popen[bytes]:
        command = ["-c", "2", "--without-mingle", "--without-gossip", "--without-heartbeat"]
        return self._start("worker", *command, **environment)

    def beat(self) -> subprocess.Popen[bytes]:
        return self._start("beat", "--pidfile=", "--max-interval=1")

    def dispatch(self, **environment: str) -> subprocess.Popen[bytes]:
        """The sender without Celery."""
        return self._run("dispatch", ["manage.py", "dispatch"], **environment)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill(process)

    def log(self) -> str:
        """What they all said, for a test that fails."""
        return "\n".join(path.read_text()[-4000:] for path in sorted(self.folder.glob("*.log")))

    def _start(self, name: str, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        words = ["-m", "celery", "-A", "config", name, *command, "-l", "INFO"]
        return self._run(name, words, **environment)

    def _run(self, name: str, words: list[str], **environment: str) -> subprocess.Popen[bytes]:
        path = self.folder / f"{name}-{len(self.processes)}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *words],
                cwd=ROOT,
                env=os.environ | self.environment | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process


@contextmanager
def machine(folder: Path, **environment: str) -> Iterator[Machine]:
    """A machine on the test's database, with a broker of its own."""
    broker = os.environ.get("TEIJI_TEST_REDIS_URL") if connection.vendor == "postgresql" else ""
    values = {
        "TEIJI_DATABASE_URL": database_url(),
        "TEIJI_DATA_DIR": str(folder),
        "TEIJI_SECRET_KEY": settings.SECRET_KEY,
        "TEIJI_SECRET_KEYS": ",".join(settings.TEIJI_SECRET_KEYS),
        "TEIJI_BROKER_URL": broker or "filesystem://",
        "TEIJI_DEBUG": "0",
        "PYTHONWARNINGS": "default",
    }
    running = Machine(folder, values | environment)
    try:
        yield running
    finally:
        running.stop()
