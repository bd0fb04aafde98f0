"""Figures of cost and quota in templates."""

from typing import Any

from django import template

from channels.models import Account, QuotaReading
from orgs.clock import database_now
from orgs.reach import within
from schedules.shown.quota import quotas

register = template.Library()


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
