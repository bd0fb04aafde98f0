"""What people do with accounts: add one, change one, ask its channel whether it holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from channels import alerts
from channels.actions.settings import Given, Settled, by_place, changed_titles, problems_of, settle
from channels.adapters import registry
from channels.adapters.base import Adapter
from channels.alerts import AlertKind
from channels.models import Account, AccountCheck, QuotaReading
from logs import history
from orgs.actions.facts import check, differences, facts_of
from orgs.actions.kept import held, store
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act, can, can_in, under
from orgs.refusal import OutOfReach, Refused

COLUMNS = ("unit", "name", "on_unknown", "is_shared", "requests_per_second", "is_active")
SETTINGS = ("config", "sealed", "kind", "hook")  # not asked of the row: the channel judges them


@dataclass
class Saved:
    """An account as it is now stored. `made`: secrets of ours, by name, which are shown once."""

    account: Account
    made: dict[str, str] = field(default_factory=dict)
    went_on: bool = False  # it was stopped, and sends again
    goes_on: bool = False  # it was stopped, and sends again as soon as its channel accepts it
    is_asked: bool = False  # its channel is asked what it thinks of it


@transaction.atomic
def add_account(values: Mapping[str, Any], given: Given, *, by: Any, kind: str) -> Saved:
    """A new account at this channel. The caller has had its URLs looked up."""
    if not can_in(by, Act.CREATE, Account, values["unit"]):
        raise OutOfReach(_("You cannot add accounts there."))
    account = Account(kind=kind)
    _fill(account, values)
    settled = _settled(account, given)
    _store(account)
    now = database_now()
    _record("created", account, by, now, differences({}, facts_of(account, COLUMNS)))
    is_asked = account.is_active and _ask(account, by, now)
    return Saved(account, settled.made, is_asked=is_asked)


@transaction.atomic
def change_account(account: Account, values: Mapping[str, Any], given: Given, *, by: Any) -> Saved:
    """Give an account these values; its channel stays. One that was stopped goes on, for a
    person has seen to it: once its channel accepts it, where that can be asked. Another name alone
    is not that, and is nothing to ask a channel about. The caller has had its URLs looked up."""
    row = _held(account, by)
    before, old = facts_of(row, COLUMNS), {**row.config, **row.secrets}
    if "unit" in values and values["unit"] != row.unit:
        _refuse_move(row, values["unit"], by)
    _fill(row, values)
    settled = _settled(row, given)
    now = database_now()
    is_name_alone = values.keys() & set(COLUMNS) == {"name"} and not given
    was_stopped = row.stopped_at is not None and not is_name_alone
    waits = was_stopped and row.is_active and _adapter_of(row).can_be_checked()
    if was_stopped and not waits:
        _go_on(row, by, now)
    _store(row)
    changes = differences(before, facts_of(row, COLUMNS))
    if titles := changed_titles(_adapter_of(row), old, settled.values):
        changes["fields"] = titles
    if changes:
        _record("updated", row, by, now, changes)
    is_wanted = row.is_active and bool(changes.keys() - {"name"} or was_stopped)
    is_asked = is_wanted and _ask(row, by, now, seen_to=was_stopped)
    if titles or not row.meters:
        # It was told to other credentials, or is no more: the meter asks anew.
        QuotaReading.objects.filter(account=row).delete()
    return Saved(row, settled.made, was_stopped and not waits, waits, is_asked)


@transaction.atomic
def check_account(account: Account, *, by: Any) -> None:
    """Have its channel asked by a worker. Asked twice before one comes, it is one."""
    if not can(by, Act.CHANGE, account):
        raise OutOfReach(_("There is no such account."))
    adapter_class = registry().get(account.kind)
    if adapter_class is None or not adapter_class.can_be_checked():
        raise Refused(_("This channel cannot be asked."))
    _ask(account, by, database_now())


def refuse_to_leave(account: Account, unit: Unit) -> None:
    """Rooms, audiences and people stand at or below their account's unit: it cannot move away
    from them."""
    if _has_elsewhere(account.room_set.all(), unit):
        message = _("Rooms that do not belong to this unit use the account.")
    elif _has_elsewhere(account.audience_set.all(), unit):
        message = _("Audiences that do not belong to this unit use the account.")
    elif _has_elsewhere(account.recipient_set.all(), unit):
        message = _("Recipients that do not belong to this unit use the account.")
    else:
        return
    raise Refused(message, {"unit": [message]})


def _held(account: Account, by: Any) -> Account:
    """The account, locked, if `by` may change it: a worker may just renew its secrets."""
    return held(account, "unit", by=by, act=Act.CHANGE, absent=_("There is no such account."))


def _adapter_of(account: Account) -> type[Adapter]:
    """Without it nobody can say which of its settings are secrets."""
    found = registry().get(account.kind)
    if found is None:
        raise Refused(_("The channel of this account is not installed."))
    return found


def _refuse_move(account: Account, unit: Unit, by: Any) -> None:
    if not can_in(by, Act.CHANGE, Account, unit):
        raise OutOfReach(_("You cannot add accounts there."))
    refuse_to_leave(account, unit)


def _has_elsewhere(rows: QuerySet[Any], unit: Unit) -> bool:
    return rows.exclude(pk__in=under(unit, rows).values("pk")).exists()


def _fill(account: Account, values: Mapping[str, Any]) -> None:
    for name in COLUMNS:
        if name in values:
            setattr(account, name, values[name])
    check(account, but=SETTINGS)


def _settled(account: Account, given: Given) -> Settled:
    """Put the settings into the account, if the channel finds nothing wrong with them."""
    adapter_class, stored = _adapter_of(account), account.secrets
    settled = settle(adapter_class, given, account.config, stored)
    if found := problems_of(adapter_class, settled):
        raise Refused(_("Some fields are not right."), by_place(adapter_class, found))
    account.config = settled.config
    if settled.secrets != stored:  # sealed anew, they would look as if a person had changed them
        account.secrets = settled.secrets
    return settled


def _store(account: Account) -> None:
    store(account, partial(check, but=SETTINGS))


def _ask(account: Account, by: Any, now: datetime, *, seen_to: bool = False) -> bool:
    """Whether a worker asks its channel now."""
    if not _adapter_of(account).can_be_checked():
        return False
    if AccountCheck.ask(account, now, seen_to=seen_to):
        _record("checked", account, by, now, {})
    return True


def _go_on(account: Account, by: Any, now: datetime) -> None:
    """A person has seen to it. Whoever was told that it was stopped is told that, too."""
    assert account.stopped_at is not None, "only a stopped one goes on"
    alerts.raise_(
        AlertKind.STOPPED,
        f"account:{account.pk}",
        account.unit.path,
        key=f"over:{account.pk}:{account.stopped_at.isoformat()}",
        name=account.name,
        text=lambda: _("%(who)s has seen to it: it sends again.") % {"who": by.get_username()},
        now=now,
        is_over=True,
    )
    account.stopped_at, account.stopped_why, account.is_spent = None, "", False


def _record(verb: str, account: Account, by: Any, now: datetime, changes: dict[str, Any]) -> None:
    history.record(verb, account, by=by, now=now, unit_path=account.unit.path, changes=changes)
