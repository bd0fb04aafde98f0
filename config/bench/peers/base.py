"""What the bench must know of a peer, and what a peer's processes are told."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

READY = "The peer is ready."


@dataclass(frozen=True)
class Peer:
    """`processes` gives the arguments to Python, by name, for so many workers."""

    name: str
    processes: Callable[[int], Mapping[str, Sequence[str]]]
    needs_postgresql: bool = False
    is_registered_first: bool = False  # its work is written before its processes start
    jobs_a_second: int = 300  # which it registers at the least
    environment: Mapping[str, str] = field(default_factory=dict)


def prepare() -> None:
    """Make the tables that the processes expect: the same as nothing, unless a peer has its own."""


def say_ready(**_signal: object) -> None:
    """In each process, when it waits for work."""
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()


def told(name: str) -> str:
    """`LINE_URL`, `DATABASE_URL`, `BROKER_URL`, `KEY_PREFIX` or `FOLDER`; empty in the bench."""
    return os.environ.get(f"BENCH_{name}", "")
