"""`manage.py bench KIND`: measures, beside the user's data."""

import json
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser

from config.bench import audience, claim, dispatch, fairness, move, pages, plan, start
from config.bench.figures import table
from schedules.management import command

# Each has HELP, arguments(parser) and measure(options) → the figures; measure raises ValueError
# for options that make no sense, and RuntimeError for what stands in its way. A kind may show
# its figures by an as_text(figures) of its own.
KINDS = {
    "audience": audience,
    "claim": claim,
    "dispatch": dispatch,
    "fairness": fairness,
    "move": move,
    "pages": pages,
    "plan": plan,
    "start": start,
}

BROKEN = 1  # exit status: the figures are told, and are not as promised


class Command(command.Command):
    help = "Measure this machine with an installation of its own; yours is not touched."

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = parser.add_subparsers(dest="kind", required=True)
        for name, kind in KINDS.items():
            parser_of_kind = kinds.add_parser(name, help=kind.HELP)
            kind.arguments(parser_of_kind)
            parser_of_kind.add_argument("--json", action="store_true", help="One line of JSON.")

    def handle(self, *args: Any, kind: str, **options: Any) -> None:
        try:
            found = KINDS[kind].measure(options)
        except (ValueError, RuntimeError) as error:
            raise CommandError(str(error)) from error
        as_text = getattr(KINDS[kind], "as_text", _as_table)
        self.stdout.write(json.dumps(found) if options["json"] else as_text(found))
        if broken := broken_promises(found):
            self.stderr.write(f"Teiji broke its promise: {', '.join(broken)}.")
            sys.exit(BROKEN)


def _as_table(found: dict[str, Any]) -> str:
    return table(flat(found))


def broken_promises(found: dict[str, Any]) -> list[str]:
    """What of Teiji's own messages was lost, doubled or early; of no other's."""
    own = {name: value for name, value in found.items() if name not in ("floor", "peers")}
    return [
        f"{name} {value}"
        for name, value in flat(own)
        if name.rpartition(".")[2] in ("missing", "duplicates", "early") and value
    ]


def flat(found: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Nested names with dots: lateness_s.p99."""
    rows: list[tuple[str, Any]] = []
    for name, value in found.items():
        rows += flat(value, f"{name}.") if isinstance(value, dict) else [(name, value)]
    return [(prefix + name, value) for name, value in rows]
