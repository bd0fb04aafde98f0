"""Send: hands one part to its channel and says what came of it. Touches no table."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
from django.core.exceptions import ImproperlyConfigured

from channels.adapters import adapter_class, registry
from channels.adapters.base import Adapter, SendError, refused, unknown
from channels.http import CONNECTIONS_PER_ACCOUNT, allowed_networks, on_leaving, open_session
from channels.media import read_linked
from channels.models import Account
from channels.renewal import AccountSecrets
from schedules.dispatch.claim import Claimed
from schedules.dispatch.clock import Clock
from schedules.dispatch.gate import Gate
from schedules.dispatch.outcome import Outcome

logger = logging.getLogger(__name__)

ON_THE_WIRE = CONNECTIONS_PER_ACCOUNT  # requests of one account at once


def warm_up() -> None:
    """Load what the adapters of the accounts in use are slow to load."""
    for kind in Account.objects.order_by().values_list("kind", flat=True).distinct():
        if kind in registry():
            adapter_class(kind).warm_up()


class Senders:
    """The adapters of one event loop, one for each account, with their HTTP sessions."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._adapters: dict[int, tuple[Account, Adapter]] = {}
        self._stored: dict[int, dict[str, str]] = {}  # of what vendors have replaced
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._wires: dict[int, Gate] = defaultdict(partial(Gate, ON_THE_WIRE))
        self.waiting: dict[int, Claimed] = {}  # by id: for their time, or a place on the wire

    def adapter(self, account: Account) -> Adapter:
        """The account's adapter, made anew when its settings have changed."""
        made_from, adapter = self._adapters.get(account.pk, (None, None))
        if made_from is None or adapter is None or _settings(made_from) != _settings(account):
            adapter = account.open(self._session(account.adapter_class.guarded))
            adapter.now = lambda: self.clock.now().timestamp()
            adapter.read_picture = read_linked
            adapter.secrets = AccountSecrets(account.pk)
            self._adapters[account.pk] = (account, adapter)
        return adapter

    def renewed(self) -> list[tuple[Account, dict[str, str]]]:
        """The secrets that vendors have replaced since this was asked last."""
        found = []
        for account, adapter in self._adapters.values():
            if adapter.renewed and self._stored.get(account.pk) != adapter.renewed:
                self._stored[account.pk] = dict(adapter.renewed)
                found.append((account, self._stored[account.pk]))
        return found

    def takes_key(self, account: Account) -> bool:
        """Whether its channel knows a message that it is given twice."""
        try:
            return self.adapter(account).takes_key
        except (KeyError, ImproperlyConfigured):
            return False

    async def hand_over(
        self,
        claimed: Claimed,
        at: datetime,
        lease_until: datetime,
        members: tuple[str, ...] = (),
    ) -> Outcome | None:
        """Send the next part of this delivery at this time, never before it. None: nothing was
        sent. It was held back, or too little of the lease is left, as for a worker that was
        stopped and goes on."""
        try:
            adapter = self.adapter(claimed.account)
        except (KeyError, ImproperlyConfigured) as error:
            failure = refused(f"The account cannot be used: {error}")
            return self._outcome(claimed, None, self.clock.now(), error=failure)
        if members and claimed.billed:
            claimed = replace(claimed, billed=len(members))  # some may have opted out
        self.waiting[claimed.id] = claimed
        await self.clock.wait_until(at)
        async with self._wires[claimed.account.pk]:
            if self.waiting.pop(claimed.id, None) is None:
                return None
            return await self._send(claimed, adapter, lease_until, members)

    def hold_back(self, ids: Iterable[int]) -> None:
        """None of these is sent that has not begun to leave."""
        for id_ in ids:
            self.waiting.pop(id_, None)

    async def _send(
        self, claimed: Claimed, adapter: Adapter, lease_until: datetime, members: tuple[str, ...]
    ) -> Outcome | None:
        handed_at = self.clock.now()
        if handed_at + timedelta(seconds=adapter.timeout) > lease_until:
            said = {"came_of": claimed.request}
            logger.warning("delivery %s: its lease is too short by now", claimed.id, extra=said)
            return None

        def note() -> None:
            nonlocal handed_at
            handed_at = self.clock.now()

        on_leaving.set(note)  # of several requests, as for a token, the last one counts
        try:
            receipt = await adapter.send(claimed.target(members), claimed.payload, claimed.part_key)
        except SendError as error:
            return self._outcome(claimed, adapter, handed_at, error=error)
        except Exception as error:  # an adapter's own fault must not lose the delivery
            said = {"came_of": claimed.request}
            logger.exception(
                "delivery %s: the %s adapter failed", claimed.id, adapter.kind, extra=said
            )
            failure = unknown(f"{type(error).__name__}: {error}")
            return self._outcome(claimed, adapter, handed_at, error=failure)
        return self._outcome(claimed, adapter, handed_at, receipt=receipt)

    def barred(self, claimed: Claimed, reason: str) -> Outcome:
        """The outcome of a delivery that may not be sent."""
        now = self.clock.now()
        return Outcome(claimed, takes_key=False, confirms=False, answered_at=now, barred=reason)

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()

    def _session(self, guarded: bool) -> aiohttp.ClientSession:
        if guarded not in self._sessions:
            self._sessions[guarded] = open_session(guarded=guarded, allowed=allowed_networks())
        return self._sessions[guarded]

    def _outcome(
        self, claimed: Claimed, adapter: Adapter | None, handed_at: datetime, **result: Any
    ) -> Outcome:
        return Outcome(
            claimed,
            takes_key=bool(adapter and adapter.takes_key),
            confirms=bool(adapter and adapter.confirms),
            answered_at=self.clock.now(),
            handed_at=handed_at,
            **result,
        )


def _settings(account: Account) -> tuple[Any, ...]:
    return account.kind, account.config, account.sealed
