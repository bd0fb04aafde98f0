"""The archive: what was sent long ago, still to be searched and looked at."""

import logging
from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from config.scoped.admin import ReadOnlyAdmin
from config.scoped.choices import is_id
from config.scoped.times import zone_of
from schedules.admin.columns import two_lines
from schedules.admin.filters import OneScheduleFilter, UnitFilter
from schedules.archive.read import read
from schedules.archive.trouble import Trouble
from schedules.models import ArchivedMonth, ArchivedRun
from schedules.shown.times import times_of
from schedules.states import RunState
from schedules.templatetags.teiji_states import state_badge
from schedules.templatetags.teiji_times import time_element

logger = logging.getLogger(__name__)

DELIVERIES_A_PAGE = 100
MONTHS_OFFERED = 240


class MonthFilter(admin.SimpleListFilter):
    """By month of UTC, as the archive's files are."""

    title = _("month")
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        rows = ArchivedMonth.objects.filter(removed_at=None).order_by("-month")
        return [(str(row), str(row)) for row in rows[:MONTHS_OFFERED]]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        asked = self.value()
        if not asked:
            return queryset
        try:
            month = date.fromisoformat(f"{asked}-01")
        except ValueError:
            return queryset.none()
        return queryset.filter(month__month=month)


@admin.register(ArchivedRun)
class ArchivedRunAdmin(ReadOnlyAdmin):
    when_empty = _(
        "Old months of the send log stand here once they were archived, and can still be "
        "searched. None was so far."
    )
    list_display = ["appointed", "name", "badge", "result", "trigger"]
    list_display_links = ["appointed", "name"]
    list_filter = [MonthFilter, "state", UnitFilter, OneScheduleFilter]
    search_fields = ["title", "rooms"]
    search_help_text = _("Title or room")
    ordering = ["-due_at", "-id"]
    list_fullwidth = True

    class Media:
        css = {"all": ["teiji/schedules.css"]}

    @admin.display(description=_("appointed"), ordering="due_at")
    def appointed(self, row: ArchivedRun) -> SafeString:
        return time_element(row.due_at, row.zone)

    @admin.display(description=_("title"), ordering="title")
    def name(self, row: ArchivedRun) -> SafeString:
        return two_lines(row.title)

    @admin.display(description=_("state"), ordering="state")
    def badge(self, row: ArchivedRun) -> SafeString:
        return state_badge(row.state, RunState(row.state).label)

    @admin.display(description=_("sent of rooms"))
    def result(self, row: ArchivedRun) -> SafeString | str:
        if row.reason:
            return row.get_reason_display()
        return format_html('<span class="tj-figures">{} / {}</span>', row.sent, row.total)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return render(request, "schedules/archived_run.html", self._page(request, row))

    def _page(self, request: HttpRequest, row: ArchivedRun) -> dict[str, Any]:
        asked = request.GET.get("from", "")
        start = int(asked) if asked and is_id(asked) else 0
        return {
            **self.admin_site.each_context(request),
            "title": row.title,
            "subtitle": None,
            "opts": self.opts,
            "row": row,
            "zone": row.zone,
            "viewer_zone": zone_of(request.user),
            **_read(row, start),
        }


def _read(row: ArchivedRun, start: int) -> dict[str, Any]:
    """What the file says of it, or why it cannot be read."""
    try:
        found = read(row, start=start, most=DELIVERIES_A_PAGE)
    except Trouble as trouble:
        logger.error("archived run %s cannot be shown: %s", row.pk, trouble)
        return {"is_missing": True}
    lines = [
        {"delivery": sent.delivery, "attempts": sent.attempts,
         "times": times_of(sent.delivery, sent.attempts)}
        for sent in found.sent
    ]  # fmt: skip
    following = start + DELIVERIES_A_PAGE if found.has_more else None
    return {
        "run": found.run,
        "text": found.run.content.get("text", ""),
        "lines": lines,
        "start": start,
        "following": following,
    }
