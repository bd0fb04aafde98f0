"""A time of the calendar is moved: alone, with those after it, or with all to come. More than one
is shown first as it would be."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from orgs.clock import database_now
from schedules import actions
from schedules.actions import Scope
from schedules.admin.calendar_time import schedule_or_404, show
from schedules.admin.one_time import appointed_at, shown_then, wall_said
from schedules.models import Schedule
from schedules.recurrence import Kind
from schedules.shown.calendar.moving import SCOPES, foresee_move, scopes_of
from schedules.shown.calendar.one import occurrence_at
from schedules.shown.coming import words
from schedules.states import ScheduleState


@require_POST
def calendar_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Move it, or show what would become of it."""
    row = schedule_or_404(request, pk)
    at, wanted = appointed_at(request), _wanted(request, row)
    scope = wanted["scope"]
    facts = _facts(request, row, at, scope.value)
    try:
        wall = wall_said(request)
        if scope == Scope.ONE or "sure" in request.POST:
            moved = actions.move(row, at, wall, **wanted)
            messages.success(request, _answer(scope, moved.row))
            return _led(request, shown_then(request, row))
        facts["foreseen"] = foresee_move(row, at, wall, **wanted)
    except actions.OutOfReach as error:
        raise Http404 from error
    except actions.Refused as error:
        facts["refusal"] = str(error)
    return show(request, "schedules/calendar/move.html", facts)


@require_POST
def calendar_look(request: HttpRequest, pk: int) -> HttpResponse:
    """What would become of it, while the time is being chosen: a part of the dialog."""
    row = schedule_or_404(request, pk)
    at, wanted = appointed_at(request), _wanted(request, row)
    stands = occurrence_at(row, at)
    facts: dict[str, Any] = {}
    try:
        wall = wall_said(request)
        if stands and wall != stands.due_at.astimezone(ZoneInfo(row.zone)).replace(tzinfo=None):
            facts["foreseen"] = foresee_move(row, at, wall, **wanted)
    except actions.OutOfReach as error:
        raise Http404 from error
    except actions.Refused as error:
        facts["refusal"] = str(error)
    return render(request, "schedules/calendar/look.html", facts)


def _wanted(request: HttpRequest, row: Schedule) -> dict[str, Any]:
    """How much of it, by whom, who saw what."""
    scope = request.POST.get("scope", "")
    if scope not in dict(scopes_of(row)):
        raise Http404
    return {"scope": Scope(scope), "by": request.user, "seen": _seen(request)}


def _answer(scope: Scope, row: Schedule) -> str:
    if scope == Scope.LATER:
        return _("This one and those after it go at their new times.")
    if scope == Scope.ALL:
        return _("All that are to come go at their new times.")
    if row.timing_kind != Kind.ONCE:
        return _("This one goes at its new time. The others go as before.")
    if row.state == ScheduleState.WAITING:
        return _("It goes at its new time once it is approved.")
    return _("It goes at its new time.")


def _seen(request: HttpRequest) -> int | None:
    """The revision that was looked at."""
    text = request.POST.get("seen", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _facts(request: HttpRequest, row: Schedule, at: datetime, scope: str) -> dict[str, Any]:
    said = {"at": at.isoformat(), "back": request.POST.get("back", ""), "scope": scope}
    time = request.POST.get("time", "")
    now = database_now()
    again = urlencode({**said, "to": time, "zone": row.zone})
    return {
        "title": row.title,
        "schedule": row,
        "said": {**said, "time": time, "seen": row.revision},
        "scope_words": dict(SCOPES).get(scope, ""),
        "words": words(row, now),
        "now": now,
        "again": f"{reverse('calendar-time', args=[row.pk])}?{again}",
    }


def _led(request: HttpRequest, address: str) -> HttpResponse:
    """To another page; the script of a dialog goes there itself."""
    if "X-Part" in request.headers:
        return HttpResponse(status=204, headers={"X-Go-To": address})
    return redirect(address)
