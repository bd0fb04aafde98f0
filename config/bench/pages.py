"""How long the server takes for the pages that staff live on, with a year's log behind them."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from config.bench.claim import size_of
from config.bench.figures import circumstances, columns, machine
from config.bench.inside import ask, installed

__all__ = ["AIM_MS", "HELP", "arguments", "as_text", "measure"]

HELP = "Server time of lists, log, start page and worklist at a million runs."

AIM_MS = 200


def arguments(parser: ArgumentParser) -> None:
    """The options of `bench pages`."""
    add = parser.add_argument
    add("--runs", type=size_of, default="1m", help="Runs and deliveries in the log, like 1m.")
    add("--turns", type=int, default=9, help="How often each page is asked for.")
    add("--explain", action="store_true", help="Show the plans of each page's queries.")
    add("--database", default="", help="URL of a PostgreSQL server; without it SQLite.")


def measure(options: dict[str, Any]) -> dict[str, Any]:
    """Milliseconds and queries of each page, for a headquarters and for a branch."""
    if min(options["runs"], options["turns"]) < 1:
        raise ValueError("At least one run, one turn.")
    task = {name: options[name] for name in ("runs", "turns", "explain")}
    with installed(options["database"]) as place:
        found = ask(place, "config.bench.pages_work", **task)
        database = place.database
    slow = [f"{page['page']} ({page['person']})" for page in found["pages"]
            if page["median_ms"] > AIM_MS]  # fmt: skip
    return found | {
        "aim_ms": AIM_MS,
        "slower_than_aimed": slow,
        "database": database,
        "machine": machine(),
    }


def as_text(found: Mapping[str, Any]) -> str:
    """A row for each page and person, then the circumstances and the plans asked for."""
    names = ("page", "person", "median_ms", "worst_ms", "aim_ms", "database_ms", "queries")
    rows = [[{**page, "aim_ms": found["aim_ms"]}[name] for name in names]
            for page in found["pages"]]  # fmt: skip
    plans = [
        f"\n{page['page']} ({page['person']})\n" + "\n".join(page["plans"])
        for page in found["pages"]
        if "plans" in page
    ]
    about = circumstances(found, ("runs", "slower_than_aimed", "database"))
    return "\n".join([columns([names, *rows]), "", about, *plans])
