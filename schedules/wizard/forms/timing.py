"""The third step: when, from when until when, when not, and with what precedence."""

from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext_lazy as _

from schedules.models import Schedule
from schedules.models.timing import KIND_CHOICES, SHORT_MONTH_CHOICES
from schedules.recurrence import LAST_DAY
from schedules.wizard.forms.base import StepForm
from schedules.wizard.forms.content import MOST_SMALL
from schedules.wizard.forms.fields import (
    COMMON_ZONES,
    Dates,
    WallTime,
    from_the_clock,
    on_the_clock,
    zone_choices,
)

NO_PRIORITY = _("The priority lies between 0 and 100.")
DAYS = [(number, str(number)) for number in range(1, 32)] + [(LAST_DAY, _("the last day"))]
COUNTRIES = [
    ("", _("send on holidays too")), ("KR", _("South Korea")), ("TW", _("Taiwan")),
    ("CN", _("China")), ("HK", _("Hong Kong")), ("JP", _("Japan")), ("SG", _("Singapore")),
    ("US", _("United States")),
]  # fmt: skip


def _minutes(label: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=0, max_value=MOST_SMALL, required=False)


class TimingForm(StepForm):
    """Kind, zone and the fields of each kind; validity, days left out, precedence."""

    step = "timing"

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
    valid_from = WallTime(label=_("Not before"), required=False)
    valid_until = WallTime(label=_("Not after"), required=False)
    holiday_country = forms.ChoiceField(
        label=_("Public holidays"), choices=COUNTRIES, required=False
    )
    skip_dates = Dates(label=_("Dates to leave out"), required=False)
    on_quiet = forms.ChoiceField(
        label=_("In quiet hours"),
        choices=Schedule.OnQuiet.choices,
        required=False,
        help_text=_("Rooms and units may have hours in which nothing is sent to them."),
    )
    priority = forms.IntegerField(
        label=_("Priority"),
        min_value=0,
        max_value=100,
        error_messages={"min_value": NO_PRIORITY, "max_value": NO_PRIORITY},
        help_text=_("0 to 100. Of messages due at the same second, the higher goes first."),
    )
    max_retries = forms.IntegerField(
        label=_("Most retries"),
        min_value=0,
        max_value=MOST_SMALL,
        help_text=_("How often it is tried again when the channel is busy or out of order."),
    )

    def prepare(self, name: str, field: forms.Field) -> None:
        draft = self.draft
        if name == "zone" and draft.zone not in COMMON_ZONES:
            field.choices = [(draft.zone, draft.zone), *zone_choices()]  # type: ignore[attr-defined]
        if name == "holiday_country" and draft.holiday_country not in dict(COUNTRIES):
            code = draft.holiday_country
            field.choices = [*COUNTRIES, (code, code)]  # type: ignore[attr-defined]
        if name == "time" and draft.time and draft.time.second:
            # Seconds are shown only where there are some: most people do not think in them.
            field.widget = forms.TimeInput({"type": "time", "step": 1, "class": "tj-input"})
        if name in ("valid_from", "valid_until"):
            stored = getattr(draft, name)
            if stored and stored.second:
                attrs = {"type": "datetime-local", "step": 1, "class": "tj-input"}
                field.widget = forms.DateTimeInput(attrs, format="%Y-%m-%dT%H:%M:%S")

    def stored(self) -> dict[str, Any]:
        draft = self.draft
        return super().stored() | {
            "valid_from": on_the_clock(draft.valid_from, draft.zone),
            "valid_until": on_the_clock(draft.valid_until, draft.zone),
        }

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        zone = values.get("zone", self.draft.zone)
        for name in ("valid_from", "valid_until"):
            if name in values:
                values[name] = from_the_clock(values[name], zone)
        begin = values.get("valid_from", self.draft.valid_from)
        end = values.get("valid_until", self.draft.valid_until)
        if begin and end and end <= begin:
            self.add_error("valid_until", _("The validity ends before it begins."))
            # Neither is stored: with the other one's stored value it could still be wrong.
            values.pop("valid_from", None)
        return values
