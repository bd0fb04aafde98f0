"""Pages of the API."""

import json
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError as BadValue
from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
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

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        """As asked; rows that are alike in that follow each other by their id."""
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
            raise ValidationError({"page_size": [message]})
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
        """The cursor names the last row of a page by all columns of the order, which no two rows
        have alike. REST framework's own names the first column and counts on from there, and
        loses count on the way back."""
        self.request, self.base_url = request, request.build_absolute_uri()
        self.page_size = self.get_page_size(request)
        self.ordering = self.get_ordering(request, queryset, view)
        self.cursor = self.decode_cursor(request)
        place: Any = self.cursor.position if self.cursor else None
        is_back = bool(self.cursor and self.cursor.reverse)
        order = [_turned(name) for name in self.ordering] if is_back else self.ordering
        try:
            rows = queryset.order_by(*order).filter(_beyond(place, order))
            found = list(rows[: self.page_size + 1])
        except (BadValue, ValueError) as error:
            # A cursor that was written by hand.
            raise NotFound from error
        self.page = found[: self.page_size]
        beyond = found[self.page_size :]
        further = self._get_position_from_instance(beyond[0], self.ordering) if beyond else None
        sides: list[tuple[Any, bool]] = [(further, bool(beyond)), (place, place is not None)]
        if is_back:
            self.page.reverse()
            sides.reverse()
        (self.next_position, self.has_next), (self.previous_position, self.has_previous) = sides
        return self.page

    def _get_position_from_instance(self, instance: Any, ordering: Any) -> str:
        return json.dumps([str(getattr(instance, name.removeprefix("-"))) for name in ordering])


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _beyond(place: str | None, order: Sequence[str]) -> Q:
    """What follows the row at this place. Raises ValueError for a place that none can be."""
    if place is None:
        return Q()
    values = json.loads(place)
    is_ours = isinstance(values, list) and [type(value) for value in values] == [str] * len(order)
    if not is_ours or "\\u0000" in place:
        raise ValueError(place)
    way = "lt" if order[0].startswith("-") else "gt"
    first, *rest = (name.removeprefix("-") for name in order)
    if not rest:
        return Q(**{f"{first}__{way}": values[0]})
    alike = Q(**{f"{rest[0]}__{way}": values[1]})
    # Said twice, the first column leads into the index.
    return Q(**{f"{first}__{way}e": values[0]}) & (Q(**{f"{first}__{way}": values[0]}) | alike)


class PagesByTime(Pages):
    """What is due last, first."""

    ordering = ("-due_at", "-id")
