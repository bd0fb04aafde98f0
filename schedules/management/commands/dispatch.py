"""`manage.py dispatch`: the loop without Celery; `--once` for cron or for trying."""

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from schedules.dispatch.events import run
from schedules.dispatch.loop import Loop


class Command(BaseCommand):
    help = "Plan, send and settle what is due, until stopped. Needs neither broker nor beat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="Stop when nothing is due within the next seconds."
        )

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        settled = run(self._run(once))
        self.stdout.write(f"{settled} answers were settled.")

    async def _run(self, once: bool) -> int:
        loop = Loop()
        events = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            events.add_signal_handler(name, loop.stop)
        await loop.run(once=once)
        return loop.sent
