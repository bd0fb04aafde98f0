"""Renewal: of all workers one at a time replaces what a vendor replaces, and the others take it.

In its last month Kakao gives out a new refresh token for the old one, which is worthless from
then on: of two workers that renew at once, the second would be refused, and with it the account.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.db import DatabaseError

from channels import turns
from channels.adapters.base import later
from channels.adapters.shared import SharedSecrets
from channels.models import Account
from channels.sandbox import visiting
from orgs.clock import database_now

T = TypeVar("T")

logger = logging.getLogger(__name__)

ASK_EVERY = 0.2  # seconds
MARGIN = timedelta(seconds=10)  # after the seconds that the holder may take


class AccountSecrets(SharedSecrets):
    """An account's secrets as they are stored now, held for one worker at a time."""

    def __init__(self, account_id: int) -> None:
        self._account_id = account_id
        self._account: Account | None = None  # as it was read when they were held

    @asynccontextmanager
    async def alone(self, seconds: float) -> AsyncIterator[Mapping[str, str]]:
        holder = uuid4()
        await self._take_turn(holder, seconds)
        try:
            self._account = await _asked(_stored, self._account_id)
            yield self._account.secrets if self._account else {}
        finally:
            with suppress(DatabaseError):  # its lease ends
                await asyncio.to_thread(_end, self._device, holder)

    async def store(self, values: Mapping[str, str]) -> None:
        if self._account is None:
            return
        try:
            await asyncio.to_thread(_renew, self._account, dict(values))
        except DatabaseError:  # the adapter keeps them, and the worker tries again
            logger.exception("account %s: its new secrets are not stored yet", self._account_id)

    @property
    def _device(self) -> str:
        return f"secrets:{self._account_id}"

    async def _take_turn(self, holder: UUID, seconds: float) -> None:
        lease = timedelta(seconds=seconds) + MARGIN
        try:
            # Whoever holds it and lives is done by then.
            async with asyncio.timeout((lease + MARGIN).total_seconds()):
                while await _asked(_take, self._device, holder, lease):
                    await asyncio.sleep(ASK_EVERY)
        except TimeoutError as error:
            raise later("Another worker renews the account's secrets.") from error


async def _asked(work: Callable[..., T], *args: Any) -> T:
    """What the database says. Where it is away nothing was sent, for want of a token."""
    try:
        return await asyncio.to_thread(work, *args)
    except DatabaseError as error:
        raise later("The database does not answer.") from error


@visiting
def _take(device: str, holder: UUID, lease: timedelta) -> datetime | None:
    now = database_now()
    return turns.take(device, holder, at=now, until=now + lease)


@visiting
def _end(device: str, holder: UUID) -> None:
    turns.end(device, holder, until=database_now())


@visiting
def _stored(account_id: int) -> Account | None:
    return Account.objects.filter(pk=account_id).first()


@visiting
def _renew(account: Account, values: dict[str, Any]) -> bool:
    return account.renew_secrets(values)
