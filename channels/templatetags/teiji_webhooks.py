"""What is the matter with a webhook."""

from django import template
from django.utils.translation import gettext as _

from channels.models import Webhook
from logs.said import retell
from orgs.moments import exact

register = template.Library()


@register.simple_tag
def webhook_trouble(webhook: Webhook) -> str:
    """Since when it takes nothing, or why it was switched off; "" where all is well."""
    zone = webhook.unit.zone
    if webhook.stopped_at:
        facts = {"since": exact(webhook.stopped_at, zone), "why": retell(webhook.stopped_why)}
        words = _(
            "It was switched off at %(since)s: %(why)s Put the receiver right, then switch it on: "
            "what it has missed is in its log, and can be sent again."
        )
        return words % facts
    if webhook.is_active and webhook.failing_since:
        since = exact(webhook.failing_since, zone)
        words = _("Since %(since)s it has taken nothing: see what it answered in its log.")
        return words % {"since": since}
    return ""
