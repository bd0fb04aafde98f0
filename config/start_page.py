"""The page after signing in: what goes next, what went, and what waits for a person."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from channels.models import Account, AlertTarget
from config.scoped.admin import COUNTED
from config.scoped.times import moment, zone_of
from logs.admin.punctuality import grouped, line_of
from logs.stats.punctuality import report
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act, can_anywhere, member_of, within
from schedules.models import Delivery, Run, Schedule
from schedules.shown.cards import cards_of, success_of
from schedules.shown.figures import Figures
from schedules.shown.freezes import in_force_for
from schedules.shown.lane import lane_of
from schedules.shown.narrowed import schedules_of
from schedules.shown.quota import Shown, scarcest
from schedules.states import RunState, ScheduleState

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
    )
    if member or user.is_superuser:
        context.update(_figures(user, now))
    return context


def _figures(user: Any, now: datetime) -> dict[str, Any]:
    figures = Figures(user, now)
    return {
        "figures": figures,
        "cards": cards_of(user, figures, now),
        "success": success_of(figures),
        "freezes": in_force_for(user).count(),
        "lane": lane_of(user, now),
        "lane_address": schedules_of(next="hour"),
        "coming": _coming(user),
        "latest": _latest(user, now),
        "lateness": _lateness(user, now),
        "quotas": [_quota(user, quota, now) for quota in scarcest(by=user, now=now)],
        "stopped": _stopped(user, now),
        "told_unit": _told_unit(user),
    }


def _told_unit(user: Any) -> Unit | None:
    """Of who manages it: whether somebody is told of what fails there."""
    member = member_of(user)
    return member.unit if member and can_anywhere(user, Act.CREATE, AlertTarget) else None


def _lateness(user: Any, now: datetime) -> list[dict[str, Any]]:
    """Of today and of the last days, as the page “Punctuality” shows it."""
    found = report(user, now)
    spans = ((_("Today"), found.today), (_("30 days"), found.total))
    return [{"title": title, "of": grouped(span.count), **line_of(span)} for title, span in spans]


def _quota(user: Any, quota: Shown, now: datetime) -> dict[str, Any]:
    return {
        "quota": quota,
        "address": _account_address(user, quota.reading.account_id),
        "days": quota.lasts(now),
        "rest": (quota.reading.month(now).end - now).days,
    }


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


def _count(rows: QuerySet) -> int:
    return rows.order_by()[:COUNTED].count()


def _stopped(user: Any, now: datetime) -> dict[str, Any]:
    """Runs that did not fit into what was left of a month."""
    short = Run.objects.filter(state=RunState.SKIPPED, due_at__gte=now - LAST_DAY)
    rows = within(user, short.filter(reason__in=(Run.Reason.QUOTA, Run.Reason.BUDGET)))
    list_address = _address("admin:schedules_run_changelist")
    return {
        "count": _count(rows),
        "address": f"{list_address}?state__exact={RunState.SKIPPED}" if list_address else "",
    }


def _account_address(user: Any, account_id: int) -> str:
    """Its figures are for all of its unit, its page for who manages it."""
    may_open = can_anywhere(user, Act.VIEW, Account)
    return _address("admin:channels_account_change", account_id) if may_open else ""


def _address(name: str, *args: Any) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
