"""`manage.py backup FOLDER`: database, images and archived logs in one encrypted file, verified."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from config.backup.keys import add_key_arguments, key_of
from config.backup.making import BACKED_UP, Foreseen, foresee, make
from config.backup.sealing import new_key
from config.backup.trouble import Trouble, said
from logs import history
from orgs.clock import database_now
from schedules.actions.fence import own_installation
from schedules.management import command
from schedules.management.command import FAILED
from schedules.management.operator import as_command, operator
from schedules.management.progress import Bar


class Command(command.Command):
    help = "Write database, images and archived logs into one file, encrypted and verified."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, help="Where the backup goes.")
        add_key_arguments(parser)
        parser.add_argument("--new-key", type=Path, metavar="FILE", help="Only make a key.")
        parser.add_argument(
            "--keep", type=int, default=0, help="Remove all but the latest so many. 0: none."
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Only say what would be written and removed."
        )
        parser.add_argument("--json", action="store_true", help="One line of JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["new_key"]:
                self._make_key(options["new_key"], options)
                return
            if options["folder"] is None:
                raise Trouble("Name the folder that the backup goes into.")
            key = key_of(options)
            if options["dry_run"]:
                self._foretell(foresee(options["folder"], keep=options["keep"]), options)
                return
            made = make(
                options["folder"],
                key,
                now=database_now(),
                keep=options["keep"],
                begin_bar=lambda files: Bar("files", files),
            )
        except (Trouble, OSError, DatabaseError) as error:
            raise CommandError(f"No backup was made. {said(error)}", returncode=FAILED) from error
        with as_command():
            history.record(
                BACKED_UP, own_installation(), by=operator(), now=database_now(), unit_path="",
                changes={"file": made.path.name, "bytes": made.size, "rows": made.rows},
            )  # fmt: skip
        removed = [str(path) for path in made.removed]
        facts = {"file": str(made.path), "bytes": made.size, "rows": made.rows,
                 "images": made.images, "removed": removed}  # fmt: skip
        words = f"{made.path}: {made.size} bytes, {made.rows} rows, {made.images} images, verified."
        if removed:
            words += f" Removed {len(removed)} older ones."
        self.stdout.write(json.dumps(facts) if options["json"] else words)

    def _foretell(self, found: Foreseen, options: dict[str, Any]) -> None:
        facts = asdict(found) | {"dry_run": True, "removed": [str(path) for path in found.removed]}
        words = f"A trial: {found.rows} rows and {found.files} files of {found.size} bytes would"
        words += f" be written, {len(found.removed)} older backups removed."
        self.stdout.write(json.dumps(facts) if options["json"] else words)

    def _make_key(self, path: Path, options: dict[str, Any]) -> None:
        is_trial = options["dry_run"]
        if is_trial and path.exists():
            raise Trouble(f"{path}: it is there already.")
        public = "" if is_trial else new_key(path)
        facts = {"dry_run": is_trial, "key_file": str(path), "public": public}
        words = f"{path} holds the key {public}.\n"
        words += "Keep a copy away from this machine: without it no backup can be opened."
        if is_trial:
            words = f"A trial: a key would be written to {path}."
        self.stdout.write(json.dumps(facts) if options["json"] else words)
