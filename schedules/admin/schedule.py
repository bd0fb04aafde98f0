"""The page of one schedule; with its list, the admin of schedules."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.contrib import admin
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import redirect, render
from django.urls import path, reverse

from orgs.clock import database_now
from orgs.reach import Act, can, within
from schedules import actions
from schedules.actions.edit import EDITABLE
from schedules.actions.occurrence import has_single_times
from schedules.actions.run_now import RUNNABLE
from schedules.admin.acts import act_on
from schedules.admin.live import answer_if_new, fingerprint
from schedules.admin.schedule_list import ScheduleList
from schedules.admin.testing import offered
from schedules.models import Schedule
from schedules.shown.approvals import standing_of
from schedules.shown.audience import audience_of
from schedules.shown.chat import chats_of_draft
from schedules.shown.coming import coming, void_changes
from schedules.shown.cost import cost_of
from schedules.shown.counted import counted_of_schedule
from schedules.shown.preflight import preflight_of
from schedules.shown.stopped import stopped_of
from schedules.states import OPEN_RUN, ScheduleState

RUNS_SHOWN = 20


@admin.register(Schedule)
class ScheduleAdmin(ScheduleList):
    """Shows; every change is an action."""

    delete_confirmation_template = "schedules/delete.html"

    # The page of one.

    def get_urls(self) -> list[Any]:
        wrapped = self.admin_site.admin_view
        act, state = wrapped(self.act_view), wrapped(self.state_view)
        checked = wrapped(self.checked_view)
        return [
            path("<int:pk>/act/<slug:verb>/", act, name="schedules_schedule_act"),
            path("<int:pk>/state/", state, name="schedules_schedule_state"),
            path("<int:pk>/check/state/", checked, name="schedules_schedule_checked"),
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

    def checked_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What was found before its run, as it is now."""
        row = self.get_object(request, str(pk))
        if request.method != "GET" or row is None:
            raise Http404
        may_change = can(request.user, Act.CHANGE, row)
        context = _preflight(row, database_now(), may_change=may_change)
        return render(request, "schedules/preflight.html", context)

    def _page(self, request: HttpRequest, row: Schedule, *, may_change: bool) -> dict[str, Any]:
        now = database_now()
        rooms_total = row.rooms.count()
        reached = within(request.user, row.rooms.select_related("account", "unit"))
        is_open = row.state in (ScheduleState.WAITING, ScheduleState.ACTIVE, ScheduleState.PAUSED)
        may_test = may_change and row.state != ScheduleState.CANCELLED
        audience = audience_of(row, by=request.user)
        looked = _preflight(row, now, may_change=may_change)
        return {
            **self.admin_site.each_context(request),
            "title": row.title,
            "subtitle": None,
            "opts": self.opts,
            "schedule": row,
            "now": now,
            "coming": coming(row, by=request.user, now=now),
            "is_open": is_open,
            "standing": standing_of(row, request.user),
            "may_change": may_change,
            "may_edit": may_change and row.state in EDITABLE,
            "may_run": may_change and row.state in RUNNABLE,
            **(offered(row, by=request.user) if may_test else {}),
            "may_test": may_test,
            "chats": chats_of_draft(row, by=request.user, target=request.GET.get("target", "")),
            "rooms": list(reached[:51]),
            "rooms_total": rooms_total,
            "audience": audience,
            "cost": cost_of(row, by=request.user, now=now, audience=audience) if is_open else [],
            "counted": counted_of_schedule(row, by=request.user),
            "foreign_rooms": rooms_total - reached.count(),
            **looked,
            "stopped": stopped_of(row, looked["preflight"].findings) if is_open else [],
            **_runs_of(row),
            "may_change_times": may_change and has_single_times(row),
            "void_changes": void_changes(row, now),
            "open_edit": row.drafts.first() if may_change else None,
            "new_uid": uuid4(),
            "history_url": f"{reverse('admin:logs_history_changelist')}"
            f"?kind=schedule&object_id={row.pk}",
        }

    # Deleting: the act hides it; runs, log and history stay.

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        names = [str(obj) for obj in objs]
        return names, {str(self.opts.verbose_name_plural): len(names)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        actions.delete(obj, by=request.user)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """The act has its own entry in the history."""


def _preflight(row: Schedule, now: datetime, *, may_change: bool) -> dict[str, Any]:
    return {
        "schedule": row,
        "now": now,
        "preflight": preflight_of(row, now),
        "may_change": may_change,
        "check_url": reverse("admin:schedules_schedule_act", args=[row.pk, "check"]),
        "check_state_url": reverse("admin:schedules_schedule_checked", args=[row.pk]),
    }


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
