"""One time of the calendar: a page of its own, which the script shows as a dialog."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from config.scoped.times import zone_of
from logs.said import retell
from orgs.clock import database_now
from orgs.reach import Act, can, within
from schedules.actions.edit import EDITABLE
from schedules.actions.occurrence import has_single_times
from schedules.models import Run, Schedule
from schedules.recurrence import Occurrence
from schedules.recurrence.moments import first_moment
from schedules.shown.calendar.clashes import clashes_at
from schedules.shown.calendar.legend import look_of
from schedules.shown.calendar.moving import may_move, scopes_of
from schedules.shown.calendar.one import held_at, occurrence_at
from schedules.shown.coming import reason_in_words, words, words_of_held
from schedules.states import RunState, ScheduleState
from schedules.templatetags.teiji_times import input_in_zone


@require_safe
def calendar_time(request: HttpRequest, pk: int) -> HttpResponse:
    """A coming time of a schedule, named by when its timing appoints it."""
    row = schedule_or_404(request, pk)
    one = time_or_404(row, request.GET.get("at", ""))
    now = database_now()
    return show(request, "schedules/calendar/time.html", time_facts(request, row, one, now))


@require_safe
def calendar_run(request: HttpRequest, pk: int) -> HttpResponse:
    """A run: what went, goes, or was skipped."""
    rows = within(request.user, Run.objects.select_related("schedule__unit"))
    run = rows.defer("payloads", "content").filter(pk=pk).first()
    if run is None:
        raise Http404
    now = database_now()
    tone, icon = look_of(run.state, is_often=False, is_moved=False)
    why = run.get_reason_display()
    context = common_facts(request, run.schedule, now) | {
        "title": run.title,
        "run": run,
        "due_at": run.due_at,
        "first_due_at": run.first_due_at,
        "label": run.get_state_display(),
        "tone": tone,
        "icon": icon,
        "why": f"{why} ({retell(run.detail)})" if run.detail else why,
    }
    return show(request, "schedules/calendar/time.html", context)


def schedule_or_404(request: HttpRequest, pk: int) -> Schedule:
    rows = within(request.user, Schedule.objects.present().select_related("unit"))
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def time_or_404(row: Schedule, text: str) -> Occurrence:
    """The occurrence that an address names by its appointed time, as it goes now."""
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None or at.utcoffset() is None or not 1970 < at.year < 9998:
        raise Http404
    found = occurrence_at(row, at.astimezone(UTC))
    if found is None:
        raise Http404
    return found


def show(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """As a page, or as the part of one that a dialog shows."""
    is_part = "X-Part" in request.headers
    whole = {} if is_part else admin.site.each_context(request)
    base = "schedules/calendar/part.html" if is_part else "schedules/page.html"
    return render(request, template, {**whole, **context, "base": base, "is_part": is_part})


def common_facts(request: HttpRequest, row: Schedule, now: datetime) -> dict[str, Any]:
    """What is said of any time of a schedule."""
    is_present = row.deleted_at is None and row.edits_id is None
    may_change = is_present and can(request.user, Act.CHANGE, row)
    return {
        "schedule": row,
        "zone": zone_of(request.user),
        "now": now,
        "words": words(row, now),
        "is_present": is_present and can(request.user, Act.VIEW, row),
        "may_change": may_change,
        "may_edit": may_change and row.state in EDITABLE,
    }


def time_facts(
    request: HttpRequest, row: Schedule, one: Occurrence, now: datetime
) -> dict[str, Any]:
    """What is said of a coming time."""
    is_waiting = row.state == ScheduleState.WAITING
    state = RunState.SKIPPED if one.skipped else RunState.PLANNED
    label = ScheduleState.WAITING.label if is_waiting and not one.skipped else state.label
    value = row.state if is_waiting and not one.skipped else state.value
    tone, icon = look_of(value, is_often=False, is_moved=one.first_due_at is not None)
    wanted = wanted_time(request, row.zone)
    then = _moment_of(wanted, row) or one.due_at
    return common_facts(request, row, now) | {
        "title": row.title,
        "one": one,
        "clashes": clashes_at(row, [then], by=request.user, now=now).get(then, []),
        "at": one.appointed_at.isoformat(),
        "due_at": one.due_at,
        "first_due_at": one.first_due_at,
        "label": label,
        "tone": tone,
        "icon": icon,
        "why": reason_in_words(one),
        "held": [words_of_held(held, row.zone) for held in held_at(row, one, now)],
        # As the forms of a schedule's page take them.
        "may_change_times": may_change_times(request, row) and one.due_at > now,
        "may_move": may_move(row) and can(request.user, Act.CHANGE, row) and one.due_at > now,
        "occurrence": one,
        "number": 0,
        "coming": {"zone": row.zone},
        "wanted": wanted,
        "scopes": scopes_of(row),
        "scope": request.GET.get("scope", ""),
        "back": request.GET.get("back", ""),
    }


def _moment_of(wanted: str, row: Schedule) -> datetime | None:
    if not wanted:
        return None
    return first_moment(datetime.fromisoformat(wanted), ZoneInfo(row.zone)).due_at


def may_change_times(request: HttpRequest, row: Schedule) -> bool:
    return has_single_times(row) and can(request.user, Act.CHANGE, row)


def wanted_time(request: HttpRequest, zone: str) -> str:
    """Where it was dragged to (`to`, on the clock of `zone`), on the schedule's own clock; ""."""
    try:
        local = datetime.fromisoformat(request.GET.get("to", ""))
        own = ZoneInfo(request.GET.get("zone", ""))
    except (ValueError, KeyError, OSError):  # no such time, no such zone
        return ""
    if local.tzinfo is not None or not 1970 < local.year < 9998:
        return ""
    return input_in_zone(local.replace(tzinfo=own), zone)
