"""The form of each step."""

from schedules.wizard.forms.base import StepForm
from schedules.wizard.forms.content import ContentForm
from schedules.wizard.forms.target import TargetForm
from schedules.wizard.forms.timing import TimingForm

FORMS: dict[str, type[StepForm]] = {
    "target": TargetForm,
    "content": ContentForm,
    "timing": TimingForm,
}

__all__ = ["FORMS", "ContentForm", "StepForm", "TargetForm", "TimingForm"]
