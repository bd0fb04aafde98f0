"""An audience at one second, by multicasts of 500, as fast as LINE's own limit lets it."""

import time
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from config import processes
from config.bench.dispatch import broker_in_words, check_servers, server_arguments
from config.bench.figures import circumstances, columns, machine, ratio
from config.bench.line import Line, line_server
from config.bench.phase import LOOK_EVERY, STRAGGLERS, Use, say
from config.bench.scratch import scratch
from config.bench.teiji import Installation, installation

__all__ = ["HELP", "arguments", "as_text", "measure"]

HELP = "One message to N people by multicast, beside LINE's own limit."

PER_REQUEST = 500
RATE = 200.0  # multicasts a second that LINE takes from one channel
PLANNING_SECONDS = 20.0  # from the registration to the appointed time
PATIENCE = 3.0  # times the channel's own limit, and half a minute
SHARE_OF_SMALL = 100  # the small audience before it shows whether memory grows with the size
COLUMNS = ("recipients", "batches", "arrived", "reached", "duplicates", "early", "missing",
           "not_accepted", "last_s", "channel_limit_s", "times_the_limit", "cpu_s",
           "peak_mb")  # fmt: skip


def arguments(parser: ArgumentParser) -> None:
    """The options of `bench audience`."""
    parser.add_argument("--recipients", type=int, default=1_000_000)
    server_arguments(parser)


def measure(options: dict[str, Any]) -> dict[str, Any]:
    """A hundredth of the audience, then all of it, by the same processes."""
    check_servers(options)
    if min(options["recipients"], options["workers"]) < 1:
        raise ValueError("At least one recipient and one worker.")
    with scratch(options["database"], options["broker"]) as place:
        fakes = processes.Family(place.environment, place.folder / "logs")
        with (
            line_server(fakes, options["latency_ms"], limited=True) as line,
            installation(place, line, options["workers"]) as teiji,
        ):
            small = _send(teiji, line, max(options["recipients"] // SHARE_OF_SMALL, 1))
            found = _send(teiji, line, options["recipients"])
    return {
        **found,
        "small": small,
        "memory_growth_mb": round(found["peak_mb"] - small["peak_mb"]),
        "workers": options["workers"],
        "latency_ms": options["latency_ms"],
        "database": place.database,
        "broker": broker_in_words(options["broker"]),
        "machine": machine(),
    }


def as_text(found: Mapping[str, Any]) -> str:
    """A row for each of the two audiences."""
    rows = [COLUMNS, *([one[name] for name in COLUMNS] for one in (found["small"], found))]
    about = ("memory_growth_mb", "workers", "latency_ms", "database", "broker")
    return f"{columns(rows)}\n\n{circumstances(found, about)}"


def _send(teiji: Installation, line: Line, recipients: int) -> dict[str, Any]:
    say(f"{recipients:,} recipients are written")
    audience = teiji.python("config.bench.people", "plant", recipients)
    batches = -(-recipients // PER_REQUEST)
    line.arrivals()
    asked_before = line.requests("multicast")
    use = Use(teiji.family)
    due_at = float(teiji.python("config.bench.people", "schedule", audience, PLANNING_SECONDS))
    _wait(line, batches, due_at)
    log = line.arrivals()
    limit = batches / RATE
    missing = max(batches - len(log), 0)
    # What never came is as late as the wait for it.
    last = time.time() - due_at if missing else max(entry["at"] for entry in log) - due_at
    reached = [address for entry in log for address in entry["to"]]
    return {
        "recipients": recipients,
        "batches": batches,
        "arrived": len(log),
        "missing": missing,
        "reached": len(set(reached)),
        "duplicates": len(reached) - len(set(reached)),
        "early": sum(entry["at"] < due_at for entry in log),
        "not_accepted": line.requests("multicast") - asked_before - len(log),
        "last_s": round(last, 3),
        "channel_limit_s": round(limit, 3),
        "times_the_limit": ratio(last, limit),
        **use.figures(),
    }


def _wait(line: Line, batches: int, due_at: float) -> None:
    """Until all have come, or patience has ended."""
    deadline = due_at + 30 + PATIENCE * batches / RATE
    say(f"{batches:,} multicasts are due in {due_at - time.time():.0f} s")
    time.sleep(max(due_at + LOOK_EVERY - time.time(), 0))
    while line.accepted() < batches and time.time() < deadline:
        time.sleep(LOOK_EVERY)
    say(f"{line.accepted():,} of {batches:,} after {time.time() - due_at:.1f} s")
    time.sleep(STRAGGLERS)
