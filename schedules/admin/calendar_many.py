"""Several times of the calendar at once: left out, moved by as much, or their schedules paused.
Each goes through the act of one, and has an answer of its own. A move is looked at first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from config.scoped.choices import is_id
from orgs.clock import database_now
from orgs.reach import within
from schedules import actions
from schedules.admin.many import ShiftForm
from schedules.admin.one_time import calendar_asked
from schedules.models import OccurrenceChange, Schedule
from schedules.recurrence import Change
from schedules.recurrence.moments import first_moment
from schedules.shown.calendar.clashes import clashes_then
from schedules.shown.calendar.clashing import Message

MOST = 60  # at once: they are answered within one request


@dataclass(frozen=True)
class Line:
    """What became of one time, or why nothing did."""

    row: Schedule
    at: datetime  # by its timing
    stands_at: datetime  # as it went before
    then: datetime | str = ""
    refusal: str = ""
    clashes: tuple[str, ...] = ()


def _skip(row: Schedule, at: datetime, *, by: Any, span: timedelta) -> str:
    actions.change_one(row, at, Change(skips=True), by=by)
    return _("left out")


def _shift(row: Schedule, at: datetime, *, by: Any, span: timedelta) -> datetime:
    zone = ZoneInfo(row.zone)
    stands_at = actions.known_change(row, at).due_at or at
    wall = stands_at.astimezone(zone).replace(tzinfo=None) + span
    actions.move(row, at, wall, scope=actions.Scope.ONE, by=by)
    return first_moment(wall, zone).due_at.astimezone(UTC)


def _pause(row: Schedule, at: datetime, *, by: Any, span: timedelta) -> str:
    if not Schedule.objects.filter(pk=row.pk, state="paused").exists():
        actions.pause(row, by=by)
    return _("paused")


Act = Callable[..., datetime | str]
Chosen = tuple[int, datetime, int]  # schedule, appointed time, the revision that was looked at
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
    if len(values := request.POST.getlist("row")) > MOST:
        messages.error(request, _("Choose at most %(most)d at once.") % {"most": MOST})
        return redirect(calendar_asked(request))
    chosen = _chosen(values)
    present = within(request.user, Schedule.objects.present().select_related("unit"))
    rows = present.in_bulk({pk for pk, _at, _seen in chosen})
    chosen = [one for one in chosen if one[0] in rows]
    if not chosen:
        raise Http404
    title, act = DEEDS[verb]
    form = ShiftForm(request.POST)
    is_ready = verb != "shift" or form.is_valid()
    is_look = verb == "shift" and not ("sure" in request.POST and is_ready)
    lines = _as_they_stand(chosen, rows)
    if is_ready:
        span = form.cleaned_data["span"] if verb == "shift" else timedelta()
        if is_look:
            lines = _looked_at(lines, span, by=request.user)
        else:
            lines = _carried_out(partial(act, by=request.user, span=span), lines)
    context = admin.site.each_context(request) | {
        "title": title,
        "verb": verb,
        "form": form,
        "lines": lines,
        "chosen": [f"{pk}@{at.isoformat()}@{seen}" for pk, at, seen in chosen],
        "is_look": is_look,
        "is_ready": is_ready,
        "back": calendar_asked(request),
        "asked_from": request.POST.get("back", ""),
        "done": sum(not line.refusal for line in lines),
        "refused": sum(bool(line.refusal) for line in lines),
        "now": database_now(),
    }
    return render(request, "schedules/calendar/many.html", context)


def _as_they_stand(chosen: Sequence[Chosen], rows: Mapping[int, Schedule]) -> list[Line]:
    """Before anything is done. What was changed since somebody looked stays as it is."""
    changes = OccurrenceChange.of_all(list(rows), chosen[0][1] - timedelta.resolution)
    lines = []
    for pk, at, seen in chosen:
        change = changes.get(pk, {}).get(at, Change())
        is_old = seen != rows[pk].revision
        refusal = _("It has been changed since you looked at it.") if is_old else ""
        lines.append(Line(rows[pk], at, change.due_at or at, refusal=refusal))
    return lines


def _looked_at(lines: Sequence[Line], span: timedelta, *, by: Any) -> list[Line]:
    """As it would be; nothing of it stays."""
    kept = [line for line in lines if line.refusal]
    asked = [line for line in lines if not line.refusal]
    times = [(line.row.pk, line.at) for line in asked]
    answers = actions.foresee_moves(times, span, by=by, now=database_now()) if times else []
    found = [_told(*each) for each in zip(asked, answers, strict=True)]
    return _with_clashes(sorted(kept + found, key=lambda line: (line.at, line.row.pk)), by=by)


def _told(line: Line, answer: datetime | actions.Refused) -> Line:
    if isinstance(answer, actions.Refused):
        return replace(line, refusal=str(answer))
    return replace(line, then=answer)


def _with_clashes(lines: Sequence[Line], *, by: Any) -> list[Line]:
    """Told of all as they would stand together."""
    moved = {
        Message(line.at, line.row.pk): line.then
        for line in lines
        if isinstance(line.then, datetime)
    }
    rows = {line.row.pk: line.row for line in lines}
    found = clashes_then(rows, moved, by=by, now=database_now())
    return [
        replace(line, clashes=tuple(found.get(Message(line.then, line.row.pk), ())))
        if isinstance(line.then, datetime)
        else line
        for line in lines
    ]


def _carried_out(act: Act, lines: Sequence[Line]) -> list[Line]:
    return [line if line.refusal else _answer(act, line) for line in lines]


def _answer(act: Act, line: Line) -> Line:
    try:
        return replace(line, then=act(line.row, line.at))
    except actions.Refused as error:
        return replace(line, refusal=str(error))


def _chosen(values: Iterable[str]) -> list[Chosen]:
    """“12@2026-11-30T01:00:00+00:00@3”; the soonest first."""
    found = set()
    for value in values:
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
