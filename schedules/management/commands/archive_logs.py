"""`manage.py archive_logs`: moves old months of the send log into compressed files."""

import json
import sys
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from logs import history
from orgs.clock import database_now
from schedules.actions.fence import own_installation
from schedules.archive.check import check
from schedules.archive.forget import forget
from schedules.archive.months import read_month, refuse_young, to_archive, to_forget
from schedules.archive.put import Moved, put, refuse_uncounted, runs_of
from schedules.archive.trouble import Trouble
from schedules.management import command
from schedules.management.command import FAILED
from schedules.management.operator import as_command, operator
from schedules.management.progress import Bar
from schedules.models import ArchivedMonth

DAMAGED = 1  # exit status


class Command(command.Command):
    help = "Move old months of the send log into compressed files, and remove the oldest files."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--month", action="append", default=[], metavar="2026-01",
            help="Only this month. Without: all but the last TEIJI_LOG_MONTHS.",
        )  # fmt: skip
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--dry-run", action="store_true", help="Only say what would be done.")
        what.add_argument(
            "--check", action="store_true", help="Only read the archive, and check it."
        )
        parser.add_argument("--json", action="store_true", help="One line of JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["check"]:
                self._check(options)
                return
            now = database_now()
            months = [read_month(text) for text in options["month"]]
            for month in months:
                refuse_young(month, now)
            if not months:
                months = list(to_archive(now, keep=settings.TEIJI_LOG_MONTHS))
            forgets = not options["month"]
            if options["dry_run"]:
                self._foretell(months, now, forgets=forgets, as_json=options["json"])
            else:
                self._move(months, now, forgets=forgets, as_json=options["json"])
        except (Trouble, OSError, DatabaseError) as error:
            raise CommandError(str(error), returncode=FAILED) from error

    def _move(self, months: list[date], now: datetime, *, forgets: bool, as_json: bool) -> None:
        moved = {}
        for month in months:
            found = put(month, now=now, progress=Bar(f"{month:%Y-%m}", runs_of(month).count()))
            moved[f"{month:%Y-%m}"] = found
            if found.runs:
                _record("archived", month, now, asdict(found))
        removed = forget(now, keep=settings.TEIJI_ARCHIVE_MONTHS) if forgets else []
        for row in removed:
            _record("archive_removed", row.month, now, {"runs": row.runs})
        if as_json:
            facts = {month: asdict(found) for month, found in moved.items()}
            self.stdout.write(json.dumps({"archived": facts, "removed": [str(r) for r in removed]}))
            return
        for name, found in moved.items():
            self.stdout.write(_words(name, found))
        for row in removed:
            self.stdout.write(f"{row}: removed from the archive, {row.runs} runs.")
        if not moved and not removed:
            self.stdout.write("Nothing is old enough.")

    def _foretell(self, months: list[date], now: datetime, *, forgets: bool, as_json: bool) -> None:
        for month in months:
            refuse_uncounted(month)
        moved = {f"{month:%Y-%m}": runs_of(month).count() for month in months}
        removed = to_forget(now, keep=settings.TEIJI_ARCHIVE_MONTHS) if forgets else []
        if as_json:
            facts = {"dry_run": True, "archived": moved, "removed": [str(row) for row in removed]}
            self.stdout.write(json.dumps(facts))
            return
        for name, count in moved.items():
            self.stdout.write(f"{name}: up to {count} runs would move into the archive.")
        for row in removed:
            self.stdout.write(f"{row}: {row.runs} runs would be removed from the archive.")
        if not moved and not removed:
            self.stdout.write("Nothing is old enough.")

    def _check(self, options: dict[str, Any]) -> None:
        count = ArchivedMonth.objects.filter(removed_at=None).count()
        problems = list(check(Bar("months", count)))
        if options["json"]:
            self.stdout.write(json.dumps({"months": count, "problems": problems}))
        else:
            self.stdout.write("\n".join([*problems, _verdict(count, problems)]))
        if problems:
            sys.exit(DAMAGED)


def _record(verb: str, month: date, now: datetime, facts: dict[str, Any]) -> None:
    with as_command():
        history.record(
            verb, own_installation(), by=operator(), now=now, unit_path="",
            changes={"month": f"{month:%Y-%m}", **facts},
        )  # fmt: skip


def _words(month: str, moved: Moved) -> str:
    words = f"{month}: {moved.runs} runs, {moved.deliveries} deliveries, {moved.attempts} attempts"
    words += " moved into the archive."
    if moved.left:
        words += f" {moved.left} runs stay: they are not over, or wait for a person to decide."
    return words


def _verdict(count: int, problems: list[str]) -> str:
    if problems:
        return f"The archive is NOT whole: {len(problems)} problems."
    return f"The archive is whole: {count} months."
