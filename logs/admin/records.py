"""The history and the attempts: to read and to search."""

import json
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from config.scoped.admin import ReadOnlyAdmin
from config.scoped.times import moment, read_by
from logs.models import Attempt, History

VERBS = {
    "created": _("created"),
    "updated": _("updated"),
    "deleted": _("deleted"),
    "paused": _("paused"),
    "resumed": _("resumed"),
    "cancelled": _("cancelled"),
    "executed": _("run by hand"),
    "completed": _("completed"),
    "error": _("could not be planned"),
    "sent": _("sent"),
    "partial": _("partly sent"),
    "failed": _("failed"),
    "unconfirmed": _("not confirmed"),
    "skipped": _("skipped"),
    "arrived": _("decided: it arrived"),
    "send_again": _("decided: send again"),
    "leave": _("decided: leave it"),
    "retried": _("tried again"),
}
COLOURS = {
    "created": "success",
    "updated": "info",
    "deleted": "danger",
    "cancelled": "danger",
    "failed": "danger",
    "paused": "warning",
}
LONGEST_VALUE = 200  # characters of a value that a list shows


class VerbFilter(admin.SimpleListFilter):
    """By a fixed list: to ask the table for its verbs would read every row of it."""

    title = _("did")
    parameter_name = "verb"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(VERBS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(verb=self.value()) if self.value() else queryset


class KindFilter(admin.SimpleListFilter):
    """By the kind of object: every model that has a reach."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        names = _kinds()
        return sorted(names.items(), key=lambda pair: str(pair[1]))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(History)
class HistoryAdmin(ReadOnlyAdmin):
    list_fullwidth = True
    list_display = ["moment_of", "who", "via", "did", "kind_name", "object_named", "what_changed"]
    list_filter = [VerbFilter, KindFilter]
    search_fields = ["object_name", "actor"]
    search_help_text = _("Search the names of objects and people")
    ordering = ["-id"]
    sortable_by = ()
    fields = ["moment_of", "who", "via", "address", "did", "kind_name", "object_named",
              "what_changed"]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return read_by(request.user, super().get_queryset(request))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # The history of one object: where the link on every object's page leads.
        return lookup == "object_id" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("at"))
    def moment_of(self, entry: Any) -> Any:
        return moment(entry.at, entry.read_in)

    @admin.display(description=_("who"))
    def who(self, entry: History) -> str:
        return entry.actor or "Teiji"

    @display(description=_("did"), label=COLOURS)
    def did(self, entry: History) -> tuple[str, Any]:
        return entry.verb, VERBS.get(entry.verb, entry.verb)

    @admin.display(description=_("kind"))
    def kind_name(self, entry: History) -> Any:
        return _kinds().get(entry.kind, entry.kind)

    @admin.display(description=_("object"))
    def object_named(self, entry: History) -> SafeString:
        return _wide(entry.object_name)

    @admin.display(description=_("changes"))
    def what_changed(self, entry: History) -> SafeString | str:
        if not entry.changes:
            return "–"
        lines = ((name, _in_words(entry, name)) for name in entry.changes)
        return format_html(
            '<ul class="teiji-changes">{}</ul>',
            format_html_join("", "<li><b>{}</b> {}</li>", lines),
        )


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_fullwidth = True
    list_display = ["answered", "room_name", "schedule", "part_number", "number",
                    "result", "status", "took", "request_id"]  # fmt: skip
    list_filter = ["outcome"]
    search_fields = ["room_name", "schedule_title", "request_id"]
    search_help_text = _("Search rooms, schedules and request ids")
    ordering = ["-id"]
    sortable_by = ()
    fields = ["schedule_title", "room_name", "channel", "part_number", "number", "key", "due",
              "claimed", "handed_over", "answered", "took", "late", "result", "status",
              "request_id", "error", "answer_text"]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return read_by(request.user, super().get_queryset(request))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # The attempts of one delivery or run: where the send log leads.
        own = lookup in ("delivery_id", "run_id", "schedule_id")
        return own or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("answered"))
    def answered(self, attempt: Any) -> Any:
        return moment(attempt.answered_at, attempt.read_in)

    @admin.display(description=_("schedule"))
    def schedule(self, attempt: Attempt) -> SafeString:
        return _wide(attempt.schedule_title)

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

    @admin.display(description=_("took"))
    def took(self, attempt: Attempt) -> str:
        if attempt.wire_at is None:
            return "–"
        return f"{(attempt.answered_at - attempt.wire_at).total_seconds() * 1000:.0f} ms"

    @admin.display(description=_("answer"))
    def answer_text(self, attempt: Attempt) -> SafeString:
        text = json.dumps(attempt.answer, ensure_ascii=False, indent=2)
        return format_html('<pre class="teiji-answer">{}</pre>', text)


def _wide(name: str) -> SafeString:
    """A name of any length, cut after two lines; the whole of it on hover."""
    return format_html('<span class="teiji-wide" title="{}">{}</span>', name, name)


def _kinds() -> dict[str, Any]:
    return {
        model._meta.model_name or "": capfirst(str(model._meta.verbose_name))
        for model in apps.get_models()
        if hasattr(model, "reach")
    }


def _in_words(entry: History, name: str) -> str:
    """[before, after] with an arrow; facts, which a creation and a list of fields are, plain."""
    value = entry.changes[name]
    is_pair = isinstance(value, list) and len(value) == 2
    if is_pair and entry.verb != "created" and name != "fields":
        return f"{_cut(value[0])} → {_cut(value[1])}"
    return _cut(value)


def _cut(value: Any) -> str:
    words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return words if len(words) <= LONGEST_VALUE else f"{words[:LONGEST_VALUE]}…"
