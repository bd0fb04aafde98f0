"""`manage.py fence`: whether all sending is stopped, and why; stops it; lets it go on."""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from orgs.clock import database_now
from schedules import actions
from schedules.actions import fence as acts
from schedules.dispatch.fence import Fence
from schedules.management import command
from schedules.management.command import FAILED
from schedules.management.named import person_named
from schedules.management.operator import as_command, operator
from schedules.models import Installation
from schedules.shown.fence import Due, due_meanwhile

FENCED = 1  # exit status


class Command(command.Command):
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
        parser.add_argument(
            "--dry-run", action="store_true", help="With --lift: only say what would become of it."
        )
        parser.add_argument("--json", action="store_true", help="One line of JSON.")
        parser.add_argument("--note", default="", help="With --lift: why, for the history.")
        parser.add_argument("--by", metavar="USER", help="The person who decides this.")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["skip_due"] or options["send_due"]) and not options["lift"]:
            raise CommandError("--skip-due and --send-due belong to --lift.", returncode=FAILED)
        if options["dry_run"] and not options["lift"]:
            raise CommandError("--dry-run belongs to --lift.", returncode=FAILED)
        if options["up"] is not None and not options["up"].strip():
            raise CommandError("Sending goes on: give --up a reason.", returncode=FAILED)
        try:
            # Before anything starts here: a copy is known as one, and what is shown is true.
            is_fenced = Fence().look()
            if options["up"]:
                self._stop(options)
            elif options["lift"]:
                self._lift(options)
            else:
                self._say(is_fenced, options)
        except actions.Refused as error:
            raise CommandError(str(error), returncode=FAILED) from error
        except (DatabaseError, InterfaceError) as error:
            words = f"The database does not answer: {error}"
            raise CommandError(words, returncode=FAILED) from error

    def _say(self, is_fenced: bool, options: dict[str, Any]) -> None:
        if not is_fenced:
            self._write("Sending is free.", {"fenced": False}, options)
            return
        self._write(_words_of_fence(), _facts_of_fence(), options)
        sys.exit(FENCED)

    def _stop(self, options: dict[str, Any]) -> None:
        with as_command():
            acts.stop(by=person_named(options["by"]), note=options["up"])
        words = "All sending is stopped. Lift it with: manage.py fence --lift"
        self._write(words, {"fenced": True}, options)

    def _lift(self, options: dict[str, Any]) -> None:
        by = person_named(options["by"])
        before = _words_of_fence() if Installation.objects.fenced() else ""
        send_due, is_trial = options["send_due"], options["dry_run"]
        with as_command():
            if is_trial:
                skipped = acts.foresee_lift(by=by, send_due=send_due)
            else:
                skipped = acts.lift(by=by, note=options["note"], send_due=send_due)
        what = "what is within its grace goes now" if send_due else f"{skipped} skipped"
        words = f"The fence is lifted; of what was due: {what}."
        if is_trial:
            words = f"A trial: the fence stays. Lifted, of what is due: {what}."
        facts = {"dry_run": is_trial, "fenced": is_trial, "skipped": skipped}
        self._write("\n".join(filter(None, [before, words])), facts, options)

    def _write(self, words: str, facts: dict[str, Any], options: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(facts, ensure_ascii=False) if options["json"] else words)


def _words_of_fence() -> str:
    row = _fenced()
    lines = [f"All sending is fenced since {row.since.isoformat(' ', 'seconds')}.", row.why]
    return "\n".join([*lines, *_lines(due_meanwhile(operator(), database_now()))])


def _facts_of_fence() -> dict[str, Any]:
    row, due = _fenced(), due_meanwhile(operator(), database_now())
    return {
        "fenced": True,
        "reason": row.reason,
        "why": row.why,
        "since": row.since.isoformat(),
        "due": due.total,
        "not_planned": due.schedules,
        "by_unit": [asdict(line) for line in due.counts],
    }


class Fenced(NamedTuple):
    """Since when, and why."""

    since: datetime
    reason: str
    why: str


def _fenced() -> Fenced:
    row = Installation.objects.fenced()
    assert row is not None and row.fenced_at is not None, "asked while it is fenced"
    why = f"{row.get_reason_display()} {row.detail}".rstrip()
    return Fenced(row.fenced_at, row.reason, why)


def _lines(due: Due) -> list[str]:
    found = [f"Due meanwhile and not sent: {due.total}; schedules not planned: {due.schedules}."]
    found += [f"  {line.count:>6}  {line.unit} · {line.channel}" for line in due.counts]
    return found + [
        f"  {row.due_at.isoformat(' ', 'seconds')}  {row.run.title} → {row.room_name}"
        for row in due.first
    ]
