"""The page of the fence: why nothing is sent, what waits, and the buttons that decide."""

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from config.scoped.times import moment, zone_of
from orgs.clock import database_now
from schedules import actions
from schedules.actions.fence import (
    NOTE_LENGTH,
    ONLY_THE_OPERATOR,
    lift,
    may_fence,
    may_send_due,
    stop,
)
from schedules.models import Installation
from schedules.shown.fence import due_meanwhile


@require_http_methods(["GET", "POST"])
def fence_page(request: HttpRequest) -> HttpResponse:
    """Shows and decides; to others than managers of the headquarters it is not there."""
    if not may_fence(request.user):
        raise Http404
    if request.method == "POST" and _decide(request):
        return HttpResponseRedirect(reverse("fence"))
    return render(request, "schedules/fence.html", _page(request))


def _decide(request: HttpRequest) -> bool:
    """Carry out what a button says; False for a note that is missing."""
    act = {"stop": _stop, "skip": _lift, "send": _lift}.get(request.POST.get("act", ""))
    if act is None:
        raise Http404
    note = request.POST.get("note", "").replace("\x00", "").strip()[:NOTE_LENGTH]
    if not note:
        messages.error(request, _("Write down why: it stands in the history."))
        return False
    try:
        act(request, note)
    except actions.OutOfReach as error:
        raise Http404 from error
    except actions.Refused as error:
        messages.error(request, str(error))
    return True


def _stop(request: HttpRequest, note: str) -> None:
    stop(by=request.user, note=note)
    messages.success(request, _("All sending is stopped."))


def _lift(request: HttpRequest, note: str) -> None:
    send_due = request.POST["act"] == "send"
    skipped = lift(by=request.user, note=note, send_due=send_due)
    said = ngettext("%(count)d message was skipped.", "%(count)d messages were skipped.", skipped)
    messages.success(
        request,
        _("Messages are sent again. What is not too late goes now.")
        if send_due
        else _("Messages are sent again.") + " " + said % {"count": skipped},
    )


def _page(request: HttpRequest) -> dict[str, Any]:
    now, zone = database_now(), zone_of(request.user)
    row = Installation.objects.fenced()
    due = due_meanwhile(request.user, now)
    return admin.site.each_context(request) | {
        "title": _("Stop and go"),
        "fence": row,
        "since": moment(row.fenced_at, zone) if row else "",
        "is_by_hand": row is not None and row.reason == Installation.Reason.BY_HAND,
        "due": due,
        "why_not_send": "" if may_send_due(request.user) else ONLY_THE_OPERATOR,
        "first": [(delivery, moment(delivery.due_at, zone)) for delivery in due.first],
        "note": request.POST.get("note", ""),
        "note_length": NOTE_LENGTH,
    }


urlpatterns = [path("", admin.site.admin_view(fence_page), name="fence")]
