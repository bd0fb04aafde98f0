"""What the forms of the steps share: they read what can be stored and keep the rest as typed."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from channels.models import Room
from schedules import rules
from schedules.models import Schedule
from schedules.rules import Problems

MISSING = _("This is missing.")
LONGEST_TEXT = 50_000  # characters of a text that is stored; channels take far less


class StepForm(forms.Form):
    """One step. A form judges only whether a value can be stored; the rules judge the rest."""

    step: ClassVar[str]

    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self, data: Any = None, *, draft: Schedule, by: Any, problems: Problems | None = None
    ) -> None:
        self.draft, self.by = draft, by
        self.rule_problems: Problems = problems or {}
        super().__init__(data, initial=self.stored())
        for name, field in self.fields.items():
            field.required = field.required and not isinstance(field, forms.CharField)
            field.error_messages["required"] = MISSING
            field.widget.attrs.setdefault("class", "tj-input")
            field.widget.is_required = False
            self.prepare(name, field)

    def prepare(self, name: str, field: forms.Field) -> None:
        """Adjust a field before it is read or shown."""

    def stored(self) -> dict[str, Any]:
        """What the fields show before anybody types."""
        return {name: getattr(self.draft, name) for name in self.columns()}

    def columns(self) -> list[str]:
        """The draft's columns that this step fills in."""
        return [name for name in rules.STEPS[self.step] if name not in ("rooms", "images")]

    def values(self) -> dict[str, Any]:
        """The columns that were read without a problem."""
        return {
            name: self.cleaned_data[name] for name in self.columns() if name in self.cleaned_data
        }

    def rooms(self) -> list[Room] | None:
        """The rooms, where this step chooses them."""
        return None

    def problems(self, name: str) -> list[str]:
        """What stands against this field: why it could not be read, else what the rules say."""
        unread = list(self.errors.get(name, [])) if self.is_bound else []
        return [str(message) for message in unread] or self.rule_problems.get(name, [])
