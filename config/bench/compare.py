"""Teiji beside the floor and the peers: who was best, and by how much."""

from collections.abc import Mapping
from typing import Any

from config.bench.figures import circumstances, columns, ratio, table

COLUMNS = ("rooms", "arrived", "missing", "duplicates", "early", "p50", "p99", "last", "rate_per_s",
           "cpu_s", "peak_mb")  # fmt: skip
CIRCUMSTANCES = ("shape", "workers", "accounts", "latency_ms", "limit_s", "database", "broker")


def compared(ours: Mapping[str, Any], peers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The peers with `times_teiji` (last by last), the best of them by p99, and our p99 and
    last as shares of its own."""
    late = ours["lateness_s"]
    best = min(peers, key=lambda name: (late_of(peers[name], "p99"), late_of(peers[name], "last")),
               default=None)  # fmt: skip
    return {
        "peers": {
            name: {**found, "times_teiji": ratio(late_of(found, "last"), late["last"])}
            for name, found in peers.items()
        },
        "best_peer": best,
        "share_of_best_peer": best
        and {name: ratio(late[name], late_of(peers[best], name)) for name in ("p99", "last")},
    }


def late_of(found: Mapping[str, Any], name: str) -> float:
    seconds: float = found["lateness_s"][name]
    return seconds


def as_text(found: Mapping[str, Any]) -> str:
    """A row for each who sent, then the ratios, then what was measured on."""
    named = {"Teiji": found, "floor": found["floor"], **found["peers"]}
    rows = [["", *COLUMNS, "times Teiji"]]
    rows += [[name, *_cells(figures)] for name, figures in named.items()]
    ratios: list[tuple[str, Any]] = [("Teiji's last, times the floor's", found["times_the_floor"])]
    if found["best_peer"]:
        share = found["share_of_best_peer"]
        ratios += [(f"Teiji's {name}, as a share of the best peer's ({found['best_peer']})", value)
                   for name, value in share.items()]  # fmt: skip
    ratios += [(f"{name} could not run", "") for name in found["failed_peers"]]
    return f"{columns(rows)}\n\n{table(ratios)}\n\n{circumstances(found, CIRCUMSTANCES)}"


def _cells(figures: Mapping[str, Any]) -> list[Any]:
    flat = {**figures, **figures["lateness_s"]}
    return [*(flat[name] for name in COLUMNS), figures.get("times_teiji")]
