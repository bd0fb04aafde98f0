"""What the history keeps of a unit or a member, and how a model's own refusal is told."""

from collections.abc import Iterable
from datetime import time
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from orgs.refusal import Refused

Facts = dict[str, Any]


def facts_of(row: Any, names: Iterable[str]) -> Facts:
    """The row's values by name, as JSON holds them."""
    return {name: _kept(getattr(row, name)) for name in names}


def differences(before: Facts, after: Facts) -> Facts:
    """{name: [before, after]} of what is not the same."""
    return {
        name: [before.get(name), value]
        for name, value in after.items()
        if before.get(name) != value
    }


def check(row: models.Model, *, but: Iterable[str] = ()) -> None:
    """Ask the row itself whether it may be stored. Raises Refused, by field."""
    try:
        row.full_clean(exclude=set(but))
    except ValidationError as error:
        raise Refused(_("Some fields are not right."), error.message_dict) from error


def _kept(value: Any) -> Any:
    if isinstance(value, time):
        return value.isoformat()
    return str(value) if isinstance(value, models.Model) else value
