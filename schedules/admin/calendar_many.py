"""Several times of the calendar at once: left out, moved by as much, or their schedules paused.
Each goes through the act of one, and has an answer of its own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from config.scoped.choices import is_id
from orgs.clock import database_now
from orgs.reach import within
from schedules import actions
from schedules.admin.many import ShiftForm
from schedules.admin.one_time import shown_then
from schedules.models import Schedule
from schedules.recurrence import Change
from schedules.recurrence.moments import first_moment

MOST = 200  # at once: they are answered within one request


@dataclass(frozen=True)
class Line:
    """What became of one time, or why nothing did."""

    row: Schedule
    at: datetime
    then: datetime | str = ""
    refusal: str = ""


def _skip(row: Schedule, at: datetime, by: Any, span: timedelta) -> str:
    actions.change_one(row, at, Change(skips=True), by=by)
    return _("left out")


def _shift(row: Schedule, at: datetime, by: Any, span: timedelta) -> datetime:
    zone = ZoneInfo(row.zone)
    stands_at = actions.known_change(row, at).due_at or at
    wall = stands_at.astimezone(zone).replace(tzinfo=None) + span
    actions.move(row, at, wall, scope=actions.Scope.ONE, by=by)
    return first_moment(wall, zone).due_at.astimezone(UTC)


def _pause(row: Schedule, at: datetime, by: Any, span: timedelta) -> str:
    if not Schedule.objects.filter(pk=row.pk, state="paused").exists():
        actions.pause(row, by=by)
    return _("paused")


Act = Callable[[Schedule, datetime, Any, timedelta], datetime | str]
DEEDS: dict[str, tuple[Any, Act]] = {
    "skip": (gettext_lazy("Leave several out"), _skip),
    "shift": (gettext_lazy("Move several"), _shift),
    "pause": (gettext_lazy("Pause several schedules"), _pause),
}


@require_POST
def calendar_many(request: HttpRequest) -> HttpResponse:
    """Carry it out; each by its name, with what became of it."""
    verb = request.POST.get("verb", "")
    if verb not in DEEDS:
        raise Http404
    chosen = _chosen(request.POST.getlist("row"))
    present = within(request.user, Schedule.objects.present().select_related("unit"))
    rows = present.in_bulk({pk for pk, _at, _seen in chosen})
    chosen = [one for one in chosen if one[0] in rows]
    if not chosen:
        raise Http404
    title, act = DEEDS[verb]
    form = ShiftForm(request.POST)
    is_ready = verb != "shift" or form.is_valid()
    span = form.cleaned_data["span"] if verb == "shift" and is_ready else timedelta()
    lines = [
        _carried_out(act, rows[pk], at, seen, by=request.user, span=span)
        for pk, at, seen in (chosen if is_ready else ())
    ]
    context = admin.site.each_context(request) | {
        "title": title,
        "lines": lines,
        "errors": [] if is_ready else form.non_field_errors(),
        "back": shown_then(request, rows[chosen[0][0]]),
        "done": sum(not line.refusal for line in lines),
        "refused": sum(bool(line.refusal) for line in lines),
        "now": database_now(),
    }
    return render(request, "schedules/calendar/many.html", context)


def _carried_out(
    act: Act, row: Schedule, at: datetime, seen: int, *, by: Any, span: timedelta
) -> Line:
    # What was chosen of one schedule is looked at once: its own changes do not make it old.
    if seen != row.revision:
        return Line(row, at, refusal=_("It has been changed since you looked at it."))
    try:
        return Line(row, at, act(row, at, by, span))
    except actions.Refused as error:
        return Line(row, at, refusal=str(error))


def _chosen(values: Iterable[str]) -> list[tuple[int, datetime, int]]:
    """“12@2026-11-30T01:00:00+00:00@3”: schedule, appointed time, the revision that was looked at;
    the soonest first."""
    found = set()
    for value in list(values)[:MOST]:
        pk, _first, rest = value.partition("@")
        text, _second, seen = rest.partition("@")
        at = _moment(text)
        if at is not None and pk and is_id(pk) and seen and is_id(seen):
            found.add((int(pk), at, int(seen)))
    return sorted(found, key=lambda one: (one[1], one[0]))


def _moment(text: str) -> datetime | None:
    try:
        at = parse_datetime(text)
    except ValueError:
        return None
    if at is None or at.utcoffset() is None or not 1970 < at.year < 9998:
        return None
    return at.astimezone(UTC)
