"""Choices of rows in forms: what no page offers is refused at its field, and not shown again."""

from typing import Any

from django import forms

from config.scoped.fields import LARGEST


def is_id(value: Any) -> bool:
    """Whether a row may have it, or it may stand for none. Anything else would be a fault of the
    database, or of the widget that looks for the row to show it again."""
    text = str(value)
    return not text or (text.isascii() and text.isdigit() and int(text) <= LARGEST)


class OneRow(forms.ModelChoiceField):
    """One of these rows, by its id."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and not is_id(value):
            message = self.error_messages["invalid_choice"]
            raise forms.ValidationError(message, "invalid_choice", {"value": value})
        return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        return "" if isinstance(value, str) and not is_id(value) else super().prepare_value(value)


class SomeRows(forms.ModelMultipleChoiceField):
    """Some of these rows, by their ids."""

    def clean(self, value: Any) -> Any:
        for one in value or ():
            if isinstance(one, str) and not is_id(one):
                message = self.error_messages["invalid_pk_value"]
                raise forms.ValidationError(message, "invalid_pk_value", {"pk": one})
        return super().clean(value)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            value = [one for one in value if not isinstance(one, str) or is_id(one)]
        return super().prepare_value(value)
