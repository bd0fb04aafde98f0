"""How something repeats, in a form: of a schedule, and of what a template fills in."""

from datetime import time
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext_lazy as _

from schedules.models.repetition import KIND_CHOICES, SHORT_MONTH_CHOICES
from schedules.recurrence import LAST_DAY
from schedules.wizard.forms.content import MOST_SMALL
from schedules.wizard.forms.fields import zone_choices

DAYS = [(number, str(number)) for number in range(1, 32)] + [(LAST_DAY, _("the last day"))]
COUNTRIES = [
    ("", _("send on holidays too")), ("KR", _("South Korea")), ("TW", _("Taiwan")),
    ("CN", _("China")), ("HK", _("Hong Kong")), ("JP", _("Japan")), ("SG", _("Singapore")),
    ("US", _("United States")),
]  # fmt: skip


def _minutes(label: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=0, max_value=MOST_SMALL, required=False)


class RepetitionFields(forms.Form):
    """A field for each column of schedules.models.repetition."""

    timing_kind = forms.ChoiceField(label=_("When"), choices=KIND_CHOICES)
    zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=zone_choices,
        help_text=_("All times on this page are times of this zone."),
    )
    date = forms.DateField(
        label=_("Date"),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    time = forms.TimeField(
        label=_("Time"),
        required=False,
        input_formats=["%H:%M", "%H:%M:%S"],
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Weekdays"),
        coerce=int,
        required=False,
        choices=list(WEEKDAYS_ABBR.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    day_of_month = forms.TypedChoiceField(
        label=_("Day of the month"),
        coerce=int,
        empty_value=None,
        required=False,
        choices=[("", _("choose")), *DAYS],
    )
    short_month = forms.ChoiceField(
        label=_("In a month without that day"), choices=SHORT_MONTH_CHOICES
    )
    every_minutes = _minutes(_("Minutes between"))
    peak_minutes = _minutes(_("Minutes between in peak hours"))
    peak_hours = forms.TypedMultipleChoiceField(
        label=_("Peak hours"),
        coerce=int,
        required=False,
        choices=[(hour, f"{hour:02d}") for hour in range(24)],
        widget=forms.CheckboxSelectMultiple,
    )
    cron = forms.CharField(label=_("Cron expression"), max_length=100)
    holiday_country = forms.ChoiceField(
        label=_("Public holidays"), choices=COUNTRIES, required=False
    )


def clock_input(stored: time | None, **attrs: Any) -> forms.TimeInput:
    """Seconds are shown only where there are some: most people do not think in them."""
    if stored and stored.second:
        return forms.TimeInput({"type": "time", "step": 1, **attrs}, format="%H:%M:%S")
    return forms.TimeInput({"type": "time", **attrs}, format="%H:%M")


def with_known(country: str) -> list[tuple[str, Any]]:
    """The countries to choose from, and this one, that a program may have set."""
    return COUNTRIES if country in dict(COUNTRIES) else [*COUNTRIES, (country, country)]
