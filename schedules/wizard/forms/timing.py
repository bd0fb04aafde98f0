"""The third step: when, from when until when, when not, and with what precedence."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from schedules.models.repetition import OnQuiet
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
from schedules.wizard.forms.repetition import RepetitionFields, clock_input, with_known

NO_PRIORITY = _("The priority lies between 0 and 100.")


class TimingForm(RepetitionFields, StepForm):
    """Kind, zone and the fields of each kind; validity, days left out, precedence."""

    step = "timing"

    valid_from = WallTime(label=_("Not before"), required=False)
    valid_until = WallTime(label=_("Not after"), required=False)
    skip_dates = Dates(label=_("Dates to leave out"), required=False)
    on_quiet = forms.ChoiceField(
        label=_("In quiet hours"),
        choices=OnQuiet.choices,
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
        if name == "holiday_country":
            field.choices = with_known(draft.holiday_country)  # type: ignore[attr-defined]
        if name == "time":
            field.widget = clock_input(draft.time, **{"class": "tj-input"})
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
