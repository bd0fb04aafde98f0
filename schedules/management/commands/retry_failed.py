"""`manage.py retry_failed`: what failed is sent again, because whoever runs this says so."""

import json
import sys
from collections import Counter
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.db.models import QuerySet

from orgs.clock import database_now
from orgs.reach import under
from schedules.actions import Retried, retry, retryable
from schedules.management import command
from schedules.management.command import FAILED
from schedules.management.named import (
    account_named,
    moment_named,
    person_named,
    schedule_named,
    unit_named,
)
from schedules.management.operator import as_command
from schedules.management.progress import Bar
from schedules.models import Delivery

REFUSED = 1  # exit status
AT_ONCE = 200  # deliveries in one transaction
LISTED = 50


class Command(command.Command):
    help = (
        "Plan failed deliveries again, to leave at once. Exit status 0: all of them, 1: some were "
        "refused, 2: nothing was done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--unit", help="Code or id: only of this unit and those under it.")
        parser.add_argument("--account", help="Name or id: only through this account.")
        parser.add_argument("--schedule", type=int, metavar="ID", help="Only of this schedule.")
        parser.add_argument(
            "--since", default="24h", metavar="WHEN",
            help="Only what was appointed since: 90m, 24h (usual), 7d, or a time.",
        )  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="List them; change nothing.")
        parser.add_argument("--by", metavar="USER", help="The person who decides this.")
        parser.add_argument("--json", action="store_true", help="One line of JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            by = person_named(options["by"])
            since = moment_named(options["since"], database_now())
            found = _wanted(retryable(by), options, since).order_by("id")
            if options["dry_run"]:
                self._list(found, is_json=options["json"])
                return
            retried = _retry(list(found.values_list("pk", flat=True)), by)
        except DatabaseError as error:
            words = f"The database does not answer: {error}"
            raise CommandError(words, returncode=FAILED) from error
        self._say(retried, is_json=options["json"])
        if retried.refused:
            sys.exit(REFUSED)

    def _list(self, found: QuerySet[Delivery], *, is_json: bool) -> None:
        rows = list(found.select_related("run").defer("run__payloads", "members")[:LISTED])
        count = found.count()
        if is_json:
            facts = {"dry_run": True, "found": count, "first": [_facts(row) for row in rows]}
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
            return
        self.stdout.write(f"A trial: {count} would be tried again.")
        self.stdout.write("\n".join(_line(row) for row in rows))

    def _say(self, retried: Retried, *, is_json: bool) -> None:
        refused = {pk: str(error) for pk, error in retried.refused.items()}
        if is_json:
            facts = {"planned": retried.planned, "refused": refused}
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
            return
        self.stdout.write(f"{len(retried.planned)} are tried again.")
        for why, count in Counter(refused.values()).most_common():
            self.stdout.write(f"{count} are not: {why}")


def _wanted(
    rows: QuerySet[Delivery], options: dict[str, Any], since: datetime
) -> QuerySet[Delivery]:
    rows = rows.filter(due_at__gte=since)
    if options["unit"]:
        rows = under(unit_named(options["unit"]), rows)
    if options["account"]:
        rows = rows.filter(account=account_named(options["account"]))
    if options["schedule"] is not None:
        rows = rows.filter(run__schedule=schedule_named(options["schedule"]))
    return rows


def _retry(ids: list[int], by: Any) -> Retried:
    total = Retried()
    progress = Bar("deliveries", len(ids))
    with as_command():
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            one = retry(some, by=by)
            total.planned += one.planned
            total.refused |= one.refused
            progress(len(some))
    return total


def _facts(row: Delivery) -> dict[str, Any]:
    return {"id": row.pk, "due_at": row.due_at.isoformat(), "title": row.run.title,
            "room": row.room_name, "error": row.error}  # fmt: skip


def _line(row: Delivery) -> str:
    at = row.due_at.isoformat(" ", "seconds")
    return f"  {at}  {row.run.title} → {row.room_name}: {row.error}"
