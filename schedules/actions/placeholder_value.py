"""What people do with the values of placeholders: keep one for a unit, and remove it."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from logs import history
from orgs.actions.facts import check, differences, facts_of
from orgs.actions.kept import held, store
from orgs.clock import database_now
from orgs.reach import Act, can_in
from schedules.actions.refusal import OutOfReach
from schedules.models import PlaceholderValue

COLUMNS = ("unit", "name", "value")


@transaction.atomic
def keep_value(value: PlaceholderValue, given: Mapping[str, Any], *, by: Any) -> PlaceholderValue:
    """Store a new value, or what is given of one. What is planned already stays as it is."""
    is_new = value.pk is None
    row = value if is_new else _held(value, by, Act.CHANGE)
    before = {} if is_new else facts_of(row, COLUMNS)
    for name in COLUMNS:
        if name in given:
            setattr(row, name, given[name])
    if not can_in(by, Act.CREATE, PlaceholderValue, row.unit):
        raise OutOfReach(_("You cannot keep values for this unit."))
    check(row)
    store(row)
    _record(
        "created" if is_new else "updated", row, by, differences(before, facts_of(row, COLUMNS))
    )
    return row


@transaction.atomic
def remove_value(value: PlaceholderValue, *, by: Any) -> None:
    """What holds above its unit holds there again."""
    row = _held(value, by, Act.DELETE)
    _record("deleted", row, by, {})
    row.delete()


def _held(value: PlaceholderValue, by: Any, act: Act) -> PlaceholderValue:
    return held(value, "unit", by=by, act=act, absent=_("There is no such value."))


def _record(verb: str, row: PlaceholderValue, by: Any, changes: dict[str, Any]) -> None:
    now = database_now()
    history.record(verb, row, by=by, now=now, unit_path=row.unit.path, changes=changes)
