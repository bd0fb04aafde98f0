"""The figures of a measurement, in the forms in which they are shown."""

import os
import platform
from collections.abc import Mapping, Sequence
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
    """What arrived, and how late. `missing`: rooms that had nothing when the wait ended."""

    arrived: int
    missing: int
    duplicates: int
    early: int
    lateness_s: Lateness
    rate_per_s: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def arrivals(
    log: Sequence[dict[str, Any]], due_at: float, *, rooms: int = 0, waited: float = 0.0
) -> Arrivals:
    """The figures of a fake's log for messages that were all due at `due_at`. A room that got
    none of them counts as late as was waited: who loses messages must not look fast."""
    late = sorted(entry["at"] - due_at for entry in log)
    served = {str(entry["to"]) for entry in log}
    missing = max(rooms - len(served), 0)
    counted = sorted([*late, *[waited] * missing]) or [0.0]
    return Arrivals(
        arrived=len(log),
        missing=missing,
        duplicates=len(log) - len(served),
        early=sum(seconds < 0 for seconds in late),
        lateness_s=Lateness(*(round(quantile(counted, share), 3) for share in (0.5, 0.99, 1.0))),
        rate_per_s=round(len(log) / late[-1]) if late and late[-1] > 0 else 0,
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share does not exceed."""
    position = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(int(position), 1) - 1]


def ratio(one: float, other: float) -> float | None:
    """None where there is nothing to compare with."""
    return round(one / other, 3) if other > 0 else None


def machine() -> dict[str, Any]:
    """What it was measured on."""
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def circumstances(found: Mapping[str, Any], names: Sequence[str]) -> str:
    """A table of these figures and of the machine."""
    about = ", ".join(f"{name} {value}" for name, value in found["machine"].items())
    return table([*((name, found[name]) for name in names), ("machine", about)])


def table(rows: Sequence[tuple[str, Any]]) -> str:
    """Two columns, the names as wide as the longest."""
    width = max(len(name) for name, _value in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def columns(rows: Sequence[Sequence[Any]]) -> str:
    """Aligned under the first row: names to the left, figures to the right."""
    shown = [["–" if value is None else str(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = (
        [name.ljust(widths[0]), *(v.rjust(w) for v, w in zip(rest, widths[1:], strict=True))]
        for name, *rest in shown
    )
    return "\n".join("  ".join(line) for line in lines)
