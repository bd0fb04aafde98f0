"""The list of runs, and the page of one: what was sent, when, to whom, with what answer."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from channels.adapters.sandbox import SandboxAdapter
from channels.models import Room
from config.scoped.admin import ReadOnlyAdmin
from config.scoped.choices import is_id
from config.scoped.times import zone_of
from logs.models import Attempt
from orgs.clock import database_now
from orgs.reach import Act, can, can_anywhere, within
from schedules.admin.columns import two_lines
from schedules.admin.filters import AppointedFilter, OneScheduleFilter
from schedules.admin.live import answer_if_new, fingerprint
from schedules.admin.retrying import ask, failed_of, retry_view
from schedules.models import ArchivedRun, Delivery, Run
from schedules.recurrence import Kind
from schedules.shown.chat import chats_of_run
from schedules.shown.counted import counted_of_run
from schedules.shown.drift import briefly, drift_of
from schedules.shown.held import held_of, holds_of, kept_of
from schedules.shown.taken import all_taken, taken_of
from schedules.shown.times import times_of
from schedules.states import OPEN_RUN, RunState
from schedules.templatetags.teiji_states import state_badge
from schedules.templatetags.teiji_times import time_element

DELIVERIES_SHOWN = 100


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    when_empty = _(
        "A run is one time of a schedule, with what became of each message. It comes by "
        "itself when the schedule is due."
    )
    list_display = ["appointed", "name", "badge", "result", "trigger"]
    list_display_links = ["appointed", "name"]
    list_filter = [AppointedFilter, "state", OneScheduleFilter]
    search_fields = ["title"]
    ordering = ["-due_at", "-id"]
    list_fullwidth = True
    actions = ["retry_chosen"]

    class Media:
        css = {"all": ["teiji/schedules.css"]}

    @admin.display(description=_("appointed"), ordering="due_at")
    def appointed(self, run: Run) -> SafeString:
        return time_element(run.due_at, run.zone)

    @admin.display(description=_("title"), ordering="title")
    def name(self, run: Run) -> SafeString:
        return two_lines(run.title)

    @admin.display(description=_("state"), ordering="state")
    def badge(self, run: Run) -> SafeString:
        return state_badge(run.state, RunState(run.state).label)

    @admin.display(description=_("sent of rooms"))
    def result(self, run: Run) -> SafeString | str:
        if run.reason:
            return run.get_reason_display()
        figures = format_html('<span class="tj-figures">{} / {}</span>', run.sent, run.total)
        if run.recipients is None:
            return figures
        return format_html("{}<br>{}", figures, briefly(run.recipients, run.expected))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        run = self.get_object(request, object_id)
        if run is None:
            return _from_archive(request, object_id)
        return render(request, "schedules/run.html", self._page(request, run))

    def get_urls(self) -> list[Any]:
        wrapped = self.admin_site.admin_view
        state, retry = wrapped(self.state_view), wrapped(self.retry_view)
        return [
            path("<int:pk>/state/", state, name="schedules_run_state"),
            path("retry/", retry, name="schedules_run_retry"),
            *super().get_urls(),
        ]

    @admin.action(description=_("Send the failed ones again …"))
    def retry_chosen(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask(self, request, queryset)

    def retry_view(self, request: HttpRequest) -> HttpResponse:
        """What failed for good: first looked at, then sent again."""
        return retry_view(self, request)

    def get_actions(self, request: HttpRequest) -> Any:
        return super().get_actions(request) if can_anywhere(request.user, Act.RUN, Delivery) else {}

    def state_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The state as it is now, or 204 when nothing changed since `seen`."""
        run = self.get_object(request, str(pk))
        if request.method != "GET" or run is None:
            raise Http404
        context = {"is_update": True, **_state(request, run)}
        return answer_if_new(request, "schedules/run_state.html", context)

    def _page(self, request: HttpRequest, run: Run) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": run.title,
            "subtitle": None,
            "opts": self.opts,
            "chats": chats_of_run(run, target=request.GET.get("target", "")),
            "schedule": run.schedule if run.schedule.deleted_at is None else None,
            **_state(request, run),
        }


