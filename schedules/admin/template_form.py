"""A template's own form: what it is, and what the schedules made with it start with."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from schedules.models import MessageTemplate
from schedules.models.prefills import PREFILLED
from schedules.models.repetition import KIND_CHOICES, OnQuiet
from schedules.wizard.forms.fields import zone_choices
from schedules.wizard.forms.repetition import RepetitionFields, clock_input, with_known

INPUT = UnfoldAdminTextInputWidget().attrs["class"]
# How the theme draws each kind of field that the registration has.
WIDGETS: dict[type[forms.Widget], type[forms.Widget]] = {
    forms.Select: UnfoldAdminSelectWidget,
    forms.CheckboxSelectMultiple: UnfoldAdminCheckboxSelectMultipleWidget,
    forms.NumberInput: UnfoldAdminIntegerFieldWidget,
    forms.TextInput: UnfoldAdminTextInputWidget,
}
HELP = {
    "timing_kind": _("What you choose here and below stands in the registration form when somebody "
                     "uses the template. They may change it."),
    "zone": _("Empty: the clock of the unit for which it is used."),
    "date": _("Empty: whoever uses it chooses the day."),
}  # fmt: skip


class TemplateForm(forms.ModelForm, RepetitionFields):
    """With the fields of the registration's third step."""

    class Meta:
        model = MessageTemplate
        fields = ["unit", "name", "order", "interval_seconds", "is_shared", "is_active", *PREFILLED]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if name in RepetitionFields.base_fields:
                self._adapt(name, field)
        self._offer("timing_kind", [("", _("whoever uses it chooses")), *KIND_CHOICES])
        self._offer("zone", [("", _("that of the unit")), *zone_choices()])
        self._offer("on_quiet", [("", _("as usual")), *OnQuiet.choices])
        self._offer("holiday_country", with_known(self.instance.holiday_country))

    def _offer(self, name: str, choices: list[Any]) -> None:
        field: Any = self.fields.get(name)
        if field is not None:  # whoever only looks at it has no fields of the model
            field.choices = choices

    def _adapt(self, name: str, field: Any) -> None:
        field.required = False
        field.help_text = HELP.get(name, field.help_text)
        if name == "time":
            field.widget = clock_input(self.instance.time, **{"class": INPUT})
        elif name == "date":
            field.widget.attrs["class"] = INPUT
        else:
            drawn: Any = WIDGETS[type(field.widget)](attrs=dict(field.widget.attrs))
            drawn.choices = getattr(field, "choices", ())
            field.widget = drawn
