"""What a form changed, as the history keeps it: before and after, by name of the field."""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.translation import override

LONGEST = 500  # characters of a text that are kept
MOST = 50  # of many related rows
# Never kept, whatever form should hold them one day.
SECRET = frozenset({"password", "sealed", "digest", "secret", "token"})

Kept = dict[str, Any]


def values_of(row: models.Model, names: Iterable[str]) -> Kept:
    """What the row holds in those of these fields that are its own."""
    fields = {name: _field(row, name) for name in names}
    return {name: _value(row, field) for name, field in fields.items() if field}


def changes_of(
    form: Any, row: models.Model, before: Kept, told: Iterable[str], *, values: bool
) -> Kept:
    """{name: [before, after]} of what was changed, and under `fields` the labels of what else
    was: of a form's own field the value may be a secret, unless it is among `told`. Without
    `values` the labels alone."""
    after = values_of(row, form.changed_data) if values else {}
    own = [name for name in form.changed_data if name in told and name not in SECRET]
    before = before | {name: kept(form.initial.get(name)) for name in own}
    after |= {name: kept(form.cleaned_data.get(name)) for name in own}
    changes = {
        name: [before.get(name), value]
        for name, value in after.items()
        if before.get(name) != value
    }
    others = [name for name in form.changed_data if name not in after]
    return changes | ({"fields": _labels(form, others)} if others else {})


def kept(value: Any) -> Any:
    """The value as JSON holds it, in words that outlive what it refers to."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list | tuple | set):
        return [kept(item) for item in list(value)[:MOST]]
    return str(value)[:LONGEST]


def _field(row: models.Model, name: str) -> Any:
    try:
        field = row._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    is_kept = name not in SECRET and not isinstance(field, models.FileField | models.BinaryField)
    return field if is_kept else None


def _value(row: models.Model, field: Any) -> Any:
    value = getattr(row, field.name)
    return kept(list(value.all()[:MOST]) if field.many_to_many else value)


def _labels(form: Any, names: Iterable[str]) -> list[str]:
    with override(None):  # the history is read in every language
        return [str(form.fields[name].label or name) for name in names]
