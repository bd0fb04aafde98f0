"""`manage.py restore FILE`: a backup into an empty installation, which then is fenced."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from config.backup.keys import add_key_arguments, key_of
from config.backup.manifest import Manifest
from config.backup.restoring import lost_keys, refuse, restore, verify
from config.backup.trouble import Trouble, said
from schedules.management import command
from schedules.management.command import FAILED
from schedules.management.operator import as_command, operator
from schedules.management.progress import Bar


class Command(command.Command):
    help = "Put a backup into an empty installation. Nothing is sent until the fence is lifted."
    # The tables are not there yet.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        add_key_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="Only verify, change nothing.")
        parser.add_argument("--json", action="store_true", help="One line of JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        is_trial = options["dry_run"]
        try:
            key = key_of(options)
            manifest = verify(options["file"], key, Bar)
            if is_trial:
                _refuse(manifest)
                lost = ""
            else:
                with as_command():
                    restore(options["file"], key, manifest, by=operator(), begin_bar=Bar)
                lost = lost_keys(manifest)
        except (Trouble, OSError, DatabaseError) as error:
            raise CommandError(
                f"Nothing can be restored. {said(error)}", returncode=FAILED
            ) from error
        rows = sum(manifest.tables.values())
        facts = {"dry_run": is_trial, "created_at": manifest.created_at, "rows": rows,
                 "parts": len(manifest.parts), "lost_keys": lost}  # fmt: skip
        self.stdout.write(json.dumps(facts) if options["json"] else _words(facts))


def _refuse(manifest: Manifest) -> None:
    """What was verified is told also where it cannot go."""
    try:
        refuse(manifest)
    except Trouble as trouble:
        raise Trouble(f"The backup of {manifest.created_at} is whole. {trouble}") from trouble


def _words(facts: dict[str, Any]) -> str:
    what = f"The backup of {facts['created_at']} ({facts['rows']} rows)"
    if facts["dry_run"]:
        return f"{what} is whole and could be restored here."
    lines = [
        f"{what} was restored, and all sending is fenced.",
        "Stop every process of the old installation, see what was due with `manage.py fence`,",
        "and let it send with `manage.py fence --lift`.",
        facts["lost_keys"],
    ]
    return "\n".join(line for line in lines if line)
