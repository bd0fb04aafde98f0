"""Waiting: what a worker holds until its second has come and a slot is free."""

import heapq
from collections import Counter, deque
from collections.abc import Iterable
from datetime import datetime
from itertools import count
from uuid import UUID

from schedules.dispatch.claim import Claimed
from schedules.dispatch.slots import Slots

Entry = tuple[datetime, int, int, int, Claimed]


class Waiting:
    """Claimed deliveries, by account. Those of one account go by time, then by priority; the
    accounts take turns, so that ten messages are not kept waiting by another's ten thousand."""

    def __init__(self) -> None:
        self._queues: dict[int, list[Entry]] = {}
        self._turns: deque[int] = deque()
        self._closed_until: dict[int, datetime] = {}
        self._newest: dict[int, UUID] = {}  # of each delivery, the token of its last claim
        self._numbers = count()

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def add(self, claimed: Iterable[Claimed]) -> None:
        """Put these in line. A newer claim takes the place of an older one, which this worker
        lost while it stood still."""
        for delivery in claimed:
            account = delivery.account.pk
            if account not in self._queues:
                self._queues[account] = []
                self._turns.append(account)
            self._newest[delivery.id] = delivery.token
            order = (delivery.next_try_at, -delivery.priority, delivery.id, next(self._numbers))
            heapq.heappush(self._queues[account], (*order, delivery))

    def put_back(self, claimed: Iterable[Claimed], until: datetime) -> None:
        """Put these in line again; their accounts are passed over until then. What has been
        claimed anew since it was taken stays as it was claimed last."""
        claimed = list(claimed)
        self.add(delivery for delivery in claimed if delivery.id not in self._newest)
        self._closed_until |= {delivery.account.pk: until for delivery in claimed}

    def take(self, until: datetime, slots: Slots) -> list[Claimed]:
        """What is due until then, each account in its turn, into as many slots as it may fill."""
        taken: list[Claimed] = []
        passed = 0
        while passed < len(self._turns):
            account = self._turns[0]
            self._turns.rotate(-1)
            if self._next_at(account) <= until and slots.may_fill(account):
                delivery = heapq.heappop(self._queues[account])[-1]
                self._forget_if_empty(account)
                passed = 0
                if self._newest.get(delivery.id) == delivery.token:
                    del self._newest[delivery.id]
                    slots.fill(account)
                    taken.append(delivery)
            else:
                passed += 1
        return taken

    def take_all(self) -> list[Claimed]:
        """Everything that is left."""
        left = [entry[-1] for queue in self._queues.values() for entry in queue]
        self._queues.clear()
        self._turns.clear()
        self._closed_until.clear()
        self._newest.clear()
        return left

    def overdue(self, before: datetime) -> list[Claimed]:
        """Those that were due before then and still wait."""
        entries = (entry for queue in self._queues.values() for entry in queue)
        return [entry[-1] for entry in entries if entry[0] < before]

    def soonest(self) -> datetime | None:
        """When the next one is due; None when nothing waits."""
        return min(map(self._next_at, self._queues), default=None)

    def is_due(self, now: datetime) -> bool:
        """Whether any of them should have left by now."""
        soonest = self.soonest()
        return soonest is not None and soonest <= now

    def held(self) -> Counter[int]:
        """The number of each account's."""
        return Counter({account: len(queue) for account, queue in self._queues.items()})

    def _next_at(self, account: int) -> datetime:
        first = self._queues[account][0][0]
        return max(first, self._closed_until.get(account, first))

    def _forget_if_empty(self, account: int) -> None:
        if not self._queues[account]:
            del self._queues[account]
            self._turns.remove(account)
            self._closed_until.pop(account, None)
