"""The history: to read, to search, and to take along as a file."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from unfold.decorators import display

from config.scoped.admin import ReadOnlyAdmin
from config.scoped.times import moment, read_by, zone_of
from logs.admin.export import as_csv, as_json
from logs.admin.words import COLOURS, VERBS, Change, changes_in, cut, kinds, wide
from logs.models import History
from orgs.clock import database_now
from orgs.moments import reread

SPANS = {
    "1": gettext_lazy("24 hours"),
    "7": gettext_lazy("7 days"),
    "30": gettext_lazy("30 days"),
    "365": gettext_lazy("12 months"),
}
SURFACES = {
    "admin": gettext_lazy("these pages"),
    "api": gettext_lazy("the API"),
    "command": gettext_lazy("the command line"),
    "machine": gettext_lazy("Teiji itself"),
}


class _Choice(admin.SimpleListFilter):
    """By a fixed list: to ask the table what it holds would read every row of it."""

    choices_of: dict[str, Any] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.choices_of.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value()
        return queryset.filter(**{self.parameter_name or "": value}) if value else queryset


class VerbFilter(_Choice):
    title = gettext_lazy("did")
    parameter_name = "verb"
    choices_of = VERBS


class SurfaceFilter(_Choice):
    title = gettext_lazy("through")
    parameter_name = "via"
    choices_of = SURFACES


class KindFilter(_Choice):
    """By the kind of object: every model that has a reach."""

    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return sorted(kinds().items(), key=lambda pair: str(pair[1]))


class SpanFilter(_Choice):
    title = gettext_lazy("within")
    parameter_name = "days"
    choices_of = SPANS

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in SPANS:
            return queryset
        return queryset.filter(at__gte=database_now() - timedelta(days=int(self.value() or 0)))


@admin.register(History)
class HistoryAdmin(ReadOnlyAdmin):
    list_fullwidth = True
    list_display = ["moment_of", "who", "did", "object_named", "what_changed"]
    list_filter = [SpanFilter, VerbFilter, KindFilter, SurfaceFilter]
    list_before_template = "logs/history_head.html"
    search_fields = ["object_name", "actor", "address", "=request"]
    search_help_text = gettext_lazy(
        "Search the names of objects and people, addresses, and ids of requests"
    )
    ordering = ["-id"]
    sortable_by = ()
    fields = ["moment_of", "who", "surface", "address", "act", "object_named", "what_changed",
              "request"]  # fmt: skip

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("export.csv", wrap(require_safe(self.csv_view)), name="logs_history_csv"),
            path("export.json", wrap(require_safe(self.json_view)), name="logs_history_json"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return read_by(request.user, super().get_queryset(request))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # The history of one object: where the link on every object's page leads.
        return lookup == "object_id" or super().lookup_allowed(lookup, value, request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list; of one object, when the address names it."""
        asked = request.GET.copy()
        asked.pop("p", None)  # the page
        own = {"exported": asked.urlencode(), "one": self._one(request)}
        return super().changelist_view(request, own | (extra_context or {}))

    def csv_view(self, request: HttpRequest) -> HttpResponseBase:
        """What the list shows with the same address, as CSV."""
        zone = zone_of(request.user)
        return self._file(request, "csv", "text/csv", lambda rows: as_csv(rows, zone))

    def json_view(self, request: HttpRequest) -> HttpResponseBase:
        """The same as JSON."""
        return self._file(request, "json", "application/json", as_json)

    @admin.display(description=gettext_lazy("at"))
    def moment_of(self, entry: Any) -> Any:
        return moment(entry.at, entry.read_in)

    @admin.display(description=gettext_lazy("who"))
    def who(self, entry: History) -> SafeString:
        through = " · ".join(filter(None, [str(self.surface(entry)), entry.address]))
        note = through if entry.actor else ""
        words = '<span class="teiji-two">{}<small>{}</small></span>'
        return format_html(words, entry.actor or "Teiji", note)

    @admin.display(description=gettext_lazy("through"))
    def surface(self, entry: History) -> Any:
        return SURFACES.get(entry.via, entry.via)

    @display(description=gettext_lazy("did"), label=COLOURS)
    def did(self, entry: History) -> tuple[str, Any]:
        return entry.verb, VERBS.get(entry.verb, entry.verb)

    @admin.display(description=gettext_lazy("did"))
    def act(self, entry: History) -> Any:
        return VERBS.get(entry.verb, entry.verb)

    @admin.display(description=gettext_lazy("object"))
    def object_named(self, entry: History) -> SafeString:
        kind = kinds().get(entry.kind, entry.kind)
        words = '<span class="teiji-two">{}<small>{}</small></span>'
        return format_html(words, wide(reread(entry.object_name)), kind)

    @admin.display(description=gettext_lazy("changes"))
    def what_changed(self, entry: Any) -> SafeString | str:
        lines = format_html_join("", "{}", ((_line(c),) for c in changes_in(entry, entry.read_in)))
        return format_html('<ul class="teiji-changes">{}</ul>', lines) if lines else "–"

    def _one(self, request: HttpRequest) -> dict[str, str] | None:
        """The object whose history the list is narrowed to, as its newest entry names it."""
        kind, pk = request.GET.get("kind"), request.GET.get("object_id")
        if not (kind and pk):
            return None
        rows = self.get_queryset(request).filter(kind=kind, object_id=pk).order_by("-id")
        newest = rows.first()
        return (
            {"name": reread(newest.object_name), "kind": kinds().get(kind, kind)}
            if newest
            else None
        )

    def _file(
        self, request: HttpRequest, ending: str, content_type: str, write: Any
    ) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseBadRequest()
        lines: Iterator[str] = write(found)
        response = StreamingHttpResponse(lines, content_type=f"{content_type}; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="history.{ending}"'
        response["Cache-Control"] = "private, no-store"
        return response


def _line(change: Change) -> SafeString:
    if change.before is None:
        return format_html("<li><b>{}</b> {}</li>", change.name, cut(change.after))
    return format_html(
        '<li><b>{}</b> <del>{}</del> <span aria-label="{}">→</span> <ins>{}</ins></li>',
        change.name,
        cut(change.before),
        _("became"),
        cut(change.after),
    )
