"""The page after signing in: what goes next, what went, and what waits for a person."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from config.scoped.admin import COUNTED
from config.scoped.times import moment, zone_of
from orgs.clock import database_now
from orgs.reach import Act, can_anywhere, member_of, within
from schedules.models import Delivery, Schedule
from schedules.states import DeliveryState, ScheduleState

SHOWN = 10
LOOKED_BACK = timedelta(days=7)  # for the last deliveries: without it a quiet unit reads them all
LAST_DAY = timedelta(hours=24)


def start_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's dashboard callback: adds what the start page shows, all within reach."""
    now = database_now()
    user = request.user
    member = member_of(user)
    context.update(
        title=_("Start"),
        member=member,
        zone=zone_of(user),
        now=now,
        can_register=can_anywhere(user, Act.CREATE, Schedule),
        register_address=_address("admin:schedules_schedule_add"),
        coming=_coming(user),
        latest=_latest(user, now),
        worklist=[
            # What waits for a person is shown however old it is.
            _worked_on(user, None, DeliveryState.UNCONFIRMED, _("not confirmed"), "warning"),
            _worked_on(user, now - LAST_DAY, DeliveryState.FAILED, _("failed"), "danger"),
        ],
    )
    return context


def _coming(user: Any) -> list[dict[str, Any]]:
    rows = (
        within(user, Schedule.objects.present())
        .filter(state=ScheduleState.ACTIVE, next_due_at__isnull=False)
        .select_related("unit")
        .order_by("next_due_at", "id")[:SHOWN]
    )
    zone = zone_of(user)
    return [
        {
            "schedule": row,
            "address": _address("admin:schedules_schedule_change", row.pk),
            "due": moment(row.next_due_at, zone),
        }
        for row in rows
    ]


def _latest(user: Any, now: datetime) -> list[dict[str, Any]]:
    rows = (
        within(user, Delivery.objects.all())
        .filter(due_at__lte=now, due_at__gte=now - LOOKED_BACK)
        .select_related("run")
        .order_by("-due_at", "-id")[:SHOWN]
    )
    zone = zone_of(user)
    return [
        {
            "delivery": row,
            "address": _address("admin:schedules_delivery_change", row.pk),
            "due": moment(row.due_at, zone),
        }
        for row in rows
    ]


def _worked_on(
    user: Any, since: datetime | None, state: str, words: Any, colour: str
) -> dict[str, Any]:
    rows: QuerySet = within(user, Delivery.objects.filter(state=state))
    if since is not None:
        rows = rows.filter(due_at__gte=since)
    list_address = _address("admin:schedules_delivery_changelist")
    return {
        "is_recent": since is not None,
        "count": rows.order_by()[:COUNTED].count(),
        "words": words,
        "colour": colour,
        "address": f"{list_address}?state__exact={state}" if list_address else "",
    }


def _address(name: str, *args: Any) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
