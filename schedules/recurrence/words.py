"""A timing in plain words."""

from itertools import groupby

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from orgs.moments import written

from .timing import LAST_DAY, MINUTES_OF_A_DAY, Kind, ShortMonth, Timing

NAMED_DATES = 3  # more skipped dates than these are counted, not listed
# Those that the form offers; others are called by their code.
COUNTRIES = {
    "KR": gettext_lazy("South Korea"),
    "TW": gettext_lazy("Taiwan"),
    "CN": gettext_lazy("China"),
    "HK": gettext_lazy("Hong Kong"),
    "JP": gettext_lazy("Japan"),
    "SG": gettext_lazy("Singapore"),
    "US": gettext_lazy("United States"),
}


def in_words(timing: Timing) -> str:
    """When a timing goes, as a person would say it, in the active language."""
    if timing.problems():
        return _("The timing is not complete")
    return _(", ").join([_rule_in_words(timing), *limits_in_words(timing)])


def limits_in_words(timing: Timing) -> list[str]:
    """From when until when, and on which days not."""
    words = []
    if timing.valid_from:
        words.append(_("from %s") % written(timing.valid_from, timing.zone))
    if timing.valid_until:
        words.append(_("until %s") % written(timing.valid_until, timing.zone))
    if timing.holiday_country:
        words.append(_("not on public holidays in %s") % _country(timing.holiday_country))
    if len(timing.skip_dates) > NAMED_DATES:
        words.append(_("not on %d chosen dates") % len(timing.skip_dates))
    elif timing.skip_dates:
        dates = [str(day) for day in sorted(timing.skip_dates)]
        words.append(_("not on %s") % _listed(dates))
    return words


def _rule_in_words(timing: Timing) -> str:
    if timing.kind == Kind.NOW:
        return _("At once")
    if timing.kind == Kind.INTERVAL:
        return _interval(timing)
    if timing.kind == Kind.PEAK:
        return _peak(timing)
    if timing.kind == Kind.CRON:
        return _("By the cron expression %(cron)s (%(zone)s)") % {
            "cron": " ".join(timing.cron.split()),
            "zone": timing.zone,
        }
    return _at_a_time(timing)


def _interval(timing: Timing) -> str:
    assert timing.every_minutes
    span = {"span": _span(timing.every_minutes)}
    if MINUTES_OF_A_DAY % timing.every_minutes:
        return _("Every %(span)s, counted anew from each midnight") % span
    return _("Every %(span)s, on the clock") % span


def _peak(timing: Timing) -> str:
    assert timing.peak_minutes and timing.every_minutes
    words = _("Every %(peak)s %(hours)s o'clock, otherwise every %(span)s (%(zone)s)")
    return words % {
        "peak": _span(timing.peak_minutes),
        "hours": _listed(_hours(timing.peak_hours)),
        "span": _span(timing.every_minutes),
        "zone": timing.zone,
    }


def _at_a_time(timing: Timing) -> str:
    assert timing.time is not None
    if timing.kind == Kind.ONCE:
        words = _("On %(date)s at %(time)s (%(zone)s)")
    elif timing.kind == Kind.MONTHLY:
        words = _monthly(timing)
    elif timing.kind == Kind.DAILY or len(timing.weekdays) == len(WEEKDAYS):
        words = _("Every day at %(time)s (%(zone)s)")
    else:
        words = _("Every %(weekdays)s at %(time)s (%(zone)s)")
    weekdays = [str(WEEKDAYS[number]) for number in sorted(timing.weekdays)]
    return words % {
        "date": timing.date,
        "weekdays": _listed(weekdays),
        "day": timing.day_of_month,
        "time": timing.time.isoformat("seconds" if timing.time.second else "minutes"),
        "zone": timing.zone,
    }


def _monthly(timing: Timing) -> str:
    assert timing.day_of_month
    if timing.day_of_month == LAST_DAY:
        return _("On the last day of each month at %(time)s (%(zone)s)")
    if timing.day_of_month <= 28:
        return _("On day %(day)s of each month at %(time)s (%(zone)s)")
    if timing.short_month == ShortMonth.SKIP:
        return _("On day %(day)s of each month that has it at %(time)s (%(zone)s)")
    return _("On day %(day)s of each month, or its last day, at %(time)s (%(zone)s)")


def _listed(words: list[str]) -> str:
    """“Monday, Tuesday and Friday”."""
    if len(words) < 2:
        return "".join(words)
    first = pgettext("between the items of a list", ", ").join(words[:-1])
    return _("%(first)s and %(last)s") % {"first": first, "last": words[-1]}


def _country(code: str) -> str:
    return str(COUNTRIES.get(code, code))


def _span(minutes: int) -> str:
    if minutes % 60 == 0:
        return ngettext("hour", "%(count)d hours", minutes // 60) % {"count": minutes // 60}
    return ngettext("minute", "%(count)d minutes", minutes) % {"count": minutes}


def _hours(hours: frozenset[int]) -> list[str]:
    """The hours as "from 8 to 11", "at 14"; neighbours have the same distance to their place."""
    runs = groupby(enumerate(sorted(hours)), key=lambda pair: pair[1] - pair[0])
    words = []
    for run in ([hour for _place, hour in members] for _distance, members in runs):
        template = _("at %(first)d") if len(run) == 1 else _("from %(first)d to %(last)d")
        words.append(template % {"first": run[0], "last": run[-1]})
    return words
