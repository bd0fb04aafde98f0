"""The bell in the head of every page: how many notices of one's own are new."""

from typing import Any

from django import template

from channels.models import OwnNotice
from channels.told.questions import still_answered
from orgs.reach import member_of, within

register = template.Library()

COUNTED = 100  # at most


@register.inclusion_tag("channels/bell.html", takes_context=True)
def bell(context: dict[str, Any]) -> dict[str, Any]:
    """For members; who is none registers nothing."""
    request = context.get("request")
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or member_of(user) is None:
        return {"is_shown": False}
    unread = within(user, OwnNotice.objects.filter(user=user.pk, read_at=None))
    count = still_answered(user, unread).order_by()[:COUNTED].count()
    return {"is_shown": True, "count": count, "words": "99+" if count == COUNTED else str(count)}
