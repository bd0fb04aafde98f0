"""Check accounts: asks channels whether credentials hold, where a person wants to know.

take → ask (outside any transaction) → write. A good answer lets a stopped account go on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from channels.adapters.base import Failure, Quota, SendError, Standing
from channels.models import Account, AccountCheck, QuotaReading
from channels.storable import storable
from schedules.dispatch import meter
from schedules.dispatch.questions import put
from schedules.dispatch.send import Senders
from schedules.dispatch.stops import go_on

ACCOUNTS_A_TURN = 20
SECONDS = 8.0  # for one answer: a token may have to be fetched first

Outcome = AccountCheck.Outcome
Database = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Checked:
    """What came of asking about one account."""

    row: AccountCheck
    asked_at: datetime
    standing: Standing | None = None
    error: SendError | None = None
    quota: Quota | None = None

    @property
    def outcome(self) -> str:
        if self.error is None:
            return Outcome.GOOD
        return Outcome.REFUSED if self.error.failure is Failure.REFUSED else Outcome.UNSURE

    @property
    def may_go_on(self) -> bool:
        """Whether nothing is known that would stop it at once. Where the channel gives no answer,
        the word of whoever has seen to it does."""
        if self.outcome == Outcome.UNSURE:
            return self.row.is_seen_to
        limit = self.quota.limit if self.quota else None
        has_room = limit is None or self.quota is None or self.quota.used < limit
        return self.error is None and has_room


class Checker:
    """Of one worker. `database` does database work in a thread for this alone."""

    def __init__(self, database: Database, senders: Senders) -> None:
        self._database, self._senders = database, senders

    async def turn(self) -> None:
        """Check all that are asked for now."""
        rows = await self._database(AccountCheck.take, self._senders.clock.now(), ACCOUNTS_A_TURN)
        if rows:
            found = await asyncio.gather(*(self._ask(row) for row in rows))
            await self._database(write, found, self._senders.clock.now())

    async def _ask(self, row: AccountCheck) -> Checked:
        account, asked_at = row.account, self._senders.clock.now()
        standing, error = await self._put(account, lambda adapter: adapter.check())
        quota = None
        if error is None and account.meters:
            quota, error = await self._put(account, lambda adapter: adapter.quota())
        return Checked(row, asked_at, standing, error, quota)

    async def _put(self, account: Account, question: Any) -> tuple[Any, SendError | None]:
        return await put(account, self._senders, question, seconds=SECONDS)


def write(found: Sequence[Checked], now: datetime) -> None:
    """Keep what was said; let those go on that were stopped and are in order."""
    for one in found:
        why = storable(str(one.error)) if one.error else ""
        standing = one.standing or Standing()
        said = {"name": storable(standing.name), "balance": storable(standing.balance), "why": why}
        if not one.row.answered(one.outcome, now, **said):
            continue
        account = one.row.account
        if one.quota is not None:
            QuotaReading.objects.get_or_create(account=account, defaults={"tried_at": now})
            answer = meter.Answer(account.pk, one.asked_at, one.quota)
            meter.write(meter.Answers(quotas=[answer]), now)
        if account.stopped_at is not None and one.may_go_on:
            go_on(account, now, _checked)


def _checked() -> str:
    return _("It was checked, and its channel takes it: it sends again.")
