"""`manage.py quota`: asks the channels that bill what is left of the month."""

import asyncio
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand

from channels.models import Account, QuotaReading
from orgs.clock import database_now
from schedules.bookings.quota import of_accounts
from schedules.dispatch import meter
from schedules.dispatch.clock import Clock
from schedules.dispatch.send import Senders


class Command(BaseCommand):
    help = "Ask the channels that bill messages how much of this month is used, and show it."

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = Account.objects.metering().filter(is_active=True).order_by("name", "id")
        now = database_now()
        for account in accounts:
            QuotaReading.objects.get_or_create(account=account, defaults={"tried_at": now})
        clock = Clock()
        clock.set_by_database()
        meter.write(asyncio.run(_ask(list(accounts), clock)), now)
        readings = list(QuotaReading.objects.filter(account__in=accounts).select_related("account"))
        spent = of_accounts(readings, now, now)
        for reading in sorted(readings, key=lambda reading: reading.account.name):
            self.stdout.write(_line(reading, spent[reading.account_id].total))
        if not readings:
            self.stdout.write("No account bills its messages.")


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
