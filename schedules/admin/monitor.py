"""The monitor: what is being sent, as it happens. A part of the page is asked for every two
seconds while it is looked at."""

from typing import Any

from django.contrib import admin, messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from config.scoped.times import zone_of
from orgs.clock import database_now
from orgs.reach import Act, can_anywhere, within
from schedules import actions
from schedules.actions.pause_run import pause_run, resume_run
from schedules.admin.live import answer_if_new, fingerprint
from schedules.dispatch.by_hand import plan_due
from schedules.models import Run, Schedule
from schedules.shown.freezes import in_force_for
from schedules.shown.under_way import RUNS, latest_deliveries, runs_under_way

ACTS = {"pause": pause_run, "resume": resume_run}


@require_safe
def monitor_page(request: HttpRequest) -> HttpResponse:
    """The page; to who sees no runs it is not there."""
    _refuse_strangers(request)
    context = admin.site.each_context(request) | {
        "title": _("Monitor"),
        "may_run": can_anywhere(request.user, Act.RUN, Schedule),
        **_state(request),
    }
    return render(request, "schedules/monitor.html", context)


@require_safe
def monitor_state(request: HttpRequest) -> HttpResponse:
    """What changes on it, or 204 when nothing has."""
    _refuse_strangers(request)
    return answer_if_new(request, "schedules/monitor_state.html", _state(request))


def act_on_run(request: HttpRequest, pk: int, run_act: str) -> HttpResponse:
    """Pause a run, or let it go on."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    run = within(request.user, Run.objects.filter(pk=pk)).first()
    if run is None or run_act not in ACTS:
        raise Http404
    try:
        ACTS[run_act](run, by=request.user)
    except actions.OutOfReach as error:
        raise Http404 from error
    except actions.Refused as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(reverse("monitor"))


@require_POST
def plan_now(request: HttpRequest) -> HttpResponse:
    """Plan what is due, without waiting for the planner."""
    if not can_anywhere(request.user, Act.RUN, Schedule):
        raise Http404
    try:
        count = plan_due(by=request.user, now=database_now())
    except actions.Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _said(count))
    return HttpResponseRedirect(reverse("monitor"))


def _said(count: int) -> str:
    if not count:
        return _("Nothing was due that had not been planned already.")
    planned = ngettext("%(count)d run was planned.", "%(count)d runs were planned.", count)
    return planned % {"count": count}


def _refuse_strangers(request: HttpRequest) -> None:
    if not can_anywhere(request.user, Act.VIEW, Run):
        raise Http404


def _state(request: HttpRequest) -> dict[str, Any]:
    now = database_now()
    runs, count = runs_under_way(request.user, now)
    deliveries = latest_deliveries(request.user, now)
    freezes = in_force_for(request.user).count()
    shown = [(p.run.pk, p.run.state, p.done, p.is_paused, p.left) for p in runs]
    latest = [(row.pk, row.state, row.lateness_ms) for row in deliveries]
    return {
        "runs": runs,
        "has_more": count > RUNS,
        "deliveries": deliveries,
        "freezes": freezes,
        "zone": zone_of(request.user),
        "seen": fingerprint(shown, latest, freezes),
    }


urlpatterns = [
    path("", admin.site.admin_view(monitor_page), name="monitor"),
    path("state/", admin.site.admin_view(monitor_state), name="monitor-state"),
    path("due/", admin.site.admin_view(plan_now), name="monitor-due"),
    path("run/<int:pk>/<slug:run_act>/", admin.site.admin_view(act_on_run), name="monitor-run"),
]
