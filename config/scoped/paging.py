"""Pages of the API."""

from typing import Any

from django.core.exceptions import ValidationError as BadValue
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ParseError, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

ORDERING = "ordering"
ONE_EACH = ("account_id",)  # columns in which no two rows are alike, of rows that have no id


class Pages(CursorPagination):
    """Pages by cursor: as fast on the last page as on the first."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering: Any = "-id"
    # Among rows of one and the same time the cursor counts; at the default of 1,000 it would
    # stand still, and a run to more rooms than that could not be read to its end.
    offset_cutoff = 1_000_000

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        """As asked; rows that are alike in that follow each other by their id, so that a cursor
        leaves none out."""
        asked = request.query_params.get(ORDERING, "")
        if not asked:
            return super().get_ordering(request, queryset, view)
        turned, name = asked.startswith("-"), asked.removeprefix("-")
        columns = self.columns(view)
        if name not in columns:
            raise ValidationError({ORDERING: [_("There is no such field.")]})
        sign = "-" if turned else ""
        last = ("id",) if columns[name] not in ("id", *ONE_EACH) else ()
        return tuple(sign + column for column in (columns[name], *last))

    def columns(self, view: Any) -> dict[str, str]:
        """By what the lists of this view can be ordered: {name: column}, none of them empty."""
        own = [self.ordering] if isinstance(self.ordering, str) else self.ordering[:1]
        names = [name.removeprefix("-") for name in (*own, *view.orderings)]
        return {name.removesuffix("_id"): name for name in names}

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get("page_size", "")
        if not asked:
            return self.page_size
        if not (asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= self.max_page_size):
            message = _("A page holds 1 to %(most)d rows.") % {"most": self.max_page_size}
            raise ParseError(message)
        return int(asked)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == "page_size":
                parameter["schema"] |= {"minimum": 1, "maximum": self.max_page_size}
        names = [sign + name for name in self.columns(view) for sign in ("", "-")]
        described = {"name": ORDERING, "in": "query", "required": False,
                     "description": "By what; with - the other way round.",
                     "schema": {"type": "string", "enum": names}}  # fmt: skip
        return [*parameters, described]

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (BadValue, ValueError) as error:
            # A cursor that was written by hand.
            raise NotFound from error


class PagesByTime(Pages):
    """What is due last, first."""

    ordering = ("-due_at", "-id")
