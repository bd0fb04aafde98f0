"""`manage.py check_channels`: asks every account's channel for its credentials, quota, rooms."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from schedules.dispatch.clock import Clock
from schedules.dispatch.send import Senders
from schedules.management import command
from schedules.management.asking import Asked, Found, ask_account, choose
from schedules.management.command import FAILED
from schedules.management.named import account_named, whole_number
from schedules.management.progress import Bar

TROUBLE = 1  # exit status
AT_ONCE = 20  # accounts
HEADS = ("account", "channel", "credentials", "quota", "rooms", "")


class Command(command.Command):
    help = (
        "Ask each channel whether the credentials hold, what is left of the month, and whether we "
        "are still in the rooms. Sends nothing. Exit status 0: all well, 1: not, 2: failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", help="Name or id: only this one.")
        parser.add_argument(
            "--rooms", type=whole_number, default=20, metavar="N",
            help="Ask about so many rooms of each account, those not asked about for longest.",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="One line of JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            only = account_named(options["account"]) if options["account"] else None
            asked = choose(only, rooms=options["rooms"])
            clock = Clock()
            clock.set_by_database()
            found = asyncio.run(_ask(asked, Senders(clock)))
        except DatabaseError as error:
            words = f"The database does not answer: {error}"
            raise CommandError(words, returncode=FAILED) from error
        if options["json"]:
            lines = [asdict(one) | {"is_well": one.is_well} for one in found]
            self.stdout.write(json.dumps(lines, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(_table([HEADS, *map(_cells, found)])))
        if not all(one.is_well for one in found):
            sys.exit(TROUBLE)


async def _ask(asked: Sequence[Asked], senders: Senders) -> list[Found]:
    progress, free = Bar("accounts", len(asked)), asyncio.Semaphore(AT_ONCE)

    async def one(account: Asked) -> Found:
        async with free:
            found = await ask_account(account, senders)
        progress(1)
        return found

    try:
        return list(await asyncio.gather(*(one(account) for account in asked)))
    finally:
        await senders.close()


def _cells(found: Found) -> tuple[str, ...]:
    limit = "∞" if found.limit is None else f"{found.limit:,}"
    quota = "" if found.used is None else f"{found.used:,} of {limit}"
    rooms = f"{found.rooms}" + (f", {len(found.lost)} lost" if found.lost else "")
    words = "; ".join([*found.problems, *(f"not in “{name}”" for name in found.lost)])
    return found.account, found.channel, found.credentials, quota, rooms, words


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows]  # fmt: skip
