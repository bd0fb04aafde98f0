"""What the pages of signing in write: times as the reader reads them, and browsers by name."""

from datetime import datetime
from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from config.scoped.times import moment, zone_of
from orgs.moments import written

register = template.Library()

# In this order: each of them says that it is most of those that follow.
BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"),
            ("Whale/", "Whale"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"),
            ("Safari/", "Safari"))  # fmt: skip
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
           ("Mac OS", "Mac"), ("Linux", "Linux"))  # fmt: skip


@register.simple_tag(takes_context=True)
def own_time(context: Any, at: datetime | None) -> SafeString:
    """In the zone of whoever looks."""
    return moment(at, zone_of(context["request"].user))


@register.simple_tag(takes_context=True)
def own_time_in_plain(context: Any, at: datetime) -> str:
    """For a text without markup, in the zone of whom it is written to, signed in or not."""
    return written(at, zone_of(context["user"]))


@register.filter
def browser(agent: str) -> str:
    """“Chrome · Windows”."""
    named = [
        next((name for mark, name in names if mark in agent), "") for names in (BROWSERS, SYSTEMS)
    ]
    return " · ".join(filter(None, named)) or _("another program")
