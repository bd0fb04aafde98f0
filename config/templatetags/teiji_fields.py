"""What a form shows and does not let anybody change."""

from typing import Any

from django import template
from django.core.exceptions import FieldDoesNotExist
from django.db.models import ForeignKey

from orgs.reach import Act, can

register = template.Library()


@register.simple_tag
def contents_for(user: Any, field: Any) -> str:
    """As the theme writes them, but a row that `user` may not see has only its name: a link to its
    page would lead to a refusal."""
    row = _named_row(field)
    if row is None or can(user, Act.VIEW, row):
        return str(field.contents())
    return str(row)


def _named_row(field: Any) -> Any:
    """The row that a foreign key leads to, if it is one."""
    owner = field.form.instance
    try:
        found = owner._meta.get_field(field.field["name"])
    except FieldDoesNotExist:  # a method, of the page or of the row
        return None
    return getattr(owner, found.name) if isinstance(found, ForeignKey) else None
