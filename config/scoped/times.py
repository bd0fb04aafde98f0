"""How a moment stands on a page, in whose zone it is read; orgs.moments writes it."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet, Value
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import get_default_timezone_name

from orgs.moments import clock, day, exact
from orgs.reach import member_of


def zone_of(user: Any) -> str:
    """The zone in which this person reads times: that of their unit."""
    member = member_of(user)
    return member.unit.zone if member else get_default_timezone_name()


def moment(at: datetime | None, zone: str, away: str = "") -> SafeString:
    """A time element: day, time to the second, the zone, and how far away it is where that is
    given; milliseconds on hover."""
    if at is None:
        return mark_safe("–")
    return format_html(
        '<time class="tj-time" datetime="{}" title="{}">{} <b>{}</b> <small>{}</small>{}</time>',
        at.isoformat(timespec="milliseconds"),
        exact(at, zone),
        day(at, zone),
        clock(at, zone),
        zone,
        format_html(' <i class="tj-away">{}</i>', away) if away else "",
    )


def read_by(user: Any, rows: QuerySet) -> QuerySet:
    """The rows, each with the reader's zone as `read_in`: the columns of a list see nothing of
    the request."""
    return rows.annotate(read_in=Value(zone_of(user)))
