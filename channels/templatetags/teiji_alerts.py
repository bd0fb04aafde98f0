"""Who is told when something fails in a unit."""

from typing import Any

from django import template
from django.conf import settings

from channels.alerts.routes import receiver_of
from channels.models import AlertTarget
from orgs.models import Unit
from orgs.reach import Act, can_in

register = template.Library()


@register.inclusion_tag("channels/told_note.html", takes_context=True)
def told_note(context: dict[str, Any], unit: Unit | None) -> dict[str, Any]:
    """A note where the unit has no alert target of its own: who is told instead, or that nobody
    is."""
    if not unit or not unit.pk:
        return {}
    receiver = receiver_of(unit)
    return {
        "unit": unit,
        "receiver": receiver,
        "is_own": receiver == unit,
        "has_operators": bool(settings.TEIJI_ALERT_URLS),
        "may_add": can_in(context["request"].user, Act.CREATE, AlertTarget, unit),
    }
