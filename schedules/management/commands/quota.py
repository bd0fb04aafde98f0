"""`manage.py quota`: asks the channels that bill what is left of the month."""

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from channels.models import Account, QuotaReading
from orgs.clock import database_now
from schedules.bookings.quota import of_accounts
from schedules.dispatch import meter
from schedules.dispatch.clock import Clock
from schedules.dispatch.send import Senders
from schedules.management import command
from schedules.management.command import FAILED

TROUBLE = 1  # exit status


class Command(command.Command):
    help = (
        "Ask the channels that bill messages how much of this month is used, and show it. Exit "
        "status 0: there is room, 1: a month is used up or an account could not be asked, "
        "2: failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="One line of JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = _found()
        except (DatabaseError, InterfaceError) as error:
            words = f"The database does not answer: {error}"
            raise CommandError(words, returncode=FAILED) from error
        if options["json"]:
            facts = [_facts(reading, spent) for reading, spent in found]
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
        else:
            lines = [_line(reading, spent) for reading, spent in found]
            self.stdout.write("\n".join(lines or ["No account bills its messages."]))
        if any(reading.error or _is_used_up(reading, spent) for reading, spent in found):
            sys.exit(TROUBLE)


def _found() -> list[tuple[QuotaReading, int]]:
    """What each account's channel says, or said last; and what is used and reserved of it."""
    accounts = Account.objects.metering().filter(is_active=True).order_by("name", "id")
    now = database_now()
    for account in accounts:
        QuotaReading.objects.get_or_create(account=account, defaults={"tried_at": now})
    clock = Clock()
    clock.set_by_database()
    meter.write(asyncio.run(_ask(list(accounts), clock)), now)
    readings = list(QuotaReading.objects.filter(account__in=accounts).select_related("account"))
    spent = of_accounts(readings, now, now)
    ordered = sorted(readings, key=lambda reading: reading.account.name)
    return [(reading, spent[reading.account_id].total) for reading in ordered]


def _is_used_up(reading: QuotaReading, spent: int) -> bool:
    return reading.limit is not None and spent >= reading.limit


def _facts(reading: QuotaReading, spent: int) -> dict[str, Any]:
    is_known = reading.read_at is not None
    return {
        "id": reading.account_id,
        "account": reading.account.name,
        "used": spent if is_known else None,
        "limit": reading.limit,
        "read_at": reading.read_at.isoformat() if reading.read_at else None,
        "error": reading.error,
    }


async def _ask(accounts: Sequence[Account], clock: Clock) -> meter.Answers:
    senders = Senders(clock)
    try:
        return await meter.read(accounts, [], senders)
    finally:
        await senders.close()


def _line(reading: QuotaReading, spent: int) -> str:
    if reading.read_at is None:
        return f"{reading.account.name}: {reading.error}"
    most = "no limit" if reading.limit is None else f"{reading.limit:,}"
    words = f"{reading.account.name}: {spent:,} used or reserved, {most}"
    return f"{words} ({reading.error})" if reading.error else words
