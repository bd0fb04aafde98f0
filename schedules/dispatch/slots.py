"""Slots: how much of a worker each account may fill."""

from collections import Counter
from collections.abc import Iterable


class Slots:
    """A worker's room for messages under way, shared by the accounts.

    An account may fill as many slots as it leaves free: alone it gets half of them, two get a
    third each, and a newcomer always finds some, however many channels hang.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.most: dict[int, int] = {}  # of the accounts that have less than any other may
        self.filled: Counter[int] = Counter()
        self._total = 0

    def __len__(self) -> int:
        return self._total

    @property
    def free(self) -> int:
        return self.size - self._total

    def may_fill(self, account: int) -> bool:
        """Whether this account may have one more."""
        return self.filled[account] < min(self.free, self._most(account))

    def left_for(self, account: int) -> int:
        """How many more this account may have, if no other takes any."""
        share = (self.free - self.filled[account] + 1) // 2
        return max(min(share, self._most(account) - self.filled[account]), 0)

    def fill(self, account: int) -> None:
        self.filled[account] += 1
        self._total += 1

    def empty(self, account: int) -> None:
        self.filled[account] -= 1
        self._total -= 1
        if not self.filled[account]:
            del self.filled[account]

    def keep(self, accounts: Iterable[int]) -> None:
        """Empty all but one for each of these."""
        self.filled = Counter(accounts)
        self._total = self.filled.total()

    def _most(self, account: int) -> int:
        return self.most.get(account, self.size)
