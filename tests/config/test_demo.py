"""`manage.py demo` as a person starts and stops it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.conf import settings

from config import memory
from config.processes import Family, answers, free_port, is_free, wait_for

START_SECONDS = 60.0
STOP_SECONDS = 60.0


class Demo:
    """One start of the command. Its data outlives it."""

    def __init__(self, data: Path, port: int, *words: str, **environment: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        own = {name: value for name, value in os.environ.items() if not name.startswith("TEIJI_")}
        self._out, self._err = data / "said", data / "said-beside"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "demo", "--port", str(port), *words],
                cwd=settings.BASE_DIR,
                env={**own, "TEIJI_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1", **environment},
                stdout=out,
                stderr=err,
            )

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def said(self) -> str:
        return self.out + self._err.read_text()

    def until_ready(self, word: str = "Ctrl-C stops it") -> "Demo":
        assert wait_for(lambda: word in self.out, START_SECONDS), self.said
        return self

    def processes(self) -> list[memory.Process]:
        return memory.tree(self.process.pid)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def get(self, path: str) -> Any:
        token = re.search(r"tj_[\w-]+", self.out).group()  # type: ignore[union-attr]
        request = Request(self.url + path, headers={"Authorization": f"Bearer {token}"})
        with urlopen(request, timeout=60) as response:
            return json.load(response)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    started: list[Demo] = []
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()

    def begin(*words: str) -> Demo:
        started.append(Demo(folder, free_port(), *words))
        return started[-1]

    yield begin
    for demo in started:
        for process in demo.processes():
            os.kill(process.pid, signal.SIGKILL)
        demo.process.wait()


on_sqlite = pytest.mark.skipif(
    "sqlite3" not in settings.DATABASES["default"]["ENGINE"], reason="the demo has its own database"
)
pytestmark = [pytest.mark.processes, on_sqlite]


def test_the_demo_shows_all_one_needs_and_keeps_its_data(start: Callable[..., Demo]) -> None:
    first = start().until_ready()
    assert answers(f"{first.url}/sign-in/")
    for name in ("admin", "hq", "seoul", "gangnam-agency", "gangnam"):
        assert f"\n    {name} " in first.said
    [sample] = re.findall(r"^    (/.*\.csv)$", first.said, re.MULTILINE)
    assert Path(sample).is_file()
    # What is due at once leaves at once: a worker was there before it was registered.
    assert first.get("/readyz")["parts"]["dispatcher"] == "ok"
    schedules = titles(first)
    assert schedules
    assert wait_for(lambda: readiness(first) == "ok", 15)
    used = memory.proportional_megabytes(first.processes())
    assert used is None or used <= 512
    children = first.processes()[1:]
    assert len(children) >= 3

    assert first.stop() == 0
    assert [child for child in children if is_running(child.pid)] == []
    assert "Stopped." in first.said
    assert "killed" not in first.said

    second = start("--json").until_ready("\n")
    facts = json.loads(second.out)
    assert (facts["url"], facts["token_of"]) == (f"{second.url}/", "gangnam")
    assert {"username": "gangnam", "unit": "강남역점", "role": "operator"} in facts["people"]
    assert titles(second) == schedules
    # As Ctrl-C does.
    assert second.stop(signal.SIGINT) == 0
    assert json.loads(second.out) == facts


def test_a_child_that_died_is_started_again(start: Callable[..., Demo]) -> None:
    demo = start().until_ready()
    worker = next(p for p in demo.processes()[1:] if "worker" in command_of(p.pid))
    os.kill(worker.pid, signal.SIGKILL)
    assert wait_for(lambda: "worker had ended and was started again." in demo.said, 10)
    assert demo.stop() == 0


def test_a_port_in_use_is_said_before_anything_is_done(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        demo = Demo(tmp_path, taken.getsockname()[1])
        assert demo.process.wait(START_SECONDS) == 1
    assert "is in use by another program. Choose another one: PORT=" in demo.said
    assert "Traceback" not in demo.said
    assert not (tmp_path / "teiji.sqlite3").exists()


def test_production_is_refused(tmp_path: Path) -> None:
    demo = Demo(tmp_path, free_port(), TEIJI_PROFILE="production", TEIJI_SECRET_KEY="x" * 60,
                TEIJI_SECRET_KEYS="x")  # fmt: skip
    assert demo.process.wait(START_SECONDS) == 1
    assert "production" in demo.said
    assert "Traceback" not in demo.said


def test_a_family_stops_even_those_who_do_not_listen(tmp_path: Path) -> None:
    family = Family(os.environ, tmp_path)
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('deaf', flush=True); time.sleep(60)"
    )
    family.start("deaf", [sys.executable, "-c", deaf])
    assert wait_for(lambda: "deaf" in family.log_of("deaf").read_text(), 10)
    assert family.stop(0.2) == ["deaf"]


def test_a_port_is_free_until_somebody_listens() -> None:
    port = free_port()
    assert is_free(port)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert not is_free(port)


def titles(demo: Demo) -> list[str]:
    return sorted(row["title"] for row in demo.get("/api/v1/schedules")["results"])


def readiness(demo: Demo) -> str:
    try:
        status: str = demo.get("/readyz")["status"]
    except HTTPError as error:  # 503 until the worker is there
        with error:
            return f"HTTP {error.code}"
    return status


def is_running(pid: int) -> bool:
    return bool(memory.tree(pid))


def command_of(pid: int) -> str:
    done = subprocess.run(
        ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=True
    )
    return done.stdout
