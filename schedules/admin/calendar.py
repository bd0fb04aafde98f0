"""The calendar: a page with filters and a legend, and the feed that its script draws."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from orgs.clock import database_now
from orgs.moments import clock, time_of_day
from orgs.reach import Act, can_anywhere
from schedules.admin.calendar_many import calendar_many
from schedules.admin.calendar_move import calendar_look, calendar_move
from schedules.admin.calendar_time import calendar_run, calendar_time
from schedules.models import Schedule
from schedules.shown import windows
from schedules.shown.calendar.ahead import next_after
from schedules.shown.calendar.asked import VIEWS, Asked, Narrowing, Place
from schedules.shown.calendar.clashes import clashes_of
from schedules.shown.calendar.entries import MOST_LISTED, entries_of
from schedules.shown.calendar.entry import Entry, Shown
from schedules.shown.calendar.legend import legend, look_of
from schedules.shown.calendar.shades import holidays_of, loads_of, quiet_of

ANY = 1_000_000_007  # stands for an id
SCRIPT = "fullcalendar/core.js"
LOCALES = ("ko", "zh-hant", "zh-hans")  # those that scripts/assets.py brings


@require_safe
def calendar_page(request: HttpRequest) -> HttpResponse:
    """The page. The list is drawn by the server, and so is every view without the script."""
    _refuse_strangers(request)
    now = database_now()
    narrowing = Narrowing(request.GET, by=request.user)
    place = Place.of(request.GET, windows.today(narrowing.zone, now))
    has_script = _has_script()
    is_list = place.view == "list" or not has_script
    context = admin.site.each_context(request) | {
        "title": _("Calendar"),
        "narrowing": narrowing,
        "place": place,
        "zone": narrowing.zone,
        "today": windows.today(narrowing.zone, now),
        "views": [
            (name, label, _moved(place, narrowing, view=name)) for name, label in VIEWS.items()
        ],
        "steps": [_moved(place.moved(by), narrowing) for by in (-1, 1)],
        "legend": legend(),
        "has_script": has_script,
        "is_list": is_list,
        "locale": get_language() if get_language() in LOCALES else "",
        "back": f"?{place.query(narrowing)}",
        "may_choose": can_anywhere(request.user, Act.CHANGE, Schedule),
        "may_register": can_anywhere(request.user, Act.CREATE, Schedule),
        "now": now,
    }
    if is_list:
        asked = narrowing.asked(place.first, place.last)
        context |= _listed(asked, now)
    return render(request, "schedules/calendar/page.html", context)


@require_safe
def calendar_events(request: HttpRequest) -> HttpResponse:
    """The feed: from `start` to before `end`, dates on the clock of the zone that it names."""
    _refuse_strangers(request)
    narrowing = Narrowing(request.GET, by=request.user)
    try:
        first, last = (date.fromisoformat(request.GET.get(name, "")) for name in ("start", "end"))
        asked = narrowing.asked(first, last)
    except ValueError:
        return HttpResponseBadRequest("Ask for 1 to 45 days, as start=2026-11-01&end=2026-12-01.")
    now = database_now()
    shown = entries_of(asked, now)
    clashes = clashes_of(asked, shown, now)
    return JsonResponse(
        {
            "zone": asked.zone,
            "events": _events(shown, clashes, ZoneInfo(asked.zone), now),
            "quiet": _quiet(asked),
            "holidays": {
                str(day): names for day, names in holidays_of(asked, shown.countries).items()
            },
            "loads": {
                str(day): [load.words, load.is_full, load.short]
                for day, load in loads_of(asked, shown).items()
            },
            "full": sorted(map(str, shown.full_days)),
            "more": {
                str(day): [*words, shown.more[day].total()]
                for day in asked.days
                if any(words := shown.more_in_words(day))
            },
            "notes": notes_of(shown),
        }
    )


def notes_of(shown: Shown) -> list[str]:
    """What is not shown, and what to do."""
    found = []
    if shown.full_days:
        found.append(_("Some days have more than is shown. Open the day, or narrow it by a unit."))
    if shown.more:
        found.append(_("There is more to come than is shown one by one: each day says how much. "
                       "Open the day, or narrow it by a unit or a room."))  # fmt: skip
    if shown.least_from:
        found.append(_("From %(day)s on not all can be counted: there is at least as much as the "
                       "days say.") % {"day": shown.least_from})  # fmt: skip
    return found


class Addresses:
    """The pages of times, which the dialog shows: the form of their addresses is asked for once."""

    def __init__(self) -> None:
        self._run, self._time = (
            reverse(name, args=[ANY]).split(str(ANY)) for name in ("calendar-run", "calendar-time")
        )

    def of(self, entry: Entry) -> str:
        if entry.run_id:
            return str(entry.run_id).join(self._run)
        page = str(entry.schedule_id).join(self._time)
        return f"{page}?at={quote_plus(entry.appointed_at.isoformat())}"


def _has_script() -> bool:
    """Whether scripts/assets.py has fetched it, and it is served."""
    if settings.WHITENOISE_USE_FINDERS:
        return finders.find(SCRIPT) is not None
    return staticfiles_storage.exists(SCRIPT)


def _refuse_strangers(request: HttpRequest) -> None:
    if not can_anywhere(request.user, Act.VIEW, Schedule):
        raise Http404


def _moved(place: Place, narrowing: Narrowing, *, view: str = "") -> str:
    return f"?{Place(view or place.view, place.day).query(narrowing)}"


def _listed(asked: Asked, now: datetime) -> dict[str, Any]:
    shown = entries_of(asked, now, most_in_all=MOST_LISTED)
    holidays, loads = holidays_of(asked, shown.countries), loads_of(asked, shown)
    clashes = clashes_of(asked, shown, now)
    today = windows.today(asked.zone, now)
    addresses, labels = Addresses(), shown.labels
    days = [
        {
            "day": day,
            "begin": windows.midnight(day, asked.zone),
            "lines": [
                (
                    entry,
                    clock(entry.due_at, asked.zone),
                    labels[entry.state],
                    addresses.of(entry),
                    *_look(entry),
                    clashes.get(entry.message, ""),
                )
                for entry in entries
            ],
            "holidays": holidays.get(day, []),
            "load": loads.get(day),
            "is_full": day in shown.full_days,
            "more": shown.more_in_words(day),
            "is_past": day < today,
        }
        for day, entries in shown.by_day(asked).items()
    ]
    may_choose = any(entry.may_move for entry in shown.entries)
    passed = _empty_and_past(days)
    is_over = asked.end <= now or any(entry.due_at >= now for entry in shown.entries) or shown.more
    return {
        "passed": days[:passed],
        "days": days[passed:],
        "span": (days[0]["begin"], days[-1]["begin"]),
        "next": None if is_over else next_after(asked),
        "may_choose": may_choose,
        "notes": notes_of(shown),
        "quiet": quiet_of(asked),
    }


def _empty_and_past(days: list[dict[str, Any]]) -> int:
    """How many days at the beginning have passed with nothing: they are told in one line, so that
    the list begins where something is."""
    told = ("lines", "holidays", "load", "is_full")
    empty = [day["is_past"] and not (any(day[key] for key in told) or any(day["more"]))
             for day in days]  # fmt: skip
    return empty.index(False) if False in empty else len(empty)


def _look(entry: Entry) -> tuple[str, str]:
    return look_of(entry.state, is_often=entry.is_often, is_moved=entry.is_moved)


def _events(
    shown: Shown, clashes: Mapping[Any, str], zone: ZoneInfo, now: datetime
) -> list[dict[str, Any]]:
    """As FullCalendar takes them: wall-clock times without an offset."""
    addresses, labels, events = Addresses(), shown.labels, []
    for entry in shown.entries:
        tone, icon = _look(entry)
        start = entry.due_at.astimezone(zone).replace(tzinfo=None, microsecond=0)
        events.append(
            {
                "id": f"run-{entry.run_id}" if entry.run_id else entry.key,
                "title": entry.title,
                "start": start.isoformat(),
                "tone": tone,
                "icon": icon,
                "label": labels[entry.state],
                "why": entry.why,
                "unit": entry.unit,
                "address": addresses.of(entry),
                "movable": entry.may_move and entry.due_at > now,
                "gone": entry.run_id is not None,
                "clash": clashes.get(entry.message, ""),
            }
        )
    return events


def _quiet(asked: Asked) -> list[list[str]]:
    """Stretches of each day on its clock."""
    quiet = quiet_of(asked)
    if quiet is None:
        return []
    begin, end = time_of_day(quiet.begins), time_of_day(quiet.ends)
    return [[begin, end]] if begin < end else [[begin, "24:00"], ["00:00", end]]


urlpatterns = [
    path("", admin.site.admin_view(calendar_page), name="calendar"),
    path("events/", admin.site.admin_view(calendar_events), name="calendar-events"),
    path("several/", admin.site.admin_view(calendar_many), name="calendar-many"),
    path("runs/<int:pk>/", admin.site.admin_view(calendar_run), name="calendar-run"),
    path("schedules/<int:pk>/time/", admin.site.admin_view(calendar_time), name="calendar-time"),
    path("schedules/<int:pk>/move/", admin.site.admin_view(calendar_move), name="calendar-move"),
    path("schedules/<int:pk>/look/", admin.site.admin_view(calendar_look), name="calendar-look"),
]
