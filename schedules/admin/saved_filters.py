"""Saved filters above a list: choose one, keep what is shown, open the list with one."""

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
)
from django.urls import path, reverse
from django.utils.translation import gettext as _

from config.scoped.admin import ScopedAdmin
from schedules.actions.refusal import Refused
from schedules.actions.saved_filter import change_filter, keep_filter, remove_filter
from schedules.models import SavedFilter
from schedules.models.saved_filter import LONGEST, kept_of

EVERYTHING = "all"  # in an address: not what the list is opened with


class WithSavedFilters(ScopedAdmin):
    """A list whose readers keep filters of their own."""

    list_before_template = "schedules/saved_filters.html"

    def get_urls(self) -> list[Any]:
        wrapped, name = self.admin_site.admin_view, f"schedules_{self._kept_of}_filter"
        return [
            path("filters/save/", wrapped(self.filter_save_view), name=f"{name}_save"),
            path("filters/<int:pk>/<slug:filter_act>/", wrapped(self.filter_act_view), name=name),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list; without a word of what is wanted, with the reader's own filter for that."""
        mine = list(SavedFilter.objects.filter(user=request.user.pk, page=self._kept_of))
        opened = next((saved.query for saved in mine if saved.is_default), "")
        if opened and _is_opening(request) and self.known(opened) == opened:
            return HttpResponseRedirect(f"?{opened}")
        asked: Any = request.GET.copy()
        is_all = bool(asked.pop(EVERYTHING, None))
        request.GET = asked
        present = kept_of(asked)
        own = {
            "saved_filters": mine,
            "present_query": present,
            "present_filter": next((s for s in mine if s.query == present), None),
            "save_address": reverse(f"admin:schedules_{self._kept_of}_filter_save"),
            "filter_addresses": f"admin:schedules_{self._kept_of}_filter",
            "everything": f"?{EVERYTHING}=1",
            "is_all": is_all or not present,
        }
        return super().changelist_view(request, own | (extra_context or {}))

    def filter_save_view(self, request: HttpRequest) -> HttpResponse:
        """Keep what the list shows."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.POST
        query = self.known(asked.get("query", "")[: LONGEST + 1])
        given = {"name": asked.get("name", "").replace("\x00", ""), "query": query}
        try:
            is_default = bool(asked.get("is_default"))
            saved = keep_filter(self._kept_of, given | {"is_default": is_default}, by=request.user)
        except Refused as error:
            messages.error(request, " ".join(w for said in error.problems.values() for w in said))
        else:
            messages.success(request, _("Kept as “%(name)s”.") % {"name": saved.name})
        return HttpResponseRedirect(self._list(query))

    def filter_act_view(self, request: HttpRequest, pk: int, filter_act: str) -> HttpResponse:
        """Open the list with one's own filter, or no longer, or remove it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        mine = SavedFilter.objects.filter(user=request.user.pk, page=self._kept_of)
        saved = mine.filter(pk=pk).first()
        if saved is None or filter_act not in ("open", "close", "remove"):
            raise Http404
        if filter_act == "remove":
            remove_filter(saved, by=request.user)
            messages.success(request, _("“%(name)s” is removed.") % {"name": saved.name})
        else:
            change_filter(saved, {"is_default": filter_act == "open"}, by=request.user)
        return HttpResponseRedirect(self._list(saved.query))

    def known(self, query: str) -> str:
        """What of this query the list understands: with anything else it would not open."""
        own = {"q", "o"} | {
            str(item.parameter_name)
            for item in self.list_filter
            if isinstance(item, type) and issubclass(item, SimpleListFilter)
        }
        asked = QueryDict(query, mutable=True)
        for name in list(asked):
            if name not in own and not self.lookup_allowed(name, str(asked[name])):
                del asked[name]
        return kept_of(asked)

    @property
    def _kept_of(self) -> str:
        return str(self.opts.model_name)

    def _list(self, query: str) -> str:
        address = reverse(f"admin:schedules_{self._kept_of}_changelist")
        return f"{address}?{query or f'{EVERYTHING}=1'}"


def _is_opening(request: HttpRequest) -> bool:
    """Whether the list is asked for without a word of what is wanted, and not by a link of its
    own: those that show all, or reset the filters, lead to the bare address."""
    came_from = urlsplit(request.headers.get("Referer", "")).path
    is_bare = request.method == "GET" and not request.META.get("QUERY_STRING")
    return is_bare and came_from != request.path
