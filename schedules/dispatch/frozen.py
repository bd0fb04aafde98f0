"""Frozen: what a person has stopped for an account, or for a unit and all under it.

Such deliveries are not claimed for as long as they may be late. What is in hand when the freeze
comes is given back at the mark, which is written only if no freeze has come since it was looked at.
Past their grace they are skipped, with the reason.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, Exists, Q
from django.db.models.expressions import RawSQL

from channels.models import Account, Room
from orgs.reach import covers, under
from schedules.models import Freeze

NONE_NEWER = (
    f"NOT EXISTS (SELECT 1 FROM {Freeze._meta.db_table}"  # noqa: S608  (a name of our own)
    " WHERE lifted_at IS NULL AND id > %s)"
)


@dataclass(frozen=True)
class Frozen:
    """What is frozen at one moment. `last`: the newest freeze that is in force."""

    accounts: tuple[int, ...]
    units: tuple[str, ...]
    last: int

    def __bool__(self) -> bool:
        return bool(self.accounts or self.units)

    def holds(self, account_id: int, unit_path: str) -> bool:
        """Whether nothing may go through this account, or to a place of this unit."""
        return account_id in self.accounts or any(covers(path, unit_path) for path in self.units)


def frozen_now() -> Frozen:
    """One question, mostly answered by no row."""
    rows = list(Freeze.objects.in_force().order_by().values_list("id", "account", "unit__path"))
    return Frozen(
        accounts=tuple(account for _id, account, _path in rows if account),
        units=tuple(path for _id, _account, path in rows if path),
        last=max((pk for pk, _account, _path in rows), default=0),
    )


def none_newer_than(frozen: Frozen) -> RawSQL:
    """A condition for a statement that lets go: no freeze has come since that was looked at.
    Written out, as the fence's: it is asked with every mark."""
    return RawSQL(NONE_NEWER, [frozen.last], BooleanField())  # noqa: S611  (no text of others)


def a_phone_may_fetch(account: Account) -> Any:
    """A condition for what a phone fetches through this account."""
    freezes = Freeze.objects.in_force()
    rooms = Room.objects.filter(account=account)
    allowed: Any = ~Exists(freezes.filter(account=account))
    for freeze in freezes.exclude(unit=None).select_related("unit"):
        allowed &= ~Q(address__in=under(freeze.unit, rooms).values("address"))
    return allowed
