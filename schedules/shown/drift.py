"""How far an audience has drifted from what it was when its schedule was registered, in words."""

from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from schedules.models import Run


def in_words(people: int, expected: int | None) -> str:
    """“1,204 people; 1,180 when it was registered: +24, 2 %”."""
    said = ngettext("%(count)s person", "%(count)s people", people) % {"count": _grouped(people)}
    if expected is None:
        return said
    if people == expected:
        return _("%(people)s, as when it was registered") % {"people": said}
    return _("%(people)s; %(expected)s when it was registered: %(drift)s") % {
        "people": said,
        "expected": _grouped(expected),
        "drift": in_figures(people, expected),
    }


def briefly(people: int, expected: int | None) -> SafeString:
    """“1,204 people”, below it “+24, 2 %”; in words on hover. For the column of a list."""
    said = in_words(people, None)
    drifted = expected is not None and people != expected
    return format_html(
        '<span class="tj-people" title="{}">{}{}</span>',
        in_words(people, expected),
        said,
        format_html("<br><small>{}</small>", in_figures(people, expected or 0)) if drifted else "",
    )


def in_figures(people: int, expected: int) -> str:
    """“+24, 2 %”."""
    more = people - expected
    figures = f"{'+' if more > 0 else '−'}{_grouped(abs(more))}"
    if not expected:
        return figures
    share = abs(more) * 100 / expected
    rounded = _grouped(round(share)) if share >= 1 else _("less than 1")
    return f"{figures}, {rounded} %"


def drift_of(run: Run) -> str:
    """To how many people this run goes; "" where it goes to rooms, or was stopped whole before
    anybody was chosen."""
    if run.recipients is None or not was_chosen(run.reason):
        return ""
    return in_words(run.recipients, run.expected)


def was_chosen(reason: str) -> bool:
    """Whether it was asked who is in a run's audience. One that was stopped whole counts nobody,
    and that is no drift."""
    return reason in (Run.Reason.NONE, Run.Reason.NO_RECIPIENT)


def _grouped(number: int) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)
