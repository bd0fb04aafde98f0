"""What an address may be asked, and told: a name that it does not know is refused, as in a body. A
filter that is misspelt would find everything; a `dry_run` that is passed over would be no trial."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext as _
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from config.scoped.paging import ORDERING


@dataclass(frozen=True)
class Described:
    """What the document says of an action: the names in its query, and whether it has a body."""

    names: frozenset[str]
    has_body: bool


_known: dict[tuple[type, str, str], Described] = {}  # by view, action and method


def refuse_unknown(request: Request, view: Any) -> None:
    """Raises ValidationError for the names that the document does not have for this action, and
    for what is sent where it has no body."""
    if view.action is None:
        return
    if given := set(request.query_params):
        unknown = given - _described(request, view).names
        _refuse(unknown, _("This address takes no such parameter."))
    if request.method == "POST" and _announces_some(request):
        sent = None if _described(request, view).has_body else request.data
        names = sent if isinstance(sent, dict) else [NON_FIELD_ERRORS] if sent else []
        _refuse(names, _("This address takes no body."))


def _refuse(names: Collection[str], why: str) -> None:
    if names:
        raise ValidationError({name: [why] for name in sorted(names)})


def _announces_some(request: Request) -> bool:
    return request.META.get("CONTENT_LENGTH") not in (None, "", "0")


def _described(request: Request, view: Any) -> Described:
    """By what makes the document."""
    method = "GET" if request.method == "HEAD" else str(request.method)
    key = type(view), view.action, method
    if key not in _known:
        assert request.resolver_match is not None, "it has come to a view"
        generator = SchemaGenerator()  # kept: what describes the view lives as long
        fresh = generator.create_view(request.resolver_match.func, method)
        fresh.schema.view, fresh.schema.method = fresh, method
        has_body = method != "POST" or fresh.schema.get_request_serializer() is not None
        _known[key] = Described(frozenset(_names(fresh)), has_body)
    return _known[key]


def _names(view: Any) -> set[str]:
    schema, found = view.schema, set()
    for given in schema.get_override_parameters():
        if not isinstance(given, OpenApiParameter):  # a serializer of them
            found |= set(given().fields)
        elif given.location == OpenApiParameter.QUERY:
            found.add(given.name)
    if schema.get_filter_backends() and view.filterset_class:
        found |= set(view.filterset_class.base_filters)
    if schema._is_list_view() and view.paginator:
        found |= {view.paginator.cursor_query_param, view.paginator.page_size_query_param, ORDERING}
    return found
