"""The banner on every page while all sending is stopped."""

from typing import Any

from django import template

from schedules.actions.fence import may_fence
from schedules.models import Installation

register = template.Library()


@register.inclusion_tag("schedules/fence_banner.html", takes_context=True)
def fence_banner(context: dict[str, Any]) -> dict[str, Any]:
    """Says it to everybody who is signed in, and why to those who may lift it."""
    request = context.get("request")
    user = getattr(request, "user", None)
    row = Installation.objects.fenced() if user and user.is_authenticated else None
    return {"fence": row, "may_lift": bool(row) and may_fence(user)}
