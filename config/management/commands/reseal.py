"""`manage.py reseal`: stored secrets are sealed with the first key of the settings."""

import json
import sys
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, transaction

from channels.secrets import seal
from config import sealed
from logs.history import record
from orgs.clock import database_now
from schedules.actions.fence import own_installation
from schedules.management import command
from schedules.management.command import FAILED
from schedules.management.operator import as_command, operator
from schedules.management.progress import Bar

CLOSED = 1  # exit status
SHOWN = 20  # names in words; --json has all


class Command(command.Command):
    help = (
        "Seal all stored secrets anew with the first of TEIJI_SECRET_KEYS, while everything goes "
        "on. Exit status 0: all are opened, and when none is left to seal the other keys can go; "
        "1: some are opened by no key; "
        "2: it was not done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Count them; change nothing.")
        parser.add_argument("--json", action="store_true", help="One line of JSON.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        try:
            seal({})  # the keys are keys
            report = sealed.seal_all_anew(dry_run=dry_run, done=Bar("secrets", sealed.count()))
            if report.anew and not dry_run:
                _note(report)
        except (DatabaseError, ImproperlyConfigured) as error:
            words = (
                f"The secrets could not be sealed anew: {error} What was done stays; run it again."
            )
            raise CommandError(words, returncode=FAILED) from error
        self.stdout.write(
            json.dumps(_facts(report)) if options["json"] else _words(report, dry_run)
        )
        if report.closed:
            sys.exit(CLOSED)


@transaction.atomic
def _note(report: sealed.Report) -> None:
    installation = own_installation()
    with as_command():
        record(
            "resealed",
            installation,
            by=operator(),
            now=database_now(),
            unit_path="",
            changes={"secrets": report.anew},
        )


def _facts(report: sealed.Report) -> dict[str, Any]:
    return {"anew": report.anew, "already": report.already, "closed": report.closed}


def _words(report: sealed.Report, dry_run: bool) -> str:
    did = "would be" if dry_run else "were"
    lines = [f"{report.anew} secrets {did} sealed anew; {report.already} were already."]
    for name in report.closed[:SHOWN]:
        lines.append(f"No key opens that of {name}.")
    if len(report.closed) > SHOWN:
        lines.append(f"… and of {len(report.closed) - SHOWN} more: see --json.")
    if report.closed:
        lines.append(
            "Put the key that sealed them back into TEIJI_SECRET_KEYS, or enter them anew."
        )
    elif report.anew and not dry_run:
        lines.append("Run it again until none is: others may have stored one meanwhile.")
    elif not report.anew:
        lines.append("The keys after the first are not needed any more, but for old backups.")
    return "\n".join(lines)
