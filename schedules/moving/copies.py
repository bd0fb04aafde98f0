"""Which tables hold the paths of units by value, and how they follow a move."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from django.apps import apps
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat, Length, Substr

from logs.chain.guard import lifted
from logs.models import Attempt, History
from orgs.models import Unit
from orgs.reach import STEP, under
from schedules.models import ArchivedRun, Delivery, Run
from schedules.states import OPEN_DELIVERY, OPEN_RUN

# The large ones, and what in them nobody works on any more.
LARGE: dict[Any, Q] = {
    History: Q(),
    ArchivedRun: Q(),
    Delivery: ~Q(state__in=OPEN_DELIVERY),
    Attempt: Q(),
    Run: ~Q(state__in=OPEN_RUN),
}
# Who settles a delivery writes its attempts while holding it, then adds up its run.
FIRST = (Delivery, Run)


def copies() -> list[Any]:
    """Every model whose rows hold the path of their unit, but for the units themselves."""
    models: list[Any] = [model for model in apps.get_models() if hasattr(model, "reach")]
    models = [model for model in models if model.reach.is_copy]
    return [*FIRST, *(model for model in models if model not in (*FIRST, Unit))]


def carry_ended(unit: Unit, new_path: str) -> None:
    """What is over, which is nearly all: it takes long, and keeps nobody from sending."""
    for model, is_over in LARGE.items():
        carry_rows(under(unit, model._base_manager.filter(is_over)), new_path, len(unit.path))


def carry(unit: Unit, new_path: str) -> None:
    """All else, and at last the units."""
    held = under(unit, Delivery.objects.order_by("id"))
    list(held.select_for_update(of=("self",)).values_list("pk"))
    for model in copies():
        carry_rows(under(unit, model._base_manager.all()), new_path, len(unit.path))
    for manager in _followers():
        manager.follow_unit(unit.path, new_path)
    depth = Length("path") / STEP  # of the path as it will be: units come before their depth
    carry_rows(under(unit, Unit.objects.all()), new_path, len(unit.path))
    under(Unit(path=new_path), Unit.objects.all()).update(depth=depth)


def carry_rows(rows: QuerySet, new_path: str, length: int) -> int:
    """Put the new path in the place of the first `length` characters; returns how many rows."""
    column = rows.model.reach.path
    changed = {column: Concat(Value(new_path), Substr(F(column), length + 1))}
    with ExitStack() as stack:
        if rows.model is History:
            stack.enter_context(lifted())
        return rows.order_by().update(**changed)


def _followers() -> Iterator[Any]:
    """The managers of models that hold a path in another way."""
    for model in apps.get_models():
        if hasattr(model._default_manager, "follow_unit"):
            yield model._default_manager
