"""What stands at an address that was refused: whose page, and about which row. A row of a unit out
of reach is none, as one that does not exist."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.urls import Resolver404, resolve

from config.scoped.choices import is_id
from orgs.models import Unit
from orgs.reach import Act, OfAll, within


@dataclass(frozen=True)
class Subject:
    """A page of the admin: of these rows, or of this one, in a unit within reach."""

    model: type[Model]
    act: Act
    row: Any = None
    unit: Unit | None = None


def subject_at(address: str, *, by: Any) -> Subject | None:
    """What is at this address, as far as `by` reaches it; None where it is no page of rows."""
    try:
        match = resolve(address)
        app, name, page = (match.url_name or "").split("_", 2)
        model: Any = apps.get_model(app, name)
    except (Resolver404, ValueError, LookupError):
        return None
    if match.app_name != "admin" or not hasattr(model, "reach"):
        return None
    act = Act.CREATE if page == "add" else Act.VIEW
    key = str(match.kwargs.get("object_id", ""))
    if isinstance(model.reach, OfAll) or not (key.isdigit() and is_id(key)):
        return Subject(model, act)
    path = model._default_manager.filter(pk=key).values_list(model.reach.path, flat=True).first()
    unit = within(by, Unit.objects.filter(path=path or "")).first()
    row = model._default_manager.filter(pk=key).first() if unit else None
    return Subject(model, act, row, unit)
