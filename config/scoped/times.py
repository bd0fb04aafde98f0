"""How a moment is written for people: the one formatter, which always names the zone."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet, Value
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import get_default_timezone_name
from django.utils.translation import gettext_lazy as _

from orgs.reach import member_of

# Django writes them out in Korean and Chinese; our catalogues have them short, for Django too.
WEEKDAYS = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))


def zone_of(user: Any) -> str:
    """The zone in which this person reads times: that of their unit."""
    member = member_of(user)
    return member.unit.zone if member else get_default_timezone_name()


def moment(at: datetime | None, zone: str, away: str = "") -> SafeString:
    """A time element: day, time to the second, the zone, and how far away it is where that is
    given; milliseconds on hover."""
    if at is None:
        return mark_safe("–")
    local = _local(at, zone)
    return format_html(
        '<time class="tj-time" datetime="{}" title="{}">{} <b>{}</b> <small>{}</small>{}</time>',
        at.isoformat(timespec="milliseconds"),
        _exact(local, zone),
        _day(local),
        _clock(local),
        zone,
        format_html(' <i class="tj-away">{}</i>', away) if away else "",
    )


def day(at: datetime, zone: str) -> str:
    """“2026-11-23 (Mon)”."""
    return _day(_local(at, zone))


def clock(at: datetime, zone: str) -> str:
    """“09:00:05”."""
    return _clock(_local(at, zone))


def exact(at: datetime, zone: str) -> str:
    """“2026-11-23 (Mon) 09:00:05.120 Asia/Seoul”."""
    return _exact(_local(at, zone), zone)


def read_by(user: Any, rows: QuerySet) -> QuerySet:
    """The rows, each with the reader's zone as `read_in`: the columns of a list see nothing of
    the request."""
    return rows.annotate(read_in=Value(zone_of(user)))


def _local(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone))


def _day(local: datetime) -> str:
    return f"{local.date()} ({WEEKDAYS[local.weekday()]})"


def _clock(local: datetime) -> str:
    return local.strftime("%H:%M:%S")


def _exact(local: datetime, zone: str) -> str:
    return f"{_day(local)} {local.time().isoformat('milliseconds')} {zone}"
