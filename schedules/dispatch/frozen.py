"""Frozen: what a person has stopped for an account, for a unit and all under it, or of one run.

Such deliveries are not claimed for as long as they may be late. What is in hand when the freeze
comes is given back at the mark, which is written only if no freeze has come since it was looked at.
Past their grace they are skipped, with the reason.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, BooleanField, Exists, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from channels.models import Account, Room
from orgs.reach import covers, under
from schedules.models import Delivery, Freeze, RunPause
from schedules.models.delivery import part_key
from schedules.states import OPEN_RUN

NONE_NEWER = (
    f"NOT EXISTS (SELECT 1 FROM {Freeze._meta.db_table}"  # noqa: S608  (a name of our own)
    " WHERE lifted_at IS NULL AND id > %s)"
    f" AND NOT EXISTS (SELECT 1 FROM {RunPause._meta.db_table} p"
    f" WHERE p.run_id = {Delivery._meta.db_table}.run_id)"
)


@dataclass(frozen=True)
class Frozen:
    """What is frozen at one moment. `last`: the newest freeze that is in force."""

    accounts: tuple[int, ...] = ()
    units: tuple[str, ...] = ()
    runs: tuple[int, ...] = ()
    last: int = 0

    def __bool__(self) -> bool:
        return bool(self.accounts or self.units or self.runs)

    def reason(self, account_id: int, unit_path: str, run_id: int) -> str:
        """Why nothing may go through this account, to a place of this unit, of this run; or ""."""
        if run_id in self.runs:
            return Delivery.Reason.PAUSED
        is_frozen = account_id in self.accounts or any(covers(p, unit_path) for p in self.units)
        return Delivery.Reason.FROZEN if is_frozen else ""


def frozen_now() -> Frozen:
    """One question, mostly answered by no row."""
    none, freezes = Value(0, BigIntegerField()), Freeze.objects.in_force().order_by()
    paused = RunPause.objects.filter(run__state__in=OPEN_RUN).order_by()
    of_freezes = freezes.values_list(
        "id", Coalesce("account_id", none), Coalesce("unit__path", Value("")), none
    )
    of_runs = paused.values_list(none, none, Value(""), "run_id")
    rows = list(of_freezes.union(of_runs, all=True))
    return Frozen(
        accounts=tuple(account for _id, account, _path, _run in rows if account),
        units=tuple(path for _id, _account, path, _run in rows if path),
        runs=tuple(run for _id, _account, _path, run in rows if run),
        last=max((pk for pk, _account, _path, _run in rows), default=0),
    )


def none_newer_than(frozen: Frozen) -> RawSQL:
    """A condition for a statement that lets go: no freeze has come since that was looked at, and
    the run is not paused. Written out, as the fence's: it is asked with every mark."""
    return RawSQL(NONE_NEWER, [frozen.last], BooleanField())  # noqa: S611  (no text of others)


def a_phone_may_fetch(account: Account) -> Any:
    """A condition for what a phone fetches through this account: of a freeze it holds all of a
    room, of a pause all of a run, so that what is stepped over keeps its order."""
    freezes = Freeze.objects.in_force()
    rooms = Room.objects.filter(account=account)
    allowed: Any = ~Exists(freezes.filter(account=account))
    for freeze in freezes.exclude(unit=None).select_related("unit"):
        allowed &= ~Q(address__in=under(freeze.unit, rooms).values("address"))
    paused = Delivery.objects.with_phones().filter(account=account, run__pause__isnull=False)
    keys = [part_key(key, part) for key, part in paused.values_list("key", "part")]
    return allowed & ~Q(key__in=keys) if keys else allowed
