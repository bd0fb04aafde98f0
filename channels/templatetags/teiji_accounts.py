"""Whether an account can be used: what its channel said, and why it was stopped."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from channels.adapters import registry
from channels.models import Account, AccountCheck, QuotaReading
from logs.said import retell
from orgs.clock import database_now
from orgs.moments import exact
from orgs.reach import Act, can

register = template.Library()

PATIENCE = timedelta(seconds=20)  # after which it is said that no worker has come


@register.inclusion_tag("channels/account_check.html", takes_context=True)
def account_check(context: dict[str, Any], account: Account | None) -> dict[str, Any]:
    """The card of an account's page; nothing for one that is not stored yet."""
    if account is None or account.pk is None:
        return {}
    return check_context(account, context["request"].user, database_now())


def check_context(account: Account, user: Any, now: datetime) -> dict[str, Any]:
    """What the card shows now."""
    adapter_class = registry().get(account.kind)
    row = AccountCheck.objects.filter(account=account).first()
    is_waiting = row is not None and row.asked_at is not None
    return {
        "account": account,
        "check": row,
        "is_waiting": is_waiting,
        "is_late": is_waiting and row is not None and now - (row.asked_at or now) > PATIENCE,
        "can_be_checked": adapter_class is not None and adapter_class.can_be_checked(),
        "may_ask": can(user, Act.CHANGE, account),
        "stopped": stopped_words(account),
        "left": _left(account),
        "zone": account.unit.zone,
        "now": now,
        "check_url": reverse("admin:account-check", args=[account.pk]),
        "state_url": reverse("admin:account-check-state", args=[account.pk]),
    }


def stopped_words(account: Account) -> tuple[str, str] | None:
    """Since when and why nothing goes, and what to do; None where it goes."""
    if account.stopped_at is None:
        return None
    since = exact(account.stopped_at, account.unit.zone)
    words = _("Since %(since)s nothing is sent: %(why)s")
    why = words % {"since": since, "why": retell(account.stopped_why)}
    if account.is_spent:
        return why, _(
            "It goes on by itself when the channel’s month turns, or as soon as the channel says "
            "that there is room: it may only hold some back for what is just being delivered. To "
            "try at once, save the account."
        )
    return why, _(
        "Put it right at the channel or in the settings below, then save: it sends again, unless "
        "the channel refuses it once more. “Check now” starts it as well, where the channel finds "
        "it in order."
    )


def going_badge(account: Account) -> SafeString:
    """For lists: whether it sends, and why not."""
    words = stopped_words(account)
    if words is None:
        return format_html(
            '<span class="tj-state tj-good"><span class="material-symbols-outlined" '
            'aria-hidden="true">check_circle</span>{}</span>',
            _("sends"),
        )
    return format_html(
        '<span class="tj-state tj-bad"><span class="material-symbols-outlined" aria-hidden="true">'
        'block</span>{}</span><span class="tj-list-words">{}<br>{}</span>',
        _("stopped"),
        retell(account.stopped_why),
        _("Open it to see what to do."),
    )


def _left(account: Account) -> int | None:
    """What is left of the month, as the channel told last."""
    reading = QuotaReading.objects.filter(account=account).first() if account.meters else None
    if reading is None or reading.read_at is None or reading.limit is None:
        return None
    return max(reading.limit - reading.used, 0)
