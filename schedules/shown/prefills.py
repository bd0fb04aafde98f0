"""What a template fills in, in one sentence."""

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from schedules.models import MessageTemplate
from schedules.recurrence import Kind, in_words
from schedules.recurrence.words import limits_in_words


def prefills_in_words(template: MessageTemplate, zone: str) -> str:
    """As a person of this zone would say it; "" where it fills in nothing."""
    return capfirst(_(", ").join([*_timing(template, zone), *_strategy(template)]))


def _timing(template: MessageTemplate, zone: str) -> list[str]:
    timing = template.timing_in(zone)
    if not template.timing_kind:
        return limits_in_words(timing)
    if timing.kind == Kind.ONCE and timing.date is None and timing.time:
        words = _("once at %(time)s (%(zone)s), on a day that you choose")
        at = timing.time.isoformat("seconds" if timing.time.second else "minutes")
        return [words % {"time": at, "zone": timing.zone}, *limits_in_words(timing)]
    return [in_words(timing)]


def _strategy(template: MessageTemplate) -> list[str]:
    words = []
    if template.priority is not None:
        words.append(_("priority %(priority)d") % {"priority": template.priority})
    if template.max_retries is not None:
        most = template.max_retries
        found = ngettext("at most %(count)d retry", "at most %(count)d retries", most)
        words.append(found % {"count": most})
    if template.on_quiet:
        words.append(_("in quiet hours: %(what)s") % {"what": template.get_on_quiet_display()})
    return words
