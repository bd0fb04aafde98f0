"""Filters of the lists: by time with a default window, and by the run of a delivery."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from channels.models import Recipient
from orgs.clock import database_now
from orgs.reach import within
from schedules.states import DeliveryState

ONE = ("run", "schedule", "recipient")  # what belongs to one of them is asked for as a whole

WINDOWS = {
    "day": (_("the last 24 hours"), timedelta(days=1)),
    "week": (_("the last 7 days"), timedelta(days=7)),
    "month": (_("the last 30 days"), timedelta(days=30)),
}


class AppointedFilter(admin.SimpleListFilter):
    """A long list shows a week unless more is asked for; what is still to come is always in it."""

    title = _("appointed")
    parameter_name = "appointed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*((name, title) for name, (title, _span) in WINDOWS.items()), ("all", _("all"))]

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
        return queryset.filter(due_at__gte=database_now() - WINDOWS[name][1])


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


def _person(request: HttpRequest, asked: str) -> Recipient | None:
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
        return None
    return within(request.user, Recipient.objects.filter(pk=int(asked))).first()
