"""Filters of the lists: by time on the reader's clock, by unit, channel, state and kind, and by
what a row belongs to."""

import re
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext_lazy as _

from channels.adapters import registry
from channels.models import Recipient
from config.scoped.times import zone_of
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import under, within
from schedules.models.run import KINDS
from schedules.shown import windows
from schedules.states import OUTCOMES, DeliveryState

ONE = ("run", "schedule", "recipient")  # what belongs to one of them is asked for as a whole

LAST_HOURS = timedelta(days=1)
WINDOWS = {
    "today": _("today"),
    "day": _("the last 24 hours"),
    "week": _("the last 7 days"),
    "weeks": _("the last 4 weeks"),
}
UNITS_OFFERED = 200
HOUR_ASKED = re.compile(r"([0-6])-(\d|1\d|2[0-3])")


class AppointedFilter(admin.SimpleListFilter):
    """A long list shows a week unless more is asked for; what is still to come is always in it."""

    title = _("appointed")
    parameter_name = "appointed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*WINDOWS.items(), ("all", _("all"))]

    def choices(self, changelist: Any) -> Any:
        present = self.value() or "week"
        for name, title in self.lookup_choices:
            yield {
                "selected": name == present,
                "query_string": changelist.get_query_string({self.parameter_name: name}),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        # One run, or a search, is asked for as a whole.
        # So is what waits for a person, however old it has grown.
        waiting = request.GET.get("state__exact") == DeliveryState.UNCONFIRMED
        narrowed = any(name in request.GET for name in ONE) or request.GET.get("q")
        asked = narrowed or waiting
        name = self.value() or ("all" if asked else "week")
        if name not in WINDOWS:
            return queryset
        now, zone = database_now(), zone_of(request.user)
        since = now - LAST_HOURS if name == "day" else windows.start_of(name, zone, now)
        return queryset.filter(due_at__gte=since)


class NextRunFilter(admin.SimpleListFilter):
    """Schedules by when they go next, the soonest first where they are not ordered otherwise."""

    title = _("next run")
    parameter_name = "next"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("hour", _("within 60 minutes")),
            ("today", _("today")),
            ("none", _("not scheduled to run")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        asked = self.value()
        if asked == "none":
            return queryset.filter(next_due_at=None)
        if asked not in ("hour", "today"):
            return queryset
        now = database_now()
        is_hour = asked == "hour"
        until = now + windows.HOUR if is_hour else windows.end_of_today(zone_of(request.user), now)
        rows: Any = queryset
        return rows.going_before(until)


class UnitFilter(admin.SimpleListFilter):
    """What belongs to a unit within reach, or to one under it."""

    title = _("unit")
    parameter_name = "unit"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        units = within(request.user, Unit.objects.order_by("path"))[:UNITS_OFFERED]
        return [(str(unit.pk), "\u2007\u2007" * (unit.depth - 1) + unit.name) for unit in units]

    def choices(self, changelist: Any) -> Any:
        """The address of so many is not put together anew for each; where they are counted, that
        takes far longer."""
        if changelist.add_facets:
            yield from super().choices(changelist)
            return
        rest = changelist.get_query_string(remove=[self.parameter_name])
        yield {"selected": not self.value(), "query_string": rest, "display": _("All")}
        start = f"{rest}{'' if rest == '?' else '&'}{self.parameter_name}="
        for pk, name in self.lookup_choices:
            yield {
                "selected": pk == self.value(),
                "query_string": f"{start}{pk}",
                "display": name,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        asked = self.value()
        if not asked:
            return queryset
        is_id = asked.isascii() and asked.isdecimal() and len(asked) < 19
        unit = within(request.user, Unit.objects.filter(pk=asked)).first() if is_id else None
        return under(unit, queryset) if unit else queryset.none()


class ChannelFilter(admin.SimpleListFilter):
    """By the channels that there are: to ask a long table for its own would read all of it."""

    title = _("channel")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(kind, adapter.label) for kind, adapter in sorted(registry().items())]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(channel=self.value()) if self.value() else queryset


class KindFilter(admin.SimpleListFilter):
    """Deliveries by the type of their run."""

    title = _("type")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*KINDS, ("none", _("not noted"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        asked = self.value()
        if not asked:
            return queryset
        return queryset.filter(run__kind="" if asked == "none" else asked)


class TestsFilter(admin.SimpleListFilter):
    """What went to test rooms."""

    title = _("tests")
    parameter_name = "tests"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("without tests")), ("only", _("tests alone"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        asked = {"no": False, "only": True}.get(self.value() or "")
        return queryset if asked is None else queryset.filter(is_test=asked)


class OutcomeFilter(admin.SimpleListFilter):
    """What deliveries came to, as figures count it: what is confirmed was sent. Offered only while
    the list is narrowed by it: the states are there besides."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        asked = request.GET.get(self.parameter_name, "")
        return [(asked, OUTCOMES[asked][0].label)] if asked in OUTCOMES else []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        states = OUTCOMES.get(self.value() or "")
        return queryset.filter(state__in=states) if states else queryset


class HourFilter(admin.SimpleListFilter):
    """An hour of a weekday over the last weeks: “0-9” is Mondays from nine to ten. Offered only
    while the list is narrowed by it."""

    title = _("hour")
    parameter_name = "hour"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        asked = request.GET.get(self.parameter_name, "")
        found = _hour_of(asked)
        return [(asked, f"{WEEKDAYS_ABBR[found[0]]} {found[1]:02d}:00")] if found else []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        found = _hour_of(self.value() or "")
        if not found:
            return queryset
        spans = windows.hours(*found, zone_of(request.user), database_now())
        wanted = Q(pk__in=())
        for start, end in spans:
            wanted |= Q(due_at__gte=start, due_at__lt=end)
        return queryset.filter(wanted)


class OneOf(admin.SimpleListFilter):
    """Narrows a list to what belongs to one row; offered only while it is narrowed."""

    field = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        asked = request.GET.get(str(self.parameter_name), "")
        return [(asked, f"#{asked}")] if asked.isdecimal() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        asked = self.value()
        if not asked:
            return queryset
        return queryset.filter(**{self.field: asked}) if len(asked) < 19 else queryset.none()


class OneRunFilter(OneOf):
    title = _("run")
    parameter_name = "run"
    field = "run_id"


class OneScheduleFilter(OneOf):
    title = _("schedule")
    parameter_name = "schedule"
    field = "schedule_id"


class OneRecipientFilter(OneOf):
    """What went to one person who is within reach; of anybody else nothing."""

    title = _("recipient")
    parameter_name = "recipient"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        person = _person(request, request.GET.get(str(self.parameter_name), ""))
        found = super().lookups(request, model_admin)
        return [(asked, person or number) for asked, number in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        asked = self.value()
        if not asked:
            return queryset
        person = _person(request, asked)
        sent: Any = queryset
        return sent.to_person(person) if person else queryset.none()


def person_asked(request: HttpRequest) -> Recipient | None:
    """The person within reach whose messages the list shows."""
    return _person(request, request.GET.get(str(OneRecipientFilter.parameter_name), ""))


def _person(request: HttpRequest, asked: str) -> Recipient | None:
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
        return None
    return within(request.user, Recipient.objects.filter(pk=int(asked))).first()


def _hour_of(asked: str) -> tuple[int, int] | None:
    """“0-9”: (0, 9)."""
    found = HOUR_ASKED.fullmatch(asked)
    return (int(found[1]), int(found[2])) if found else None
