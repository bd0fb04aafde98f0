"""`manage.py fence`: whether all sending is stopped, and why; stops it; lets it go on."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from orgs.clock import database_now
from schedules import actions
from schedules.actions import fence as acts
from schedules.dispatch.fence import Fence
from schedules.management.named import FAILED, person_named
from schedules.management.operator import as_command, operator
from schedules.models import Installation
from schedules.shown.fence import Due, due_meanwhile

FENCED = 1  # exit status


class Command(BaseCommand):
    help = (
        "Say whether all sending is fenced (exit status 1) or free (0); put the fence up, lift it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--up", metavar="REASON", help="Stop all sending, everywhere, now.")
        what.add_argument("--lift", action="store_true", help="Send again, from this database.")
        due = parser.add_mutually_exclusive_group()
        due.add_argument(
            "--skip-due", action="store_true", help="With --lift: what came due is skipped (usual)."
        )
        due.add_argument(
            "--send-due", action="store_true", help="With --lift: what is within its grace goes."
        )
        parser.add_argument("--note", default="", help="With --lift: why, for the history.")
        parser.add_argument("--by", metavar="USER", help="The person who decides this.")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["skip_due"] or options["send_due"]) and not options["lift"]:
            raise CommandError("--skip-due and --send-due belong to --lift.", returncode=FAILED)
        if options["up"] is not None and not options["up"].strip():
            raise CommandError("Sending goes on: give --up a reason.", returncode=FAILED)
        try:
            # Before anything starts here: a copy is known as one, and what is shown is true.
            is_fenced = Fence().look()
            if options["up"]:
                self._stop(options)
            elif options["lift"]:
                self._lift(options)
            elif is_fenced:
                self._say_fenced()
                sys.exit(FENCED)
            else:
                self.stdout.write("Sending is free.")
        except actions.Refused as error:
            raise CommandError(str(error), returncode=FAILED) from error
        except (DatabaseError, InterfaceError) as error:
            words = f"The database does not answer: {error}"
            raise CommandError(words, returncode=FAILED) from error

    def _stop(self, options: dict[str, Any]) -> None:
        with as_command():
            acts.stop(by=person_named(options["by"]), note=options["up"])
        self.stdout.write("All sending is stopped. Lift it with: manage.py fence --lift")

    def _lift(self, options: dict[str, Any]) -> None:
        by = person_named(options["by"])
        if Installation.objects.fenced():
            self._say_fenced()
        with as_command():
            skipped = acts.lift(by=by, note=options["note"], send_due=options["send_due"])
        what = "what is within its grace goes now" if options["send_due"] else f"{skipped} skipped"
        self.stdout.write(f"The fence is lifted; of what was due: {what}.")

    def _say_fenced(self) -> None:
        row = Installation.objects.fenced()
        assert row is not None and row.fenced_at is not None, "asked while it is fenced"
        self.stdout.write(f"All sending is fenced since {row.fenced_at.isoformat(' ', 'seconds')}.")
        self.stdout.write(f"{row.get_reason_display()} {row.detail}".rstrip())
        self.stdout.write("\n".join(_lines(due_meanwhile(operator(), database_now()))))


def _lines(due: Due) -> list[str]:
    found = [f"Due meanwhile and not sent: {due.total}; schedules not planned: {due.schedules}."]
    found += [f"  {line.count:>6}  {line.unit} · {line.channel}" for line in due.counts]
    return found + [
        f"  {row.due_at.isoformat(' ', 'seconds')}  {row.run.title} → {row.room_name}"
        for row in due.first
    ]
