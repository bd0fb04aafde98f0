"""How long the demo takes to start in a folder of its own, and what its processes use."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from config import memory, processes
from config.bench.figures import machine
from config.bench.scratch import scratch

HELP = "From the start of the demo to its first page."

MOST_SECONDS = 120.0
SETTLED_SECONDS = 5.0  # after which all processes have loaded what they need


def arguments(parser: ArgumentParser) -> None:
    """It has no options of its own."""


def measure(options: dict[str, Any]) -> dict[str, Any]:
    """Seconds from the start to the sign-in page, and megabytes of the whole tree."""
    with scratch("", "") as place:
        family = processes.Family(place.environment, place.folder / "logs")
        port = processes.free_port()
        page = f"http://127.0.0.1:{port}{processes.SIGN_IN}"
        began = time.monotonic()
        demo = family.start("demo", [sys.executable, "manage.py", "demo", "--port", str(port)])
        try:
            if not processes.wait_for(lambda: processes.answers(page), MOST_SECONDS):
                raise RuntimeError(family.log_of("demo").read_text())
            seconds = time.monotonic() - began
            time.sleep(SETTLED_SECONDS)
            tree = memory.tree(demo.process.pid)
            used = memory.resident_megabytes(tree), memory.proportional_megabytes(tree)
        finally:
            family.stop()
    return {
        "start_s": round(seconds, 1),
        "processes": len(tree),
        "memory_mb": used[0],
        "memory_shared_once_mb": used[1],
        "machine": machine(),
    }
