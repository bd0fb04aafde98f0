"""What people do with audiences: add one, change its rule, put people on its list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from channels.models import Account, Audience, Membership, Recipient
from logs import history
from orgs.actions.facts import check, differences, facts_of
from orgs.actions.kept import held, store
from orgs.bulk import insert_new
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act, can_in, under
from orgs.refusal import OutOfReach, Refused

COLUMNS = (
    "unit", "account", "name", "kind", "tags", "tag_match", "regions", "languages", "most",
    "is_active",
)  # fmt: skip
MOST_TYPED = 1_000  # addresses; more come from a file

Addresses = Sequence[str]


@transaction.atomic
def add_audience(
    values: Mapping[str, Any], *, by: Any, put_on: Addresses = (), take_off: Addresses = ()
) -> Audience:
    """A new audience, with people on its list."""
    if not can_in(by, Act.CREATE, Audience, values["unit"]):
        raise OutOfReach(_("You cannot add audiences there."))
    audience, now = Audience(), database_now()
    _fill(audience, values)
    changes = differences({}, facts_of(audience, COLUMNS))
    changes |= _change_list(audience, put_on, take_off)
    _record("created", audience, by, now, changes)
    return audience


@transaction.atomic
def change_audience(
    audience: Audience,
    values: Mapping[str, Any],
    *,
    by: Any,
    put_on: Addresses = (),
    take_off: Addresses = (),
) -> Audience:
    """Give an audience these values, put people on its list and take others off."""
    absent = _("There is no such audience.")
    row = held(audience, "unit", "account", by=by, act=Act.CHANGE, absent=absent)
    if not can_in(by, Act.CHANGE, Audience, values.get("unit", row.unit)):
        raise OutOfReach(_("You cannot add audiences there."))
    before, now = facts_of(row, COLUMNS), database_now()
    _fill(row, values)
    changes = differences(before, facts_of(row, COLUMNS))
    if changes := changes | _change_list(row, put_on, take_off):
        _record("updated", row, by, now, changes)
    return row


def find_people(account: Account, unit: Unit, addresses: Addresses) -> list[Recipient]:
    """The recipients of these addresses. Who belongs to another tree is as good as nobody.
    Raises Refused, naming the first of those that are missing."""
    units = under(unit, Unit.objects.all())
    people = Recipient.objects.filter(account=account, unit__in=units, address__in=addresses)
    found = {person.address: person for person in people}
    missing = [address for address in addresses if address not in found]
    if missing:
        message = _("Not among the recipients of this account and unit: %(missing)s")
        raise Refused(message % {"missing": ", ".join(missing[:10])})
    return list(found.values())


def _fill(audience: Audience, values: Mapping[str, Any]) -> None:
    for name in COLUMNS:
        if name in values:
            setattr(audience, name, values[name])
    check(audience)
    store(audience)


def _change_list(audience: Audience, put_on: Addresses, take_off: Addresses) -> dict[str, int]:
    """Returns how many, for the history."""
    asked = {"put_on": put_on, "take_off": take_off}
    typed = [name for name, addresses in asked.items() if addresses]
    if typed and audience.kind != Audience.Kind.LIST:
        message = _("Nobody is put on a rule. Choose “a fixed list”.")
        raise Refused(message, {typed[0]: [message]})
    found = {name: _people(audience, name, asked[name]) for name in typed}
    insert_new([Membership(audience=audience, recipient=p) for p in found.get("put_on", [])])
    members = Membership.objects.filter(audience=audience)
    members.filter(recipient__in=found.get("take_off", [])).delete()
    return {name: len(people) for name, people in found.items()}


def _people(audience: Audience, name: str, addresses: Addresses) -> list[Recipient]:
    try:
        return find_people(audience.account, audience.unit, addresses)
    except Refused as refusal:
        raise Refused(str(refusal), {name: [str(refusal)]}) from refusal


def _record(verb: str, audience: Audience, by: Any, now: datetime, changes: Any) -> None:
    path = audience.unit.path
    history.record(verb, audience, by=by, now=now, unit_path=path, changes=changes)
