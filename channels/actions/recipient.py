"""What people do with one recipient: add, change, note that they want no more, forget."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import override

from channels.models import Recipient
from logs import history
from orgs.actions.facts import check
from orgs.actions.kept import held, store
from orgs.clock import database_now
from orgs.reach import Act, can_in
from orgs.refusal import OutOfReach

COLUMNS = ("unit", "account", "address", "name", "region", "language")
TAGS, OPTED_OUT = "tags", "has_opted_out"


@transaction.atomic
def add_person(values: Mapping[str, Any], *, by: Any) -> Recipient:
    """Somebody who can be written to."""
    if not can_in(by, Act.CREATE, Recipient, values["unit"]):
        raise OutOfReach(_("You cannot add people there."))
    person, now = Recipient(), database_now()
    changed = _fill(person, values, now)
    store(person)
    if values.get(TAGS):
        person.retag(values[TAGS])
        changed.append(TAGS)
    _record("created", person, by, now, changed)
    return person


@transaction.atomic
def change_person(person: Recipient, values: Mapping[str, Any], *, by: Any) -> Recipient:
    """Give somebody these values; account and address stay."""
    row, now = _held(person, by), database_now()
    unit = values.get("unit", row.unit)
    if unit != row.unit and not can_in(by, Act.CHANGE, Recipient, unit):
        raise OutOfReach(_("You cannot add people there."))
    changed = _fill(row, values, now)
    store(row)
    if TAGS in values and set(values[TAGS]) != {tag.name for tag in row.tags.all()}:
        row.retag(values[TAGS])
        changed.append(TAGS)
    if changed:
        _record("updated", row, by, now, changed)
    return row


@transaction.atomic
def forget_person(person: Recipient, *, by: Any) -> None:
    """Delete somebody. The history keeps that it was done, and no more of them than a name."""
    row = _held(person, by)
    _record("deleted", row, by, database_now(), [])
    row.delete()


def _held(person: Recipient, by: Any) -> Recipient:
    absent = _("There is no such person.")
    return held(person, "unit", "account", by=by, act=Act.CHANGE, absent=absent)


def _fill(person: Recipient, values: Mapping[str, Any], now: datetime) -> list[str]:
    """Set what is given; returns what is another thing than before."""
    given = {name: values[name] for name in COLUMNS if name in values}
    if "region" in given:
        given["region"] = " ".join(given["region"].split())
    changed = [name for name, value in given.items() if _is_other(person, name, value)]
    for name, value in given.items():
        setattr(person, name, value)
    before = (person.opted_out_at, person.opted_out_by_channel)
    if values.get(OPTED_OUT):
        person.opt_out(now)
    elif values.get(OPTED_OUT) is False:
        person.opt_in()
    if before != (person.opted_out_at, person.opted_out_by_channel):
        changed.append(OPTED_OUT)
    check(person)
    return changed


def _is_other(person: Recipient, name: str, value: Any) -> bool:
    column: Any = Recipient._meta.get_field(name)
    return bool(getattr(person, column.attname) != getattr(value, "pk", value))


def _record(verb: str, person: Recipient, by: Any, now: datetime, changed: Iterable[str]) -> None:
    """Of what was changed the names alone: who asks to be forgotten must not live on here."""
    labels = [_label(name) for name in changed]
    changes = {"fields": labels} if labels else {}
    path = person.unit.path
    history.record(verb, person, by=by, now=now, unit_path=path, changes=changes)


def _label(name: str) -> str:
    if name == OPTED_OUT:
        return "Opted out"
    column: Any = Recipient._meta.get_field(name)
    with override(None):
        return str(capfirst(column.verbose_name))
