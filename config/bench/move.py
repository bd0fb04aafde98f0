"""How long a unit with much behind it takes to move, and who waits meanwhile."""

from argparse import ArgumentParser
from typing import Any

from config.bench.claim import size_of
from config.bench.figures import machine
from config.bench.inside import ask, installed

__all__ = ["HELP", "arguments", "measure"]

HELP = "Move a unit with a year of deliveries while others send."


def arguments(parser: ArgumentParser) -> None:
    """The options of `bench move`."""
    add = parser.add_argument
    add("--deliveries", type=size_of, default="1m", help="Those of the unit that moves, like 1m.")
    add("--database", default="", help="URL of a PostgreSQL server; it needs one.")


def measure(options: dict[str, Any]) -> dict[str, Any]:
    """Seconds of the move, and milliseconds of what others do before it and meanwhile."""
    if not options["database"]:
        raise ValueError("Name a --database: on SQLite, with its one writer, all wait for a move.")
    with installed(options["database"]) as place:
        found = ask(place, "config.bench.move_work", deliveries=options["deliveries"])
        return found | {"database": place.database, "machine": machine()}
