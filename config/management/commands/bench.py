"""`manage.py bench dispatch` and `manage.py bench start`: measures, beside the user's data."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.bench import dispatch, start
from config.bench.figures import table
from config.bench.line import is_there


class Command(BaseCommand):
    help = "Measure this machine with an installation of its own; yours is not touched."

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = parser.add_subparsers(dest="kind", required=True)
        sending = kinds.add_parser("dispatch", help="N rooms due at the same second.")
        sending.add_argument("--rooms", type=int, default=1000)
        sending.add_argument("--shape", choices=["one", "many"], default="one",
                             help="One schedule for all rooms, or one for each.")  # fmt: skip
        sending.add_argument("--latency-ms", type=float, default=30.0,
                             help="How long the fake LINE takes to answer.")  # fmt: skip
        sending.add_argument("--workers", type=int, default=1)
        sending.add_argument("--database", default="",
                             help="URL of a PostgreSQL server; without it SQLite.")  # fmt: skip
        sending.add_argument("--broker", default="",
                             help="URL of a Redis database that nobody uses.")  # fmt: skip
        starting = kinds.add_parser("start", help="From the start of the demo to its first page.")
        for parser_of_kind in (sending, starting):
            parser_of_kind.add_argument("--json", action="store_true", help="One line of JSON.")

    def handle(self, *args: Any, kind: str, **options: Any) -> None:
        found = start.measure() if kind == "start" else self._dispatch(options)
        if not options["json"]:
            self.stdout.write(table(flat(found)))
        else:
            self.stdout.write(json.dumps(found))

    def _dispatch(self, options: dict[str, Any]) -> dict[str, Any]:
        if not is_there():
            raise CommandError("The fake LINE server is in tests/, which this copy has not.")
        if options["rooms"] < 1 or options["workers"] < 1:
            raise CommandError("At least one room and one worker.")
        return dispatch.measure(
            dispatch.Task(
                rooms=options["rooms"],
                shape=options["shape"],
                workers=options["workers"],
                latency_ms=options["latency_ms"],
                database_url=options["database"],
                broker_url=options["broker"],
            )
        )


def flat(found: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Nested names with dots: lateness_s.p99."""
    rows: list[tuple[str, Any]] = []
    for name, value in found.items():
        rows += flat(value, f"{name}.") if isinstance(value, dict) else [(name, value)]
    return [(prefix + name, value) for name, value in rows]
