"""Whether a large tenant makes a small one late: the small one alone, then both at one second; and
whether what is urgent goes before the rest of its own account."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

from config import processes
from config.bench.dispatch import broker_in_words, check_servers, server_arguments
from config.bench.figures import circumstances, columns, machine, ratio, table
from config.bench.line import Line, line_server
from config.bench.peers.message import prefix
from config.bench.phase import arriving, figures, patience
from config.bench.scratch import Scratch, scratch
from config.bench.teiji import Installation, installation

__all__ = ["HELP", "arguments", "as_text", "measure"]

HELP = "A small tenant beside a large one, due at the same second."

SMALL, LARGE, ORDINARY, URGENT = range(4)  # ORDINARY and URGENT are one tenant's
HANG_SECONDS = 30.0  # longer than an adapter waits
RETRY_SECONDS = 120.0  # until those that hung have been tried again
QUANTILES = ("p50", "p99", "last")
COLUMNS = ("rooms", "arrived", "missing", "duplicates", "early", *QUANTILES)
CIRCUMSTANCES = ("workers", "hang", "latency_ms", "limit_s", "database", "broker")


@dataclass(frozen=True)
class Task:
    """What is to be measured."""

    rooms: int  # the large tenant's
    beside: int  # the small tenant's
    hang: int  # the large tenant's first requests that get no answer
    workers: int
    ordinary: int  # rooms of one account; 0: priority is not measured
    urgent: int  # more rooms of it, with a higher priority

    @property
    def waiting(self) -> float:
        """Seconds after the appointed time for which both are waited for."""
        return patience(self.rooms + self.beside) + (RETRY_SECONDS if self.hang else 0.0)


def arguments(parser: ArgumentParser) -> None:
    """The options of `bench fairness`."""
    add = parser.add_argument
    add("--rooms", type=int, default=50_000, help="Rooms of the large tenant.")
    add("--beside", type=int, default=100, help="Rooms of the small tenant.")
    add("--hang", type=int, default=0, metavar="N",
        help="The large tenant's channel never answers its first N requests.")  # fmt: skip
    add("--ordinary", type=int, default=0, help="Rooms of one account beside its urgent ones.")
    add("--urgent", type=int, default=0, help="Rooms of that account with a higher priority.")
    server_arguments(parser)


def measure(options: dict[str, Any]) -> dict[str, Any]:
    """The figures of the small tenant alone and together, and those of the large one."""
    task = _task(options)
    with scratch(options["database"], options["broker"]) as place:
        fakes = processes.Family(place.environment, place.folder / "logs")
        with line_server(fakes, options["latency_ms"]) as line:
            found = _send(task, place, line)
    return {
        **found,
        "workers": task.workers,
        "hang": task.hang,
        "latency_ms": options["latency_ms"],
        "limit_s": task.waiting,
        "database": place.database,
        "broker": broker_in_words(options["broker"]),
        "machine": machine(),
    }


def as_text(found: Mapping[str, Any]) -> str:
    """A row for each tenant and phase, then how much later the small one is."""
    named = {
        "small, alone": found["small"]["alone"],
        "small, together": found["small"]["together"],
        "large": found["large"],
    }
    named |= {f"one account, {name}": one for name, one in (found["priority"] or {}).items()}
    rows = [["", *COLUMNS]]
    for name, tenant in named.items():
        flat = {**tenant, **tenant["lateness_s"]}
        rows.append([name, *(flat[column] for column in COLUMNS)])
    ratios = [(f"small, together, times alone: {name}", value)
              for name, value in found["times_alone"].items()]  # fmt: skip
    return f"{columns(rows)}\n\n{table(ratios)}\n\n{circumstances(found, CIRCUMSTANCES)}"


def _task(options: dict[str, Any]) -> Task:
    check_servers(options)
    if min(options["rooms"], options["beside"], options["workers"]) < 1:
        raise ValueError("At least one room each and one worker.")
    if not 0 <= options["hang"] <= options["rooms"]:
        raise ValueError("--hang is a number of requests, at most one for each room.")
    ordinary, urgent = options["ordinary"], options["urgent"]
    if min(ordinary, urgent) < 0 or (ordinary > 0) != (urgent > 0):
        raise ValueError("--ordinary and --urgent are given together.")
    return Task(
        options["rooms"], options["beside"], options["hang"], options["workers"], ordinary, urgent
    )


def _send(task: Task, place: Scratch, line: Line) -> dict[str, Any]:
    with installation(place, line, task.workers) as teiji:
        teiji.plant(SMALL, task.beside)
        teiji.plant(LARGE, task.rooms)
        alone = _alone(task, teiji, line)
        together, large = _together(task, teiji, line)
        priority = _priority(task, teiji, line) if task.urgent else None
    late, late_alone = together["lateness_s"], alone["lateness_s"]
    return {
        "small": {"alone": alone, "together": together},
        "times_alone": {name: ratio(late[name], late_alone[name]) for name in QUANTILES},
        "large": large,
        "priority": priority,
    }


def _alone(task: Task, teiji: Installation, line: Line) -> dict[str, Any]:
    due_at = teiji.schedule("one", SMALL)
    log = arriving(line, task.beside, due_at, "the small tenant alone")
    return figures(log, task.beside, due_at)


def _together(task: Task, teiji: Installation, line: Line) -> tuple[dict[str, Any], dict[str, Any]]:
    if task.hang:
        _let_hang(line, prefix(LARGE), task.hang)
    due_at = teiji.schedule("one", LARGE, SMALL)
    both = task.rooms + task.beside
    waiting = task.waiting
    log = arriving(line, both, due_at, "both", waiting=waiting)
    return (
        figures(_of(SMALL, log), task.beside, due_at, waited=waiting),
        figures(_of(LARGE, log), task.rooms, due_at, waited=waiting),
    )


def _priority(task: Task, teiji: Installation, line: Line) -> dict[str, Any]:
    """One account's ordinary and urgent messages at one second."""
    teiji.plant(ORDINARY, task.ordinary)
    teiji.plant_urgent(ORDINARY, URGENT, task.urgent)
    due_at = teiji.schedule("one", ORDINARY)
    both = task.ordinary + task.urgent
    log = arriving(line, both, due_at, "ordinary and urgent")
    waited = patience(both)
    return {
        "ordinary": figures(_of(ORDINARY, log), task.ordinary, due_at, waited=waited),
        "urgent": figures(_of(URGENT, log), task.urgent, due_at, waited=waited),
    }


def _of(tenant: int, log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in log if entry["to"].startswith(prefix(tenant))]


def _let_hang(line: Line, addresses: str, times: int) -> None:
    fault = {"kind": "hang_never_accept", "times": times, "prefix": addresses,
             "seconds": HANG_SECONDS}  # fmt: skip
    request = Request(f"{line.url}/_fake/faults", json.dumps(fault).encode())  # noqa: S310
    with urlopen(request, timeout=30):  # noqa: S310  (the fake, on this machine)
        pass
