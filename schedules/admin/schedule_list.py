"""The list of schedules: how each stands, goes next, and went."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, DateTimeField, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.views import ChangeList

from orgs.clock import database_now
from schedules.admin.columns import two_lines
from schedules.admin.filters import NextRunFilter, UnitFilter
from schedules.admin.many import ask, carry_out_at_once, many_view
from schedules.admin.saved_filters import WithSavedFilters
from schedules.admin.spark import spark
from schedules.models import Schedule
from schedules.shown.coming import words
from schedules.shown.drift import briefly, was_chosen
from schedules.shown.held import held_among
from schedules.shown.preflight import preflight_of
from schedules.shown.recent import Recent, recent_runs
from schedules.states import RunState, ScheduleState
from schedules.templatetags.teiji_states import held_badge, state_badge, trouble_badge
from schedules.templatetags.teiji_times import relative_to, time_element

COUNTED_DOWN = timedelta(days=1)  # what is further away is said in words
USUAL_PRIORITY = Schedule._meta.get_field("priority").default


class ScheduleChangeList(ChangeList):
    """Brings the latest runs, the number of rooms and what is frozen of all rows at once."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        found, rooms = recent_runs(self.result_list), _rooms_of(self.result_list)
        held = held_among(self.result_list)
        for row in self.result_list:
            row.is_held = row.pk in held
            row.latest_runs, row.room_total = found.get(row.pk, []), rooms.get(row.pk, 0)


def _rooms_of(rows: Collection[Schedule]) -> dict[int, int]:
    """By schedule. Not in the list's own query: it would be counted for all rows of that."""
    through: Any = Schedule.rooms.through.objects.filter(schedule_id__in=[row.pk for row in rows])
    return dict(through.order_by().values_list("schedule_id").annotate(Count("pk")))


class ScheduleList(WithSavedFilters):
    """The columns, the filters, and what is done to many."""

    when_empty = gettext_lazy(
        "A schedule says what is sent, to whom and when. It stays a draft until you register it."
    )
    list_display = ["name", "unit", "rooms_count", "badge", "next_run", "last_run", "lately"]
    list_display_links = ["name"]
    list_filter = ["state", NextRunFilter, "timing_kind", UnitFilter]
    list_select_related = ["unit", "preflight"]
    search_fields = ["title"]
    search_help_text = gettext_lazy("Search the titles")
    ordering = ["-id"]
    actions = [
        "pause_chosen", "resume_chosen", "shift_chosen", "priority_chosen", "cancel_chosen",
    ]  # fmt: skip
    list_fullwidth = True

    class Media:
        css = {"all": ["teiji/schedules.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ScheduleChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).filter(deleted_at=None, edits=None)
        # Asked once: the columns of a list see nothing of the request.
        return rows.annotate(listed_at=Value(database_now(), output_field=DateTimeField()))

    def get_urls(self) -> list[Any]:
        wrapped = self.admin_site.admin_view(self.many_view)
        return [path("many/<slug:verb>/", wrapped, name="schedules_schedule_many"),
                *super().get_urls()]  # fmt: skip

    # The columns.

    @admin.display(description=gettext_lazy("title"), ordering="title")
    def name(self, row: Any) -> SafeString:
        return format_html(
            '{}<span class="tj-list-words">{}</span>',
            two_lines(row.title or _("(without a title)"), "tj-list-name"),
            words(row, row.listed_at),
        )

    @admin.display(description=gettext_lazy("goes to"))
    def rooms_count(self, row: Any) -> str:
        if row.audience_id:
            return self._people(row)
        total = row.room_total
        return ngettext("%(rooms)d room", "%(rooms)d rooms", total) % {"rooms": total}

    def _people(self, row: Any) -> SafeString | str:
        """Of an audience how many it went to the last time, or how many are expected."""
        last: Recent | None = row.latest_runs[0] if row.latest_runs else None
        if last and last.recipients is not None and was_chosen(last.reason):
            people = briefly(last.recipients, last.expected)
        elif row.expected is not None:
            people = briefly(row.expected, None)
        else:
            return _("an audience")
        return format_html("{}<br>{}", _("an audience"), people)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def badge(self, row: Any) -> SafeString:
        badge = state_badge(row.state, ScheduleState(row.state).label)
        if row.is_held:
            badge = format_html('<span class="tj-stack">{}{}</span>', badge, held_badge())
        if row.priority == USUAL_PRIORITY:
            return badge
        said = _("priority %(priority)d") % {"priority": row.priority}
        return format_html('{}<small class="tj-under">{}</small>', badge, said)

    @admin.display(description=gettext_lazy("next run"), ordering="next_due_at")
    def next_run(self, row: Any) -> SafeString:
        due_at = row.next_due_at
        if due_at is None:
            return time_element(None, row.zone)
        is_near = timedelta() < due_at - row.listed_at < COUNTED_DOWN
        ticking = format_html(' data-countdown="{}"', due_at.isoformat()) if is_near else ""
        away = relative_to(due_at, row.listed_at)
        troubles = preflight_of(row, row.listed_at).troubles
        return format_html(
            '<span class="tj-stack">{}<span class="tj-away teiji-countdown"{}>{}</span>{}</span>',
            time_element(due_at, row.zone), ticking, away,
            trouble_badge(troubles) if troubles else "",
        )  # fmt: skip

    @admin.display(description=gettext_lazy("last run"))
    def last_run(self, row: Any) -> SafeString | str:
        if not row.latest_runs:
            return "–"
        last: Recent = row.latest_runs[0]
        badge = state_badge(last.state, RunState(last.state).label)
        return format_html("{} {}", badge, time_element(last.due_at, last.zone))

    @admin.display(description=gettext_lazy("lately"))
    def lately(self, row: Any) -> SafeString | str:
        return spark(row.latest_runs) if row.latest_runs else "–"

    # Many at once: posted with a token, each row through its own act.

    @admin.action(description=gettext_lazy("Pause"))
    def pause_chosen(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return carry_out_at_once(self, request, queryset, "pause")

    @admin.action(description=gettext_lazy("Resume"))
    def resume_chosen(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return carry_out_at_once(self, request, queryset, "resume")

    @admin.action(description=gettext_lazy("Shift …"))
    def shift_chosen(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask(self, request, queryset, "shift")

    @admin.action(description=gettext_lazy("Change the priority …"))
    def priority_chosen(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask(self, request, queryset, "priority")

    @admin.action(description=gettext_lazy("Cancel for good …"))
    def cancel_chosen(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask(self, request, queryset, "cancel")

    def many_view(self, request: HttpRequest, verb: str) -> HttpResponse:
        """What was asked about many: first looked at, then carried out."""
        return many_view(self, request, verb)

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found if self.has_change_permission(request) else {}
