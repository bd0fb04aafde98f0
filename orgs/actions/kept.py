"""One row that people keep: held while it is changed or removed, and stored."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction

from orgs.actions.facts import check
from orgs.reach import Act, can
from orgs.refusal import OutOfReach

M = TypeVar("M", bound=models.Model)


def held(row: M, *related: str, by: Any, act: Act, absent: Any) -> M:
    """The row as it now stands, with what it refers to, locked until the transaction ends. Raises
    OutOfReach, saying `absent`, where it is gone or is not theirs."""
    rows: Any = type(row)._default_manager.select_for_update(of=("self",))
    if related:
        rows = rows.select_related(*related)
    found: M | None = rows.filter(pk=row.pk).first()
    if found is None or not can(by, act, found):
        raise OutOfReach(absent)
    return found


def store(row: M, again: Callable[[M], None] = check) -> None:
    """Save what was checked; `again`: the check, which then says what was taken meanwhile."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        again(row)
        raise
