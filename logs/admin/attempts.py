"""The attempts: to read and to search."""

import json
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from config.scoped.admin import ReadOnlyAdmin
from config.scoped.times import moment, read_by
from logs.admin.words import wide
from logs.models import Attempt
from logs.said import retell
from orgs.clock import database_now

SPANS = {"1": _("24 hours"), "7": _("7 days"), "30": _("30 days"), "all": _("all")}
OF_ONE = ("delivery_id", "run_id", "schedule_id")


class AnsweredFilter(admin.SimpleListFilter):
    """A long list shows a week unless more is asked for: what a quiet branch has tried lately
    would else be looked for among all that anybody ever has."""

    title = _("within")
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(SPANS.items())

    def choices(self, changelist: Any) -> Any:
        present = self.value() or "7"
        for name, title in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: name})
            yield {"selected": name == present, "query_string": query, "display": title}

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        is_narrowed = request.GET.get("q") or any(name in request.GET for name in OF_ONE)
        asked = self.value() or ("all" if is_narrowed else "7")
        if asked == "all" or asked not in SPANS:
            return queryset
        return queryset.filter(answered_at__gte=database_now() - timedelta(days=int(asked)))


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_fullwidth = True
    list_display = ["answered", "room_name", "schedule", "part_number", "number",
                    "result", "status", "took", "request_id"]  # fmt: skip
    list_filter = [AnsweredFilter, "outcome"]
    search_fields = ["room_name", "schedule_title", "request_id", "=request"]
    search_help_text = _("Search rooms, schedules and request ids")
    ordering = ["-answered_at", "-id"]
    sortable_by = ()
    fields = ["schedule_title", "room_name", "through", "part_number", "number", "key", "due",
              "claimed", "handed_over", "answered", "took", "late", "came_to", "status",
              "request_id", "said", "answer_text", "request"]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return read_by(request.user, super().get_queryset(request))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # The attempts of one delivery or run: where the send log leads.
        return lookup in OF_ONE or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("answered"))
    def answered(self, attempt: Any) -> Any:
        return moment(attempt.answered_at, attempt.read_in)

    @admin.display(description=_("schedule"))
    def schedule(self, attempt: Attempt) -> SafeString:
        return wide(attempt.schedule_title)

    @admin.display(description=_("channel"))
    def through(self, attempt: Attempt) -> str:
        # By a template: what its name is, is known to a layer above.
        return render_to_string("logs/channel.html", {"channel": attempt.channel})

    @admin.display(description=_("appointed"))
    def due(self, attempt: Any) -> Any:
        return moment(attempt.due_at, attempt.read_in)

    @admin.display(description=_("claimed"))
    def claimed(self, attempt: Any) -> Any:
        return moment(attempt.claimed_at, attempt.read_in)

    @admin.display(description=_("lateness"))
    def late(self, attempt: Attempt) -> str:
        return "–" if attempt.lateness_ms is None else f"{attempt.lateness_ms} ms"

    @admin.display(description=_("handed over"))
    def handed_over(self, attempt: Any) -> Any:
        return moment(attempt.wire_at, attempt.read_in)

    @admin.display(description=_("part"))
    def part_number(self, attempt: Attempt) -> int:
        return attempt.part + 1

    @display(
        description=_("outcome"),
        label={"accepted": "success", "refused": "danger", "later": "info", "unknown": "warning"},
    )
    def result(self, attempt: Attempt) -> tuple[str, str]:
        return attempt.outcome, attempt.get_outcome_display()

    @admin.display(description=_("outcome"))
    def came_to(self, attempt: Attempt) -> str:
        return attempt.get_outcome_display()

    @admin.display(description=_("took"))
    def took(self, attempt: Attempt) -> str:
        if attempt.wire_at is None:
            return "–"
        return f"{(attempt.answered_at - attempt.wire_at).total_seconds() * 1000:.0f} ms"

    @admin.display(description=_("error"))
    def said(self, attempt: Attempt) -> str:
        return retell(attempt.error) or "–"

    @admin.display(description=_("answer"))
    def answer_text(self, attempt: Attempt) -> SafeString:
        text = json.dumps(attempt.answer, ensure_ascii=False, indent=2)
        return format_html('<pre class="teiji-answer">{}</pre>', text)
