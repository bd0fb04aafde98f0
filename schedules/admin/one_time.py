"""The buttons beside each coming time of a schedule's page: they change this one alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from schedules import actions
from schedules.models import Schedule
from schedules.recurrence import Change

CALENDAR = ("view", "date", "unit", "room", "state", "kind")  # what an address of it says


def page_of(row: Schedule) -> str:
    return reverse("admin:schedules_schedule_change", args=[row.pk])


def shown_then(request: HttpRequest, row: Schedule) -> str:
    """The calendar as it was asked from there, else the schedule's times."""
    return calendar_asked(request) if request.POST.get("back") else f"{page_of(row)}#times"


def calendar_asked(request: HttpRequest) -> str:
    """The address of the calendar as it was."""
    asked = dict(parse_qsl(request.POST.get("back", "").removeprefix("?")))
    kept = {name: asked[name] for name in CALENDAR if name in asked}
    return f"{reverse('calendar')}?{urlencode(kept)}"


def _leave_out(request: HttpRequest, row: Schedule) -> str:
    actions.change_one(row, appointed_at(request), Change(skips=True), by=request.user)
    messages.success(request, _("This one is left out. The others go as before."))
    return shown_then(request, row)


def _move(request: HttpRequest, row: Schedule) -> str:
    at, wall = appointed_at(request), wall_said(request)
    actions.move(row, at, wall, scope=actions.Scope.ONE, by=request.user)
    messages.success(request, _("This one goes at its new time. The others go as before."))
    return shown_then(request, row)


def _reword(request: HttpRequest, row: Schedule) -> str:
    at = appointed_at(request)
    wanted = replace(actions.known_change(row, at), skips=False, text=request.POST.get("text", ""))
    actions.change_one(row, at, wanted, by=request.user)
    messages.success(request, _("This one goes with its own text. The others go as before."))
    return shown_then(request, row)


def _restore(request: HttpRequest, row: Schedule) -> str:
    actions.take_back_one(row, appointed_at(request), by=request.user)
    messages.success(request, _("The change was taken back."))
    return shown_then(request, row)


def appointed_at(request: HttpRequest) -> datetime:
    at = _parsed(request.POST.get("at", ""))
    if at is None or at.utcoffset() is None:
        raise Http404
    return at.astimezone(UTC)


def wall_said(request: HttpRequest) -> datetime:
    """What a clock shows then. Raises Refused."""
    local = _parsed(request.POST.get("time", ""))
    if local is None or local.utcoffset() is not None or not 1970 < local.year < 9999:
        raise actions.Refused(_("Choose a date and a time."))
    return local


def _parsed(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None


ONE_TIME: dict[str, Callable[[HttpRequest, Schedule], str]] = {
    "leave-out-one": _leave_out,
    "move-one": _move,
    "reword-one": _reword,
    "restore-one": _restore,
}
