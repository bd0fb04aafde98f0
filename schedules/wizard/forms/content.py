"""The second step: text, images (which come one by one), their order and spacing."""

from django import forms
from django.utils.translation import gettext_lazy as _

from schedules.content import Order
from schedules.wizard.forms.base import LONGEST_TEXT, StepForm

MOST_SMALL = 32_767  # what a small column holds


class ContentForm(StepForm):
    """Text, send order and interval."""

    step = "content"

    text = forms.CharField(
        label=_("Text"),
        max_length=LONGEST_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    order = forms.ChoiceField(label=_("Send order"), choices=Order.choices)
    interval_seconds = forms.IntegerField(
        label=_("Seconds between messages"),
        min_value=0,
        max_value=MOST_SMALL,
        help_text=_("0: as few messages as the channel can pack them into."),
    )

    def clean_text(self) -> str:
        # Browsers post line ends as two characters; the channel would count both.
        text: str = self.cleaned_data["text"]
        return text.replace("\r\n", "\n").replace("\r", "\n")
