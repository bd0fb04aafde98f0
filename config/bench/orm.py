"""The same steps with the ORM's own ways of writing many rows, to compare with."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from django.db import models

from schedules.dispatch import plan, settle
from schedules.runs import store, twins
from schedules.states import State

AT_ONCE = 500  # rows of one statement: more are slower still


@contextmanager
def through_the_orm() -> Iterator[None]:
    """While it lasts, plan and settle write by bulk_create and bulk_update."""
    with ExitStack() as patches:
        for module, name, way in (
            (store, "insert", _insert),
            (twins, "insert", _insert),
            (twins, "insert_new", _insert_new),
            (plan, "update_each", _update_each),
            (settle, "insert", _insert),
            (settle, "move_each", _move_each),
        ):
            patches.enter_context(patch.object(module, name, way))
        yield


def _insert(rows: Sequence[models.Model], *, ids: bool = False) -> None:
    if rows:
        _manager(type(rows[0])).bulk_create(rows, batch_size=AT_ONCE)


def _insert_new(rows: Sequence[models.Model]) -> bool:
    if rows:
        _manager(type(rows[0])).bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)
    return False  # so that it is looked up which are in


def _update_each(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    objects = [model(**dict(zip((*columns, "id"), row, strict=True))) for row in rows]
    _manager(model).bulk_update(objects, columns, batch_size=AT_ONCE)


def _move_each(
    model: type[models.Model], to: State, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Without the comparison of states and claims, which bulk_update cannot make."""
    fixed = {"state": to, "claim": None, "lease_until": None, "wire_at": None}
    objects = [model(**fixed, **dict(zip((*columns, "id"), row[:-1], strict=True))) for row in rows]
    _manager(model).bulk_update(objects, [*fixed, *columns], batch_size=AT_ONCE)


def _manager(model: type[models.Model]) -> Any:
    return model._default_manager
