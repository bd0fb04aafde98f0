"""Many of each canary: alike, but for what no two rows may share."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from django.db import models

from orgs.models import Unit
from tests.tenants.canaries import Canaries

NUMBERS = count(1)
DIGITS = 5

# Of rows that may be there once for each pair of others, which of the two is copied as well.
PARTNER = {"delivery": "run", "webhookdelivery": "fact", "calendarfeed": "unit"}

# The kinds of rows that the API lists.
LISTED = (
    "unit", "member", "deputy", "account", "quotareading", "daycount", "room", "image", "recipient",
    "audience", "recipientimport", "messagetemplate", "schedule", "run", "delivery", "archivedrun",
    "history", "freeze", "calendarfeed", "ownnotice", "webhook", "webhookdelivery", "approval",
    "placeholdervalue", "holidayexception", "alerttarget", "notice",
    "savedfilter",
)  # fmt: skip


def make_many(canaries: Canaries, how_many: int) -> None:
    """So many of each kind that is listed, the canary among them."""
    for name in LISTED:
        for _each in range(how_many - 1):
            copy(canaries.rows[name])


def copy(row: Any) -> Any:
    """One more row like this."""
    if isinstance(row, Unit):
        values = {"kind": row.kind, "name": row.name, "zone": row.zone}
        return Unit.objects.plant(row, code=f"{row.code}-{next(NUMBERS)}", **values)
    made = type(row)._base_manager.get(pk=row.pk)
    if made._meta.pk.is_relation:
        setattr(made, made._meta.pk.name, copy(getattr(row, made._meta.pk.name)))
    else:
        made.pk = None if isinstance(made._meta.pk, models.AutoField) else row.pk + next(NUMBERS)
    changed: set[str] = set()
    for names in shared_by_none(row):
        if not changed & set(names):
            changed.add(change_one(made, names))
    models.Model.save_base(made, raw=True, force_insert=True)
    return made


def shared_by_none(row: Any) -> Iterator[Sequence[str]]:
    """The columns that no two rows like this may have alike."""
    model = type(row)
    for field in model._meta.concrete_fields:
        if field.unique and not field.primary_key:
            yield [field.name]
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields:
            rows = model._base_manager.filter(constraint.condition or models.Q(), pk=row.pk)
            is_empty = any(getattr(row, name) is None for name in constraint.fields)
            if rows.exists() and not is_empty:  # an empty column is like no other
                yield constraint.fields


def change_one(row: Any, names: Sequence[str]) -> str:
    """Give one of these columns a value of its own, a text rather than a moment; its name."""
    fields = [row._meta.get_field(name) for name in names]
    plain = [field for field in fields if not field.is_relation and is_free(field)]
    plain.sort(key=lambda field: isinstance(field, models.DateField))
    if plain:
        field = plain[0]
        setattr(row, field.name, another(field, getattr(row, field.name)))
        return field.name
    partner = PARTNER.get(row._meta.model_name, names[0])
    if partner in names and getattr(row, partner):
        setattr(row, partner, copy(getattr(row, partner)))
    return partner


def is_free(field: Any) -> bool:
    """Whether there is room in it for as many values as there are numbers."""
    return not field.choices and (field.max_length is None or field.max_length > DIGITS)


def another(field: models.Field, value: Any) -> Any:
    number = next(NUMBERS)
    if isinstance(field, models.UUIDField):
        return uuid4()
    if isinstance(value, date):
        return value + timedelta(days=number)
    if isinstance(value, int):
        return value + number
    return f"{number:0{DIGITS}}{value}"[: field.max_length]
