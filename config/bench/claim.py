"""Claiming from tables of several sizes, and what planning and settling take for each delivery."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from typing import Any

from config.bench.figures import columns, machine, ratio, table
from config.bench.inside import ask, installed
from config.bench.phase import say

__all__ = ["HELP", "arguments", "as_text", "measure"]

HELP = "Claim, plan and settle on tables of several sizes."

UNITS = {"k": 1_000, "m": 1_000_000}
RUN = 100  # deliveries of one run in those tables
BULK = ("plan_us", "plan_orm_us", "plan_orm_times", "settle_us", "settle_orm_us",
        "settle_orm_times")  # fmt: skip


def arguments(parser: ArgumentParser) -> None:
    """The options of `bench claim`."""
    add = parser.add_argument
    add("--table", type=_sizes, default="10k,100k,1m", metavar="SIZES",
        help="Deliveries in the tables, like 10k,100k,1m,5m.")  # fmt: skip
    add("--due", type=int, default=1000, help="Deliveries that are claimed at once.")
    add("--turns", type=int, default=7, help="Claims at each size.")
    add("--rows", type=int, default=10_000, help="Deliveries that are planned and settled.")
    add("--explain", action="store_true", help="Show the plans of the claim's queries.")
    add("--database", default="", help="URL of a PostgreSQL server; without it SQLite.")


def measure(options: dict[str, Any]) -> dict[str, Any]:
    """The figures at each size, and how the largest compares with the smallest."""
    sizes, due = options["table"], options["due"]
    if min(due, options["turns"], *sizes) < 1 or options["rows"] < 0:
        raise ValueError("At least one row, one delivery that is due, one turn.")
    if due > RUN and due % RUN:
        raise ValueError(f"--due: at most {RUN}, or a multiple of it.")
    found = []
    for size in sizes:
        say(f"a table of {size:,} deliveries")
        ends = size in (min(sizes), max(sizes))
        task = {name: options[name] for name in ("due", "turns", "explain")}
        with installed(options["database"]) as place:
            rows = options["rows"] if ends else 0
            found.append(ask(place, "config.bench.claim_work", table=size, rows=rows, **task))
            database = place.database
    return _summed_up(found) | {"due": due, "database": database, "machine": machine()}


def as_text(found: Mapping[str, Any]) -> str:
    """A row for each size, then the comparison, then the plans that were asked for."""
    sizes = found["sizes"]
    rows: list[list[Any]] = [["deliveries", "claim ms", "worst", "nothing due ms", "worst", *BULK]]
    for size in sizes:
        claims, idle, bulk = size["claim_ms"], size["nothing_due_ms"], size.get("bulk", {})
        measured = [claims["median"], claims["worst"], idle["median"], idle["worst"]]
        rows.append([f"{size['table']:,}", *measured, *(bulk.get(name) for name in BULK)])
    names = ("claim_largest_times", "nothing_due_ms", "due", "database", "machine")
    plans = [
        f"\n{size['table']:,} deliveries\n" + "\n".join(size["plans"])
        for size in sizes
        if "plans" in size
    ]
    return "\n".join([columns(rows), "", table([(name, found[name]) for name in names]), *plans])


def _summed_up(found: list[dict[str, Any]]) -> dict[str, Any]:
    by_size = sorted(found, key=lambda one: int(one["table"]))
    medians = [one["claim_ms"]["median"] for one in by_size]
    return {
        "sizes": by_size,
        "claim_largest_times": ratio(medians[-1], medians[0]),
        "nothing_due_ms": max(one["nothing_due_ms"]["median"] for one in by_size),
    }


def _sizes(text: str) -> list[int]:
    """10k,1m → [10000, 1000000]"""
    try:
        return [size_of(word.strip().lower()) for word in text.split(",")]
    except ValueError as error:
        raise ArgumentTypeError("Write sizes like 10k,100k,1m.") from error


def size_of(word: str) -> int:
    """1m → 1000000"""
    unit = UNITS.get(word[-1:], 1)
    return int(word[:-1] if unit > 1 else word) * unit
