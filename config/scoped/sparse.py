"""`fields=id,name`: an answer with no more than what is asked for."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

NAME = "fields"

PARAMETER = OpenApiParameter(
    NAME, {"type": "string", "pattern": "^[a-z_0-9]+(,[a-z_0-9]+)*$", "example": "id"},
    description="Only these fields, with commas between them.",
)  # fmt: skip


def is_sparse(view: Any) -> bool:
    """Whether this action of the view answers with fewer fields where that is asked for."""
    return view.is_sparse or view.action in ("list", "retrieve")


def asked_fields(request: Request, view: Any) -> set[str] | None:
    """The fields that are asked for; None: all. Raises ValidationError for one that is not
    there."""
    if request.method not in ("GET", "HEAD") or NAME not in request.query_params:
        return None
    if not is_sparse(view):
        return None
    asked = set(request.query_params[NAME].split(","))
    fields = view.get_serializer_class()().fields.values()
    if asked - {field.field_name for field in fields if not field.write_only}:
        raise ValidationError({NAME: [_("There is no such field.")]})
    return asked


def narrowed(data: Any, asked: set[str]) -> Any:
    """An object, or a page of them, with these fields alone."""
    if {"next", "results"} <= set(data):
        return {**data, "results": [_of_one(row, asked) for row in data["results"]]}
    return _of_one(data, asked)


def _of_one(row: Any, asked: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in asked}
