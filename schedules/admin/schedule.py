"""The list of schedules, and the page of one."""

from typing import Any
from uuid import uuid4

from django.contrib import admin, messages
from django.db.models import Count, DateTimeField, OuterRef, QuerySet, Subquery, Value
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.scoped.admin import ScopedAdmin
from orgs.clock import database_now
from orgs.reach import Act, can, within
from schedules import actions
from schedules.actions.edit import EDITABLE
from schedules.actions.run_now import RUNNABLE
from schedules.admin.acts import act_on
from schedules.admin.columns import two_lines
from schedules.admin.live import answer_if_new, fingerprint
from schedules.models import Run, Schedule
from schedules.shown.audience import audience_of
from schedules.shown.chat import chats_of_draft
from schedules.shown.coming import coming, words
from schedules.shown.cost import cost_of
from schedules.shown.drift import briefly
from schedules.states import OPEN_RUN, RunState, ScheduleState
from schedules.templatetags.teiji_states import state_badge
from schedules.templatetags.teiji_times import time_element

RUNS_SHOWN = 20


@admin.register(Schedule)
class ScheduleAdmin(ScopedAdmin):
    """Shows; every change is an action."""

    list_display = ["name", "unit", "rooms_count", "badge", "next_run", "last_run"]
    list_display_links = ["name"]
    list_filter = ["state", "timing_kind"]
    list_select_related = ["unit"]
    search_fields = ["title"]
    ordering = ["-id"]
    actions = ["pause_chosen", "resume_chosen", "cancel_chosen"]
    list_fullwidth = True
    delete_confirmation_template = "schedules/delete.html"

    class Media:
        css = {"all": ["teiji/schedules.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        latest = Run.objects.filter(schedule=OuterRef("pk")).exclude(state=RunState.PLANNED)
        latest = latest.order_by("-due_at")
        rooms: Any = Schedule.rooms.through.objects.filter(schedule_id=OuterRef("pk"))
        counted = rooms.order_by().values("schedule_id").annotate(total=Count("pk"))
        return (
            super()
            .get_queryset(request)
            .filter(deleted_at=None, edits=None)
            .annotate(
                room_total=Subquery(counted.values("total")),
                last_state=Subquery(latest.values("state")[:1]),
                last_people=Subquery(latest.values("recipients")[:1]),
                last_expected=Subquery(latest.values("expected")[:1]),
                last_due_at=Subquery(latest.values("due_at")[:1]),
                # Asked once: the columns of a list see nothing of the request.
                listed_at=Value(database_now(), output_field=DateTimeField()),
            )
        )

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
        total = row.room_total or 0
        return ngettext("%(rooms)d room", "%(rooms)d rooms", total) % {"rooms": total}

    def _people(self, row: Any) -> SafeString | str:
        """Of an audience how many it went to the last time, or how many are expected."""
        if row.last_people is not None:
            people = briefly(row.last_people, row.last_expected)
        elif row.expected is not None:
            people = briefly(row.expected, None)
        else:
            return _("an audience")
        return format_html("{}<br>{}", _("an audience"), people)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def badge(self, row: Schedule) -> SafeString:
        return state_badge(row.state, row.get_state_display())

    @admin.display(description=gettext_lazy("next run"), ordering="next_due_at")
    def next_run(self, row: Any) -> SafeString:
        return time_element(row.next_due_at, row.zone, row.listed_at)

    @admin.display(description=gettext_lazy("last run"))
    def last_run(self, row: Any) -> SafeString | str:
        if row.last_state is None:
            return "–"
        badge = state_badge(row.last_state, RunState(row.last_state).label)
        return format_html("{} {}", badge, time_element(row.last_due_at, row.zone))

    # The page of one.

    def get_urls(self) -> list[Any]:
        wrapped = self.admin_site.admin_view
        act, state = wrapped(self.act_view), wrapped(self.state_view)
        return [
            path("<int:pk>/act/<slug:verb>/", act, name="schedules_schedule_act"),
            path("<int:pk>/state/", state, name="schedules_schedule_state"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        may_change = can(request.user, Act.CHANGE, row)
        if row.state == ScheduleState.DRAFT and may_change:
            return redirect("wizard", pk=row.pk)
        return render(
            request, "schedules/schedule.html", self._page(request, row, may_change=may_change)
        )

    def act_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Carry out what a button of the page says."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        return HttpResponseRedirect(act_on(request, row, verb))

    def state_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The runs as they are now, or 204 when nothing changed since `seen`."""
        row = self.get_object(request, str(pk))
        if request.method != "GET" or row is None:
            raise Http404
        context = {"schedule": row, "now": database_now(), "is_update": True, **_runs_of(row)}
        return answer_if_new(request, "schedules/schedule_runs.html", context)

    def _page(self, request: HttpRequest, row: Schedule, *, may_change: bool) -> dict[str, Any]:
        now = database_now()
        rooms_total = row.rooms.count()
        reached = within(request.user, row.rooms.select_related("account", "unit"))
        is_open = row.state in (ScheduleState.ACTIVE, ScheduleState.PAUSED)
        audience = audience_of(row, by=request.user)
        return {
            **self.admin_site.each_context(request),
            "title": row.title,
            "subtitle": None,
            "opts": self.opts,
            "schedule": row,
            "now": now,
            "coming": coming(row, by=request.user, now=now),
            "is_open": is_open,
            "may_change": may_change,
            "may_edit": may_change and row.state in EDITABLE,
            "may_run": may_change and row.state in RUNNABLE,
            "chats": chats_of_draft(row, by=request.user, target=request.GET.get("target", "")),
            "rooms": list(reached[:51]),
            "rooms_total": rooms_total,
            "audience": audience,
            "cost": cost_of(row, by=request.user, now=now, audience=audience) if is_open else [],
            "foreign_rooms": rooms_total - reached.count(),
            **_runs_of(row),
            "open_edit": row.drafts.first() if may_change else None,
            "new_uid": uuid4(),
            "history_url": f"{reverse('admin:logs_history_changelist')}"
            f"?kind=schedule&object_id={row.pk}",
        }

    # Many at once: posted with a token, each row through its own act.

    @admin.action(description=gettext_lazy("Pause"))
    def pause_chosen(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._each(request, queryset, actions.pause)

    @admin.action(description=gettext_lazy("Resume"))
    def resume_chosen(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._each(request, queryset, actions.resume)

    @admin.action(description=gettext_lazy("Cancel for good"))
    def cancel_chosen(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._each(request, queryset, actions.cancel)

    def _each(self, request: HttpRequest, queryset: QuerySet, act: Any) -> None:
        done, refused = 0, []
        for row in queryset:
            try:
                act(row, by=request.user)
                done += 1
            except actions.Refused as error:
                refused.append(f"{row}: {error}")
        words_of = ngettext("%(count)d schedule changed.", "%(count)d schedules changed.", done)
        self.message_user(request, words_of % {"count": done}, messages.SUCCESS)
        for text in refused[:10]:
            self.message_user(request, text, messages.WARNING)

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found if self.has_change_permission(request) else {}

    # Deleting: the act hides it; runs, log and history stay.

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        names = [str(obj) for obj in objs]
        return names, {str(self.opts.verbose_name_plural): len(names)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        actions.delete(obj, by=request.user)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """The act has its own entry in the history."""


def _runs_of(row: Schedule) -> dict[str, Any]:
    """The newest runs, and whether the page is to ask for news of them."""
    runs = list(row.runs.order_by("-due_at", "-id")[: RUNS_SHOWN + 1])
    figures = [(run.pk, run.state, run.sent, run.failed, run.unconfirmed) for run in runs]
    return {
        "runs": runs[:RUNS_SHOWN],
        "has_more_runs": len(runs) > RUNS_SHOWN,
        "is_live": any(run.state in OPEN_RUN for run in runs),
        "seen": fingerprint(row.state, row.next_due_at, figures),
    }
