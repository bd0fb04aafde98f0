"""The banner on every page while somebody is seen as, and the button that begins it."""

from typing import Any

from django import template

from config.scoped.times import moment, zone_of
from orgs.grants import may_view_as

register = template.Library()


@register.inclusion_tag("view_as/banner.html", takes_context=True)
def view_as_banner(context: dict[str, Any]) -> dict[str, Any]:
    """Says as whom, until when, and how to leave."""
    request = context.get("request")
    look = getattr(request, "look", None)
    return {
        "look": look,
        "until": look and moment(look.until, zone_of(look.viewer)),
        "request": request,
    }


@register.simple_tag(takes_context=True)
def can_be_seen_as(context: dict[str, Any], member: Any) -> bool:
    """Whether the reader may see the pages as this member."""
    request = context["request"]
    return getattr(request, "look", None) is None and may_view_as(request.user, member)
