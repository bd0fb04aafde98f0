"""The figures of a measurement, in the forms in which they are shown."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Lateness:
    """Seconds from the appointed time to the arrival."""

    p50: float
    p99: float
    last: float


@dataclass(frozen=True)
class Arrivals:
    """What arrived, and how late."""

    arrived: int
    duplicates: int
    early: int
    lateness_s: Lateness
    rate_per_s: int


def arrivals(log: Sequence[dict[str, Any]], due_at: float) -> Arrivals:
    """The figures of a fake's log for messages that were all due at `due_at`."""
    late = sorted(entry["at"] - due_at for entry in log) or [0.0]
    rooms = {str(entry["to"]) for entry in log}
    lateness = Lateness(*(round(quantile(late, share), 3) for share in (0.5, 0.99, 1.0)))
    return Arrivals(
        arrived=len(log),
        duplicates=len(log) - len(rooms),
        early=sum(seconds < 0 for seconds in late),
        lateness_s=lateness,
        rate_per_s=round(len(log) / late[-1]) if late[-1] > 0 else 0,
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share does not exceed."""
    position = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(int(position), 1) - 1]


def machine() -> dict[str, Any]:
    """What it was measured on."""
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def as_json(found: Arrivals, **more: Any) -> dict[str, Any]:
    return {**asdict(found), **more}


def table(rows: Sequence[tuple[str, Any]]) -> str:
    """Two columns, the names as wide as the longest."""
    width = max(len(name) for name, _value in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)
