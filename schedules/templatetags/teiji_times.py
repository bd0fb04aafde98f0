"""Times in templates: one form everywhere, with the zone beside it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.scoped import times
from orgs import moments

register = template.Library()

UNITS = (
    (86_400, lambda count: ngettext("%(count)d day", "%(count)d days", count)),
    (3_600, lambda count: ngettext("%(count)d hour", "%(count)d hours", count)),
    (60, lambda count: ngettext("%(count)d minute", "%(count)d minutes", count)),
    (1, lambda count: ngettext("%(count)d second", "%(count)d seconds", count)),
)


register.filter("time_of_day", moments.time_of_day)
register.filter("day_in_zone", moments.day)
register.filter("clock_in_zone", moments.clock)


@register.filter
def in_zone(moment: datetime | None, zone: str) -> str:
    """“2026-11-23 (Mon) 09:00:05 Asia/Seoul”; nothing for no moment."""
    return moments.written(moment, zone) if moment else ""


@register.filter
def iso_day_in_zone(moment: datetime, zone: str) -> str:
    """As an address has it."""
    return moment.astimezone(ZoneInfo(zone)).date().isoformat()


@register.filter
def input_in_zone(moment: datetime, zone: str) -> str:
    """As a field for a date and a time takes it."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat(timespec="seconds")


@register.filter
def precisely_in_zone(moment: datetime | None, zone: str) -> str:
    """As in_zone, to the millisecond."""
    return moments.exact(moment, zone) if moment else ""


@register.filter
def relative_to(moment: datetime | None, now: datetime) -> str:
    """“in 2 hours”, “5 minutes ago”."""
    if moment is None:
        return ""
    seconds = int((moment - now).total_seconds())
    span = _span(abs(seconds))
    if not span:
        return _("now")
    return _("in %(span)s") % {"span": span} if seconds > 0 else _("%(span)s ago") % {"span": span}


@register.filter
def span(length: timedelta) -> str:
    """“5 minutes”: its largest unit."""
    return _span(int(length.total_seconds()))


@register.simple_tag
def time_element(moment: datetime | None, zone: str, now: datetime | None = None) -> SafeString:
    """The time with its zone set apart, and how far away it is where `now` is given."""
    return times.moment(moment, zone, relative_to(moment, now) if now else "")


def lateness(milliseconds: int | None) -> str:
    """“+12 ms”, “+3.2 s”."""
    if milliseconds is None:
        return "–"
    if abs(milliseconds) < 10_000:
        return f"{milliseconds:+d} ms"
    return f"{milliseconds / 1000:+.1f} s"


register.filter("lateness", lateness)


def _span(seconds: int) -> str:
    for size, words in UNITS:
        if seconds >= size:
            count = seconds // size
            return words(count) % {"count": count}
    return ""