def _from_archive(request: HttpRequest, object_id: str) -> HttpResponse:
    """Links to a run lead on after it was archived. Raises Http404 for what is not in reach."""
    asked = object_id if object_id and is_id(object_id) else 0
    row = get_object_or_404(within(request.user, ArchivedRun.objects.filter(pk=asked)))
    return redirect("admin:schedules_archivedrun_change", row.pk)


def _state(request: HttpRequest, run: Run) -> dict[str, Any]:
    """What changes while it is sent, and whether the page is to ask for news of it."""
    deliveries = list(run.deliveries.all().worst_first()[: DELIVERIES_SHOWN + 1])
    attempts = _attempts(request.user, deliveries)
    chats = _sandbox_rooms(request.user, deliveries)
    taken = taken_of(request.user, deliveries, attempts)
    now = database_now()
    kept = kept_of(deliveries[:DELIVERIES_SHOWN], attempts, now)
    lines = [
        {
            "delivery": row,
            "times": times_of(row, attempts[row.pk], kept.get(row.pk, timedelta())),
            "kept": kept.get(row.pk),
            "attempts": attempts[row.pk],
            "has_chat": row.room_id in chats,
            "taken": taken.get(row.pk),
        }
        for row in deliveries[:DELIVERIES_SHOWN]
    ]
    held, holds = held_of(run), holds_of(run, now)
    return {
        "run": run,
        "held": held,
        "holds": holds,
        "drift": drift_of(run),
        "counted": counted_of_run(run, by=request.user) if run.labels else [],
        "now": now,
        "zone": run.zone,
        "viewer_zone": zone_of(request.user),
        "lines": lines,
        "taken": all_taken(taken.values()) if len(deliveries) <= DELIVERIES_SHOWN else None,
        "has_more": len(deliveries) > DELIVERIES_SHOWN,
        "may_take_back": _may_take_back(request.user, run),
        "to_retry": failed_of(run, by=request.user),
        "may_decide": can_anywhere(request.user, Act.RUN, Delivery),
        "is_live": run.state in OPEN_RUN,
        "seen": _seen(run, (held, *holds), [(row, len(attempts[row.pk])) for row in deliveries]),
    }


def _seen(run: Run, held: tuple[Any, ...], deliveries: list[tuple[Delivery, int]]) -> str:
    """Tells whether the page shows something else by now; each delivery with its attempts."""
    counts = (run.state, *held, run.total, run.sent, run.failed, run.unconfirmed, run.skipped,
              run.recipients)  # fmt: skip
    figures = [
        (row.pk, row.state, row.part, row.tries, row.claimed_at, row.completed_at, attempts)
        for row, attempts in deliveries
    ]
    return fingerprint(counts, figures)


def _may_take_back(user: Any, run: Run) -> bool:
    """Sent by hand or as it was registered, and not gone yet."""
    is_by_hand = run.trigger == Run.Trigger.HAND or run.kind == Kind.NOW
    is_waiting = is_by_hand and run.state == RunState.PLANNED
    return is_waiting and run.due_at > database_now() and can(user, Act.RUN, run)


def _attempts(user: Any, deliveries: list[Delivery]) -> dict[int, list[Attempt]]:
    found: dict[int, list[Attempt]] = defaultdict(list)
    rows = within(user, Attempt.objects.all())
    for attempt in rows.filter(delivery_id__in=[row.pk for row in deliveries]).order_by("id"):
        found[attempt.delivery_id].append(attempt)
    return found


def _sandbox_rooms(user: Any, deliveries: list[Delivery]) -> set[int]:
    """The rooms whose chat this person can open."""
    rooms = within(user, Room.objects.filter(account__kind=SandboxAdapter.kind))
    return set(
        rooms.filter(pk__in={row.room_id for row in deliveries}).values_list("pk", flat=True)
    )
