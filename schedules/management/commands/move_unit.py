"""`manage.py move_unit`: a unit stands under another from now on, with all below it."""

import json
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.utils import translation

from orgs.models import Unit
from orgs.refusal import Refused
from schedules.actions.move_unit import foresee_move, move_unit
from schedules.management import command
from schedules.management.command import FAILED
from schedules.management.named import person_named, unit_named
from schedules.management.operator import as_command
from schedules.moving.losses import Outlook

REFUSED = 1  # exit status


class Command(command.Command):
    help = (
        "Move a unit under another one. Exit status 0: moved, 1: something stands against it, "
        "2: nothing was done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("unit", help="Its code or id.")
        parser.add_argument("--under", required=True, help="Code or id of the unit above.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would come of it.")
        parser.add_argument("--by", metavar="USER", help="The person who decides this.")
        parser.add_argument("--json", action="store_true", help="One line of JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            by = person_named(options["by"])
            unit, to = unit_named(options["unit"]), unit_named(options["under"])
            with translation.override("en"):
                found = _moved(unit, to, by, is_dry=options["dry_run"])
        except DatabaseError as error:
            words = f"The database does not answer: {error}"
            raise CommandError(words, returncode=FAILED) from error
        is_moved = not (found.barred or options["dry_run"])
        facts = {"moved": is_moved, "barred": found.barred, "told": found.told}
        lines = [*found.barred, *found.told]
        lines += [f"{unit} stands under {to}."] if is_moved else []
        self.stdout.write(json.dumps(facts) if options["json"] else "\n".join(lines))
        if found.barred:
            sys.exit(REFUSED)


def _moved(unit: Unit, to: Unit, by: Any, *, is_dry: bool) -> Outlook:
    try:
        found = foresee_move(unit, to=to, by=by)
        if not (is_dry or found.barred):
            with as_command():
                move_unit(unit, to=to, by=by)
    except Refused as error:
        return Outlook([str(error)])
    return found
