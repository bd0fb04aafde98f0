"""What an address may ask: a name that it does not know is refused, as in a body. A filter that is
misspelt would find everything."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from config.scoped.paging import ORDERING

_known: dict[tuple[type, str, str], frozenset[str]] = {}  # by view, action and method


def refuse_unknown(request: Request, view: Any) -> None:
    """Raises ValidationError for the names that the document does not have for this action."""
    given = set(request.query_params)
    if not given or view.action is None:
        return
    method = "GET" if request.method == "HEAD" else str(request.method)
    key = type(view), view.action, method
    if key not in _known:
        assert request.resolver_match is not None, "it has come to a view"
        _known[key] = frozenset(_names(request.resolver_match.func, method))
    if unknown := given - _known[key]:
        message = _("This address takes no such parameter.")
        raise ValidationError({name: [message] for name in sorted(unknown)})


def _names(callback: Any, method: str) -> set[str]:
    """Those of the document, by what makes it."""
    generator = SchemaGenerator()  # kept: what describes the view lives as long
    view = generator.create_view(callback, method)
    schema, found = view.schema, set()
    schema.view, schema.method = view, method
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
