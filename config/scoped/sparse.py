"""`fields=id,name`: an answer with no more than what is asked for."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

NAME = "fields"


def parameter(view: Any) -> OpenApiParameter:
    """How the document describes it for this action of the view."""
    form = {"type": "array", "items": {"type": "string", "enum": names(view)}, "minItems": 1}
    about = "Only these fields, with commas between them."
    return OpenApiParameter(NAME, form, description=about, explode=False)


def names(view: Any) -> list[str]:
    """The fields that may be asked for."""
    fields = view.get_serializer_class()().fields.values()
    return [field.field_name for field in fields if not field.write_only]


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
    if asked.difference(names(view)):
        raise ValidationError({NAME: [_("There is no such field.")]})
    return asked


def narrowed(data: Any, asked: set[str]) -> Any:
    """An object, or a page of them, with these fields alone."""
    if {"next", "results"} <= set(data):
        return {**data, "results": [_of_one(row, asked) for row in data["results"]]}
    return _of_one(data, asked)


def _of_one(row: Any, asked: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in asked}
