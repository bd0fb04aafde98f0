"""Whether a turn of the planner costs by what is due, and not by what is registered."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from config.bench.figures import columns, machine, ratio, table
from config.bench.inside import ask, installed
from config.bench.phase import say

__all__ = ["HELP", "arguments", "as_text", "measure"]

HELP = "Plan what is due among many schedules, and among few."

COMPARED = ("turn_ms", "nothing_due_ms", "sweep_ms")


def arguments(parser: ArgumentParser) -> None:
    """The options of `bench plan`."""
    add = parser.add_argument
    add("--schedules", type=int, default=1_000_000, help="Active schedules in the table.")
    add("--due", type=int, default=1000, help="Those of them that are due in one turn.")
    add("--turns", type=int, default=5, help="Turns of which the median is taken.")
    add("--explain", action="store_true", help="Show the plans of the planner's queries.")
    add("--database", default="", help="URL of a PostgreSQL server; without it SQLite.")


def measure(options: dict[str, Any]) -> dict[str, Any]:
    """The figures with few schedules and with many, and many ÷ few."""
    due, turns, many = options["due"], options["turns"], options["schedules"]
    few = due * (turns + 1)  # those of each turn, and those that are explained
    if min(due, turns) < 1 or many < few:
        raise ValueError(f"At least one due, one turn, and {few} schedules for so many turns.")
    found = []
    for registered in (few, many):
        say(f"{registered:,} schedules")
        with installed(options["database"]) as place:
            task = {"due": due, "turns": turns, "explain": options["explain"]}
            found.append(ask(place, "config.bench.plan_work", registered=registered, **task))
            database = place.database
    few_figures, many_figures = found
    return {
        "few": few_figures,
        "many": many_figures,
        "many_times_few": {
            name: ratio(many_figures[name]["median"], few_figures[name]["median"])
            for name in COMPARED
        },
        "due": due,
        "database": database,
        "machine": machine(),
    }


def as_text(found: Mapping[str, Any]) -> str:
    """A row for few and one for many, the ratios, then the plans that were asked for."""
    rows: list[list[Any]] = [["schedules", *COMPARED, "run_us"]]
    for one in (found["few"], found["many"]):
        medians = [one[name]["median"] for name in COMPARED]
        rows.append([f"{one['registered']:,}", *medians, one["run_us"]])
    rows.append(["many ÷ few", *(found["many_times_few"][name] for name in COMPARED), None])
    facts = [(name, found[name]) for name in ("due", "database", "machine")]
    plans = ["", *found["many"]["plans"]] if "plans" in found["many"] else []
    return "\n".join([columns(rows), "", table(facts), *plans])
