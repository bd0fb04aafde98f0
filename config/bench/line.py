"""The fake LINE server as a process of its own, and what it says has arrived."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from django.conf import settings

from config.processes import Family, answers, free_port, wait_for

START_SECONDS = 20.0


class Line:
    """One fake server. Its log is read from where it was read last."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._read = 0

    def accepted(self) -> int:
        """How many messages it took since the last call of `arrivals`."""
        taken: int = self._get("stats")["accepted"]
        return taken - self._read

    def arrivals(self) -> list[dict[str, Any]]:
        """What it took since the last call, each with `at` (seconds since 1970) and `to`."""
        log: list[dict[str, Any]] = self._get(f"log?from={self._read}")
        self._read += len(log)
        return log

    def requests(self, endpoint: str) -> int:
        """How many requests it has had at this endpoint, whatever came of them."""
        return int(self._get("requests").get(f"/v2/bot/message/{endpoint}", 0))

    def _get(self, what: str) -> Any:
        with urlopen(f"{self.url}/_fake/{what}", timeout=30) as response:  # noqa: S310
            return json.load(response)


def is_there() -> bool:
    """Whether this copy of Teiji has its tests, to which the fake belongs."""
    return (Path(settings.BASE_DIR) / "tests" / "fakes" / "line.py").exists()


@contextmanager
def line_server(family: Family, latency_ms: float, *, limited: bool = False) -> Iterator[Line]:
    """The server; without rate limits where the dispatcher is measured, not LINE's buckets."""
    port = free_port()
    command = [sys.executable, "-m", "tests.fakes.line", "--port", str(port)]
    command += [] if limited else ["--unlimited"]
    family.start("line", [*command, "--latency-ms", str(latency_ms)])
    line = Line(port)
    try:
        if not wait_for(lambda: answers(f"{line.url}/_fake/stats"), START_SECONDS):
            raise RuntimeError(f"The fake LINE does not answer: see {family.log_of('line')}")
        yield line
    finally:
        family.stop(5)
