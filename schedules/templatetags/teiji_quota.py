"""Figures of cost and quota in templates."""

from typing import Any

from django import template

from channels.models import Account, DayCount, QuotaReading
from orgs.clock import database_now
from orgs.reach import within
from schedules.shown.quota import quotas

register = template.Library()

DAYS_SHOWN = 28  # counts of an account: of two endpoints, two weeks


@register.filter
def thousands(number: int | None) -> str:
    """“1,200”."""
    return "" if number is None else f"{number:,}"


@register.inclusion_tag("schedules/quota_card.html", takes_context=True)
def quota_card(context: dict[str, Any], account: Account | None) -> dict[str, Any]:
    """The quota of an account, for its page; nothing where its channel bills nothing."""
    if account is None or account.pk is None or not account.meters:
        return {}
    user, now = context["request"].user, database_now()
    readings = QuotaReading.objects.filter(account=account).select_related("account")
    found = quotas(list(within(user, readings)), by=user, now=now)
    zone = account.quota_zone
    return {"account": account, "quota": found[0] if found else None, "now": now, "zone": zone}


@register.inclusion_tag("schedules/day_counts.html", takes_context=True)
def day_counts(context: dict[str, Any], account: Account | None) -> dict[str, Any]:
    """What an account's channel says it has delivered, for its page; nothing where it counts
    nothing."""
    if account is None or account.pk is None or not account.counts:
        return {}
    rows = within(context["request"].user, DayCount.objects.filter(account=account))
    latest = list(rows.select_related("account")[:DAYS_SHOWN])
    return {"account": account, "rows": latest, "channel": account.adapter_class.label}
