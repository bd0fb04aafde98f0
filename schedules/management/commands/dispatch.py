"""`manage.py dispatch`: the loop without Celery; `--once` for cron or for trying."""

import asyncio
import json
import signal
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from orgs.clock import database_now
from schedules.dispatch.events import run
from schedules.dispatch.loop import Loop
from schedules.dispatch.overdue import overdue
from schedules.management import command
from schedules.management.command import FAILED
from schedules.models import Installation

LEFT = 1  # exit status


class Command(command.Command):
    help = (
        "Plan, send and settle what is due, until stopped. Needs neither broker nor beat. Exit "
        "status 0: all that was due went, or it was stopped, 1: with --once, something due is "
        "left or all sending is fenced, 2: the database does not answer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="Stop when nothing is due within the next seconds."
        )
        parser.add_argument("--json", action="store_true", help="One line of JSON, at the end.")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        try:
            if once:
                database_now()  # the loop would wait for a database that is away
            settled = run(self._run(once))
            left = overdue(database_now()).count() if once else 0
            is_fenced = once and Installation.objects.fenced() is not None
        except (DatabaseError, InterfaceError) as error:
            words = f"The database does not answer: {error}"
            raise CommandError(words, returncode=FAILED) from error
        if options["json"]:
            facts = {"settled": settled, "left": left, "fenced": is_fenced}
            self.stdout.write(json.dumps(facts))
        else:
            self.stdout.write(f"{settled} answers were settled.")
            if is_fenced:
                self.stdout.write("All sending is fenced: see manage.py fence.")
            elif left:
                self.stdout.write(f"{left} are due and did not leave.")
        if left or is_fenced:
            sys.exit(LEFT)

    async def _run(self, once: bool) -> int:
        loop = Loop()
        events = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            events.add_signal_handler(name, loop.stop)
        await loop.run(once=once)
        return loop.sent
